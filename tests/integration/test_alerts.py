"""Alerts to a real webhook and a real mail server: each thing is told once, by each channel, without a secret."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta

import duckdb
import polars as pl
import pytest

from pipelines.api.notifications import post_to_webhook
from pipelines.errors import NotificationError
from pipelines.settings import Settings
from pipelines.usecases.alerts import (
    STATE_FILE,
    AlertState,
    channels,
    failed_run,
    find_alerts,
    send_new,
    unusual_measures,
)
from pipelines.usecases.context import Context
from tests.helpers.alert_receivers import PASSWORD, mail_server, slack
from warehouse.errors import HomeError
from warehouse.schema.operations import QUARANTINE, UNKNOWN_FIELDS
from warehouse.storage import lake
from warehouse.storage.home import Home

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
KEY = "sk_0123456789abcdef0123456789abcdef"
PAGE = "https://dagster.example"
STALE = f"""convohouse: the data is older than 36 hours
- main: never listed in full
See why the last runs failed: `convohouse status`. Then run `convohouse sync`, or the job nightly.
{PAGE}/assets/metrics/sync_health"""
UNUSUAL = f"""convohouse: a measure is unusual
- main, The shop, 2026-11-21: success_rate is 10.0 %, expected about 80.0 %
The data may be right. `metrics.anomalies` has the days before; `convohouse find` shows conversations.
{PAGE}/assets/metrics/anomalies"""
UNKNOWN = f"""convohouse: the API sends fields that the schema does not know
- metadata.brand_new (key), such as in conv_1
Nothing is lost: `convohouse drift` shows them. An update of convohouse may have columns for them.
{PAGE}/assets/lake/unknown_fields"""
SET_ASIDE = f"""convohouse: items are in quarantine
- conv_2: unreadable, The response is not a document.
Each run tries them again; `convohouse retry` does so now.
{PAGE}/assets/lake/quarantine"""


def add_to_quarantine(home: Home, **errors: str) -> None:
    rows = [
        {"workspace": "main", "conversation_id": item_id, "fetched_at": NOW, "reason": "unreadable", "error": error}
        for item_id, error in errors.items()
    ]
    lake.overwrite_table(
        home, QUARANTINE, pl.DataFrame(rows, schema_overrides={"fetched_at": pl.Datetime("us", "UTC")})
    )


@pytest.fixture
def home(tmp_path):
    """A home in which everything is wrong: never listed, an anomaly, an unknown field, a conversation in quarantine."""
    home = Home(tmp_path / "home").open()
    add_to_quarantine(home, conv_2="The response is not a document.")
    seen = {"first_seen_at": NOW, "last_seen_at": NOW}
    unknown = {"workspace": "main", "path": "metadata.brand_new", "value": "", "kind": "key", "n_rows": 3}
    row = unknown | {"n_conversations": 3, "example_id": "conv_1"} | seen
    times = dict.fromkeys(seen, pl.Datetime("us", "UTC"))
    lake.overwrite_table(home, UNKNOWN_FIELDS, pl.DataFrame([row], schema_overrides=times))
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create schema metrics")
        connection.execute(
            "create table metrics.anomalies (workspace text, start_date date, agent_id text, agent_name text, measure"
            " text, value double, expected double, spread double, deviation double, is_flagged boolean)"
        )
        values = ("main", date(2026, 11, 21), "agent_a", "The shop", "success_rate", 0.1, 0.8, 0.1, -0.7, True)
        connection.execute("insert into metrics.anomalies values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        connection.execute("create schema intermediate")
        connection.execute(
            "create table intermediate.int_whole_days as "
            "select 'main' as workspace, date '2026-11-21' as last_whole_date"
        )
    return home


def context_of(home: Home, now: datetime = NOW, **settings: object) -> Context:
    return Context(Settings(home=home.root, api_key=KEY, dagster_url=PAGE, **settings), clock=lambda: now)


def send(context: Context, *more) -> int:
    return send_new(context, [*more, *find_alerts(context)], AlertState.read(context.home, context.clock()))


def test_alerts_are_off_until_a_channel_is_set():
    assert channels(Settings(api_key=None)) == {}
    assert channels(Settings(api_key=None, alert_smtp="smtp://localhost")) == {}
    assert channels(Settings(api_key=None, alert_webhook="https://example.com", alert_mail_to=("a@b.c",))).keys() == {
        "webhook"
    }


def test_each_problem_is_told_once_and_a_new_one_alone(home):
    with slack() as receiver:
        context = context_of(home, alert_webhook=receiver.url)
        assert send(context) == 4
        assert [post["text"] for post in receiver.posts] == [STALE, UNUSUAL, UNKNOWN, SET_ASIDE]
        assert {tuple(post) for post in receiver.posts} == {("text",)}
        assert send(context) == 0
        add_to_quarantine(home, conv_2="The response is not a document.", conv_3="No start.")
        assert send(context) == 1
        assert "- conv_3: unreadable, No start.\nEach run" in receiver.posts[-1]["text"]
        assert "conv_2" not in receiver.posts[-1]["text"]
        assert len(receiver.posts) == 5
    assert "conv_" not in (home.root / STATE_FILE).read_text()


def test_of_each_workspace_the_newest_day_that_is_over_counts_and_the_most_unusual_is_first(home):
    rows = [
        ("main", 20, "older", 9.0, True),
        ("main", 21, "less", 2.0, True),
        ("main", 21, "usual", 9.0, False),
        ("main", 22, "not over", 9.0, True),
        ("second", 19, "newest", 8.0, True),
        ("second", 19, "below", -9.0, True),
        ("third", 20, "older", 9.0, True),
        ("third", 21, "usual", 0.0, False),
    ]
    with duckdb.connect(str(home.warehouse)) as connection:
        for workspace, day, measure, deviation, is_flagged in rows:
            values = (workspace, date(2026, 11, day), "a", "A", measure, 0.0, 0.0, 1.0, deviation, is_flagged)
            connection.execute("insert into metrics.anomalies values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        for workspace, day in (("second", 19), ("third", 21)):
            whole_days = (workspace, date(2026, 11, day))
            connection.execute("insert into intermediate.int_whole_days values (?, ?)", whole_days)
    assert unusual_measures(home).select("workspace", "measure").rows() == [
        ("second", "below"),
        ("second", "newest"),
        ("main", "success_rate"),
        ("main", "less"),
    ]


def test_what_was_right_for_a_week_is_told_again(home):
    with slack() as receiver:
        add_to_quarantine(home, conv_2="No start.")
        send(context_of(home, alert_webhook=receiver.url))
        lake.overwrite_table(home, QUARANTINE, lake.read(home, QUARANTINE).clear())
        assert send(context_of(home, NOW + timedelta(days=6), alert_webhook=receiver.url)) == 0
        add_to_quarantine(home, conv_2="No start.")
        assert send(context_of(home, NOW + timedelta(days=6, hours=1), alert_webhook=receiver.url)) == 0
        lake.overwrite_table(home, QUARANTINE, lake.read(home, QUARANTINE).clear())
        send(context_of(home, NOW + timedelta(days=14), alert_webhook=receiver.url))
        add_to_quarantine(home, conv_2="No start.")
        assert send(context_of(home, NOW + timedelta(days=14), alert_webhook=receiver.url)) == 1


def test_what_stays_wrong_is_told_once_and_ten_lines_are_enough(home):
    with slack() as receiver:
        add_to_quarantine(home, **{f"conv_{number:02}": "No start." for number in range(12)})
        for days, n_messages in ((0, 4), (6, 0), (12, 0)):
            context = context_of(home, NOW + timedelta(days=days), alert_webhook=receiver.url)
            assert send(context) == n_messages
    lines = [f"- conv_{number:02}: unreadable, No start." for number in range(10)]
    assert receiver.posts[-1]["text"].splitlines()[1:-2] == [*lines, "- and 2 more"]


def test_a_mail_has_the_same_text(home):
    with mail_server() as mailbox:
        context = context_of(
            home,
            alert_smtp=mailbox.url,
            alert_mail_to=("a@example.com", "b@example.com"),
            alert_mail_from="c@example.com",
        )
        assert send(context) == 4
        assert send(context) == 0
    first = mailbox.mails[0]
    assert (first["From"], first["To"], first["Subject"]) == (
        "c@example.com",
        "a@example.com, b@example.com",
        "convohouse: the data is older than 36 hours",
    )
    texts = [mail.get_payload(decode=True).decode().replace("\r\n", "\n").strip() for mail in mailbox.mails]
    assert texts == [STALE, UNUSUAL, UNKNOWN, SET_ASIDE]


def test_a_channel_that_is_down_gets_its_messages_later_and_the_other_only_once(home):
    with slack() as receiver, mail_server() as mailbox:
        receiver.status = 500
        channel = {"alert_webhook": receiver.url, "alert_smtp": mailbox.url, "alert_mail_to": ("a@example.com",)}
        with pytest.raises(NotificationError) as caught:
            send(context_of(home, **channel))
        assert str(caught.value) == "The webhook for alerts answered 500."
        assert (len(receiver.posts), len(mailbox.mails)) == (0, 4)
        receiver.status = 200
        assert send(context_of(home, **channel)) == 4
        assert (len(receiver.posts), len(mailbox.mails)) == (4, 4)


def test_a_name_of_the_api_is_text_and_neither_a_mention_nor_a_link_nor_a_line(home):
    add_to_quarantine(home, conv_2="<!channel> <https://evil.example|sign in> & more\n- conv_3: \x1b[2J\u202e")
    line = "- conv_2: unreadable, <!channel> <https://evil.example|sign in> & more - conv_3: \\u001b[2J\\u202e"
    with slack() as receiver, mail_server() as mailbox:
        channel = {"alert_webhook": receiver.url, "alert_smtp": mailbox.url, "alert_mail_to": ("a@example.com",)}
        send(context_of(home, **channel))
        posted, mailed = receiver.posts[-1]["text"], mailbox.mails[-1].get_payload(decode=True).decode()
    assert line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in posted.splitlines()
    assert line in mailed.splitlines()


def test_what_was_sent_before_the_process_ended_is_not_sent_again(home, monkeypatch):
    with slack() as receiver:
        context = context_of(home, alert_webhook=receiver.url)

        def end_at_the_second(url, text):
            if receiver.posts:
                raise KeyboardInterrupt
            post_to_webhook(url, text)

        with monkeypatch.context() as patch:
            patch.setattr("pipelines.usecases.alerts.post_to_webhook", end_at_the_second)
            with pytest.raises(KeyboardInterrupt):
                send(context)
        assert send(context) == 3
        assert [post["text"] for post in receiver.posts] == [STALE, UNUSUAL, UNKNOWN, SET_ASIDE]


def test_before_the_first_build_everything_but_measures_is_told(home):
    home.warehouse.unlink()
    with slack() as receiver:
        assert send(context_of(home, alert_webhook=receiver.url)) == 3
        assert [post["text"] for post in receiver.posts] == [STALE, UNKNOWN, SET_ASIDE]


def test_before_the_first_sync_that_nothing_was_listed_is_told_once(tmp_path):
    with slack() as receiver:
        context = context_of(Home(tmp_path / "home"), alert_webhook=receiver.url)
        assert [send(context), send(context)] == [1, 0]
    assert [post["text"] for post in receiver.posts] == [STALE]


def test_in_a_folder_that_is_no_home_nothing_is_sent(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with slack() as receiver, pytest.raises(HomeError, match="is not a convohouse home"):
        send_new(
            context_of(Home(tmp_path), alert_webhook=receiver.url),
            [failed_run("r", "nightly", [], Settings(api_key=None))],
            AlertState(NOW),
        )
    assert receiver.posts == []


def test_no_log_line_has_the_address_of_the_webhook(home, caplog):
    caplog.set_level(logging.INFO)
    with slack() as receiver:
        assert send(context_of(home, alert_webhook=receiver.url)) == 4
    assert "hook-secret" in receiver.url
    assert "hook-secret" not in caplog.text


def test_no_message_and_no_error_shows_a_secret(home):
    add_to_quarantine(home, conv_2=f"The key {KEY} was refused, so was +49 151 23456789.")
    with slack() as receiver:
        context = context_of(home, alert_webhook=receiver.url)
        send(context, failed_run("run_1", "nightly", [f"{receiver.url} has the key {KEY}"], context.settings))
    text = "\n".join(post["text"] for post in receiver.posts)
    assert "the run nightly failed" in text
    assert f"{PAGE}/runs/run_1" in text
    assert [secret for secret in (KEY, "hook-secret", "23456789") if secret in text] == []
    server = f"smtp://robot:{PASSWORD}@127.0.0.1:1"
    unreachable = context_of(home, alert_webhook=receiver.url, alert_smtp=server, alert_mail_to=("a@example.com",))
    with pytest.raises(NotificationError) as caught:
        send(unreachable, failed_run("run_2", "nightly", ["Another reason."], unreachable.settings))
    assert str(caught.value) == (
        "The webhook for alerts cannot be reached (ConnectError). "
        "The mail server for alerts did not take it (ConnectionRefusedError)."
    )


def test_every_secret_of_the_settings_is_hidden(home):
    with slack() as receiver:
        context = context_of(
            home,
            alert_webhook=receiver.url,
            page_token="page-page-page-page",  # noqa: S106 - no secret of anybody
            mcp_token="mcp-mcp-mcp-mcp-mcp",  # noqa: S106 - as above
            webhook_secret="wsec_new_one,wsec_old_one",  # noqa: S106 - as above
            publish_credentials={"user": "robot", "password": "crate-of-apples", "token": "apples"},
            publish={"bi": {"target": "lake", "credentials": {"aws_secret_access_key": "pears-and-plums"}}},
        )
        secrets = "page-page-page-page mcp-mcp-mcp-mcp-mcp wsec_old_one crate-of-apples pears-and-plums"
        send(context, failed_run("run_1", "nightly", [f"robot said {secrets}."], context.settings))
    hidden = " ".join(["[hidden]"] * 5)
    assert f"- robot said {hidden}." in receiver.posts[0]["text"].splitlines()


@pytest.mark.parametrize(
    "variable", [{"HTTP_PROXY": "ftp://robot:hook-secret@proxy"}, {"SSL_CERT_FILE": "missing.pem"}]
)
def test_a_wrong_proxy_or_certificate_of_the_environment_is_a_failed_alert(variable, monkeypatch):
    for name, value in variable.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NotificationError, match="The webhook for alerts cannot be reached") as caught:
        post_to_webhook("http://hooks.example/hook", "text")
    assert "hook-secret" not in str(caught.value)
