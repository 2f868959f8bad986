"""What a page says when there is nothing, when data is stale or incomplete, while a run writes, and of what is gone."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from datetime import date, timedelta
from html import unescape

import duckdb
import pytest
from starlette.testclient import TestClient

from pipelines.page.app import VIEWS, create_app
from pipelines.page.weekly import write_weekly_report
from pipelines.settings import Settings
from pipelines.usecases.context import Context
from pipelines.usecases.erasure import erase
from tests.helpers.page_home import UNTIL, site
from tests.helpers.run_cli import run
from warehouse.serve.query import query
from warehouse.storage import lock
from warehouse.storage.home import Home

pytestmark = pytest.mark.timeout(400)  # the first test of a worker syncs the home

BASE = "http://127.0.0.1"
PATHS = [view.path for view in VIEWS if "{" not in view.path]


def client(home, now=UNTIL):
    return TestClient(create_app(site(home, now)), base_url=BASE)


def words(response):
    return " ".join(response.text.split())


def words_of(file):
    return " ".join(file.read_text().split())


@pytest.fixture
def copy(page_home, tmp_path):
    shutil.copytree(page_home.root, tmp_path / "home")
    return Home(tmp_path / "home")


def an_id(home):
    return query(home, "select min(conversation_id) as id from marts.fct_conversations where n_turns > 4").item()


@pytest.mark.parametrize(("last", "is_over"), [("2026-11-25", True), ("2026-11-26", False), ("2026-12-24", False)])
def test_a_period_with_a_day_that_is_not_over_says_so(page_home, *, last, is_over):
    page = words(client(page_home).get(f"/?from=2026-11-20&to={last}"))
    assert ("Thu 26 Nov 2026 is not over: its numbers are not those of a whole day." in page) == (not is_over)


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_there_with_its_own_title_and_the_state_of_the_data(path, page_home):
    response = client(page_home).get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<title>{next(view.name for view in VIEWS if view.path == path)} · convohouse</title>" in response.text
    assert "Data as of <strong>2026-11-26 00:00 UTC</strong>, fresh. Complete" in words(response)


@pytest.mark.parametrize("path", [*PATHS, "/conversations/x", "/catalogue/metrics.agent_daily.success_rate"])
def test_without_a_warehouse_every_page_says_what_to_do(path, tmp_path):
    response = client(Home(tmp_path / "home").open()).get(path)
    assert response.status_code == 503
    assert "There is no warehouse yet" in response.text
    assert "convohouse sync" in response.text


def test_without_a_conversation_pages_and_report_say_what_to_do_and_name_no_day(copy, tmp_path):
    with duckdb.connect(str(copy.warehouse)) as connection:
        connection.execute("delete from marts.fct_conversations")
    statuses = {}
    for path in PATHS:
        response = client(copy).get(path)
        statuses[path] = response.status_code
        assert "1970" not in response.text
        assert "There are no conversations yet" in response.text or statuses[path] == 200
    assert statuses == dict.fromkeys(PATHS, 503) | {"/data": 200, "/catalogue": 200}
    file = tmp_path / "report.html"
    ended = run(tmp_path, "report", "--home", str(copy.root), "--out", str(file), "--since", "2026-11-01")
    assert (ended.code, file.exists()) == (2, False)
    assert "There are no conversations yet" in ended.err
    assert "convohouse sync" in ended.err


@pytest.mark.parametrize("path", [path for path in PATHS if path not in ("/data", "/catalogue")])
def test_a_filter_without_conversations_is_a_state_and_no_error(path, page_home):
    response = client(page_home).get(f"{path}?from=2001-01-01&to=2001-01-02")
    assert response.status_code == 200
    assert "no finished conversation" in response.text or "No conversation matches" in response.text


def test_listed_weeks_without_a_conversation_are_shown_as_such_on_the_page_and_in_the_report(copy, monkeypatch):
    """A line that is dead: the numbers of the weeks before would look as if nothing had happened."""
    later = UNTIL + timedelta(days=20)
    monkeypatch.setattr("warehouse.serve.pages.status.last_full_listing_at", lambda _home, *, now: now)
    sentence = "No conversation started in these days; the newest one is of Wed 25 Nov 2026."
    page = words(client(copy, later).get("/"))
    assert "<h1>2 to 15 Dec 2026</h1>" in page
    assert sentence in page
    context = Context(Settings(home=copy.root, api_key=None), clock=lambda: later)
    file, period = write_weekly_report(context)
    assert (period.first, period.last) == (date(2026, 12, 9), date(2026, 12, 15))
    assert sentence in words_of(file)
    assert all(client(copy, later).get(path).status_code == 200 for path in PATHS)


def test_a_cost_in_credits_alone_is_no_cost_of_nothing(copy):
    (n_credits,) = query(copy, "select sum(cost_credits) from marts.fct_conversations where is_counted").row(0)
    with duckdb.connect(str(copy.warehouse)) as connection:
        connection.execute("update marts.fct_conversations set cost_usd = null, cost_basis = 'unknown'")
        connection.execute("update intermediate.int_cost_components set cost_usd = null")
        connection.execute("update metrics.spend_forecast set cost_usd = null, expected_usd = null")
    page = words(client(copy).get("/money?days=all"))
    assert f"{n_credits:,} credits for" in page
    assert "the seed credits_per_usd has no rate for it" in page
    assert 'id="chart-components"' not in page  # a chart of zeros would say that it was free
    assert "What the month will cost" not in page


def test_what_has_no_agent_model_or_tool_leads_to_its_conversations_and_not_to_all(copy):
    days = "start_date between '2026-11-12' and '2026-11-25' and is_counted"
    ids = {
        name: query(copy, f"select min(conversation_id) from marts.{table} where {condition} and {days}").item()  # noqa: S608 -- ours
        for name, table, condition in (
            ("agent", "fct_conversations", "channel = 'chat'"),
            ("model", "fct_llm_usage", "is_total"),
            ("tool_error", "fct_tool_calls", "is_error"),
        )
    }
    with duckdb.connect(str(copy.warehouse)) as connection:
        for table, column, name in (
            ("fct_conversations", "agent_id", "agent"),
            ("fct_turns", "agent_id", "agent"),
            ("fct_llm_usage", "model", "model"),
            ("fct_tool_calls", "tool_name", "tool_error"),
        ):
            connection.execute(f"update marts.{table} set {column} = null where conversation_id = '{ids[name]}'")  # noqa: S608 -- ours
    pages = client(copy)
    for path, name in (("/money", "agent"), ("/agents", "agent"), ("/money", "model"), ("/tools", "tool_error")):
        (link, *_) = re.findall(rf'href="(/conversations\?[^"]*\b{name}=none[^"]*)"', pages.get(path).text)
        page = pages.get(unescape(link)).text
        assert re.findall(r'href="/conversations/(conv_\w+)[?"]', page) == [ids[name]], path
        assert "agent not given" in page
    for path in PATHS:
        assert pages.get(f"{path}?agent=none").status_code == 200


def test_stale_data_is_called_stale(page_home):
    page = words(client(page_home, UNTIL + timedelta(hours=37)).get("/"))
    assert '<strong class="bad">stale</strong>' in page
    assert '<strong class="bad">stale</strong>' not in words(client(page_home, UNTIL + timedelta(hours=35)).get("/"))


def test_a_run_that_is_writing_is_announced_until_it_ends(copy):
    with lock.write_lock(copy, what="sync", now=UNTIL):
        page = words(client(copy).get("/"))
        assert "<strong>A run is writing</strong> (sync, since 2026-11-26T00:00:00+00:00)" in page
    assert "A run is writing" not in words(client(copy).get("/"))


def test_the_file_of_a_killed_run_is_no_run(copy):
    owner = {"pid": 2**22 + 1, "what": "sync", "since": "2026-11-26T00:00:00+00:00"}
    copy.lock.with_suffix(".owner").write_text(json.dumps(owner))
    assert not os.path.exists(f"/proc/{owner['pid']}")  # noqa: PTH110 - no file of ours
    assert "A run is writing" not in words(client(copy).get("/"))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/?from=yesterday", "&#39;yesterday&#39; is not a date."),
        ("/?from=2026-11-09&to=2026-11-02", "The first day is after the last."),
        ("/?from=9999-12-31", "is out of range"),
        ("/?days=0", "is not a number of days"),
        ("/?days=99999999999", "is not a number of days"),
        ("/?days=00000199999999999", "is not a number of days"),
        ("/?days=10001", "is not a number of days"),
        ("/money?agent=nobody", "There is no such agent."),
        ("/conversations?outcome=good", "outcome cannot be &#39;good&#39;"),
        ("/conversations?min_wait=nan", "min_wait cannot be"),
        ("/conversations?page=-1", "page cannot be"),
        ("/conversations?weekday=8", "weekday cannot be"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused_in_words(path, message, page_home):
    response = client(page_home).get(path)
    assert response.status_code == 400
    assert message in response.text


def test_an_unknown_conversation_is_404_with_similar_ids(page_home):
    conversation_id = an_id(page_home)
    response = client(page_home).get(f"/conversations/{conversation_id[:-1]}x")
    assert response.status_code == 404
    assert f'href="/conversations/{conversation_id}"' in response.text


def test_an_erased_conversation_is_gone_from_the_next_request_on(copy):
    conversation_id = an_id(copy)
    context = Context(Settings(home=copy.root, api_key="demo"), clock=lambda: UNTIL)
    pages = client(copy)
    before = pages.get(f"/conversations/{conversation_id}")
    assert before.status_code == 200
    erase(context, [conversation_id])
    after = pages.get(f"/conversations/{conversation_id}")
    assert after.status_code == 410
    assert "This conversation was erased" in after.text
    ids = query(copy, "select distinct conversation_id from marts.fct_turns")["conversation_id"].to_list()
    assert conversation_id not in ids
    assert conversation_id not in pages.get("/conversations?days=all&sort=newest").text


def test_the_command_serves_the_page_says_where_and_ends_with_zero_when_it_is_stopped(page_home):
    code = "from pipelines.cli.main import main; main()"
    command = [sys.executable, "-c", code, "--home", str(page_home.root), "--json", "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 - ours
    url = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")["url"]
    with urllib.request.urlopen(f"{url}/?days=7", timeout=60) as response:  # noqa: S310 - ours
        assert b"Success rate" in response.read()
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0


def test_an_entry_of_the_catalogue_has_formula_and_lineage(page_home):
    page = client(page_home).get("/catalogue/metrics.agent_daily.success_rate").text
    assert "n_success ÷ (n_success + n_failure)" in page
    assert "analysis.call_successful" in page
    missing = client(page_home).get("/catalogue/metrics.agent_daily.sucess_rate")
    assert missing.status_code == 404
    assert 'href="/catalogue/' in missing.text


def test_the_navigation_says_where_one_is_also_on_the_page_of_a_conversation(page_home):
    places = {f"/conversations/{an_id(page_home)}": "/conversations", "/": "/", "/money": "/money"}
    for path, current in places.items():
        page = client(page_home).get(path).text
        (link,) = re.findall(r'<a href="([^"?]*)[^"]*" aria-current="page">', page)
        assert link == current
