"""Feedback is sent once each, logged with the outcome, and comes back with the next sync."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
import polars as pl
import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from pipelines.usecases.feedback import submit_feedback
from tests.helpers import kill_at
from tests.helpers.editing_app import intercept, vendor
from tests.helpers.lazy_import import lazy_import
from tests.helpers.run_cli import run
from warehouse.schema.activity import FEEDBACK_SENT
from warehouse.serve.query import query
from warehouse.storage import lake
from warehouse.storage.home import Home

client_module = lazy_import("elevenlabs.client")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)


class FeedbackApi:
    """The API, the number of posts by conversation, and the statuses that some posts are answered with."""

    def __init__(self):
        self.world = World(seed=3, conversations=40, days=2, until=UNTIL)
        self.now = UNTIL
        self.app = intercept(create_app(self.world, clock=lambda: self.now), self._answer)
        self.posted, self.refused = Counter(), {}

    def _answer(self, scope):
        if scope["method"] != "POST":
            return None
        conversation_id = scope["path"].split("/")[-2]
        self.posted[conversation_id] += 1
        status = self.refused.get(conversation_id)
        return vendor(status, "missing_permissions") if status else None

    def ids(self):
        return [
            document["conversation_id"] for document in self.world.details(self.now) if document["status"] == "done"
        ]


@pytest.fixture
def api():
    posts = FeedbackApi()
    with running(posts.app) as url:
        yield posts, {"ELEVENLABS_API_KEY": "demo", "ELEVENLABS_BASE_URL": url, "CONVOHOUSE_FEEDBACK_PER_SEC": "1000"}


@pytest.fixture
def few_keys():
    return ("marts.fct_conversations", "marts.dim_agents")


def logged(folder):
    rows = lake.read(Home(folder / "data"), FEEDBACK_SENT).sort("conversation_id", "sent_at")
    return rows.select("conversation_id", "feedback", "outcome", "status").rows()


def test_without_yes_and_without_a_terminal_nothing_is_sent(api, tmp_path):
    posts, settings = api
    conversation_id = posts.ids()[0]
    ended = run(tmp_path, "feedback", conversation_id, "like", **settings)
    assert (ended.code, posts.posted.total()) == (0, 0)
    assert ended.err.splitlines() == [f"{conversation_id}: like", "a dry run: nothing was sent; --yes sends"]
    assert run(tmp_path, "feedback", conversation_id, "like", "--json", **settings).data == {
        "is_dry_run": True,
        "to_send": {conversation_id: "like"},
        "before": [],
    }


@pytest.mark.usefixtures("few_models", "conversations_alone")
def test_feedback_is_seen_by_the_vendors_sdk_sent_once_and_fetched_by_the_next_sync(api, tmp_path):
    posts, settings = api
    conversation_id, url = posts.ids()[0], settings["ELEVENLABS_BASE_URL"]
    context = Context(
        Settings(home=tmp_path / "data", base_url=url, api_key="demo", reread_days=()), clock=lambda: posts.now
    )
    sync.sync(context, run_id="1")
    posts.now += timedelta(minutes=1)
    done = submit_feedback(context, {conversation_id: "dislike"})
    again = submit_feedback(context, {conversation_id: "dislike"})
    with httpx.Client() as line:
        vendors = client_module().ElevenLabs(api_key="demo", base_url=url, httpx_client=line)
        seen = vendors.conversational_ai.conversations.get(conversation_id)
    posts.now += timedelta(minutes=1)
    sync.sync(context, run_id="2")

    assert (done.sent, done.sent_before, done.failed) == ((conversation_id,), (), {})
    assert (again.sent, again.sent_before, posts.posted[conversation_id]) == ((), (conversation_id,), 1)
    assert (seen.metadata.feedback.likes, seen.metadata.feedback.dislikes) == (0, 1)
    thumbs = query(context.home, "select conversation_id, likes, dislikes from marts.fct_conversations")
    assert thumbs.filter(conversation_id=conversation_id).rows() == [(conversation_id, 0, 1)]
    assert query(context.home, "select conversation_id, feedback, outcome from lake.feedback_sent").rows() == [
        (conversation_id, "dislike", "sent")
    ]
    posts.now += timedelta(minutes=1)
    assert sync.plan(context)["main"].to_fetch.filter(pl.col("conversation_id") == conversation_id).is_empty()


def test_other_feedback_is_sent_and_clear_removes_it(api, tmp_path):
    posts, settings = api
    conversation_id = posts.ids()[0]
    for verdict in ("like", "clear"):
        assert run(tmp_path, "feedback", conversation_id, verdict, "--yes", **settings).code == 0
    assert [(feedback, outcome) for _, feedback, outcome, _ in logged(tmp_path)] == [
        ("like", "sent"),
        ("clear", "sent"),
    ]
    assert posts.world.detail(conversation_id, posts.now)["metadata"]["feedback"]["likes"] == 0


def test_unknown_ids_and_a_missing_scope_are_named_and_the_others_are_sent(api, tmp_path):
    posts, settings = api
    first, second, third = posts.ids()[:3]
    posts.refused[second] = 403
    file = tmp_path / "reviewed.csv"
    odd = "conv ö?x=1"
    rows = [f"{key},like,me" for key in (first, second, odd, third)]
    file.write_text("\n".join(["conversation_id,feedback,reviewer", *rows]))
    ended = run(tmp_path, "feedback", "--from", str(file), "--yes", "--json", **settings)
    assert (ended.code, sorted(ended.data["sent"]), sorted(ended.data["failed"])) == (
        3,
        sorted([first, third]),
        sorted([second, odd]),
    )
    why = ended.data["failed"][second]
    assert f"POST /v1/convai/conversations/{second}/feedback answered 403" in why
    assert "Give the key the scope convai_write" in why
    assert logged(tmp_path) == sorted(
        [
            (first, "like", "sent", None),
            (second, "like", "refused", 403),
            (odd, "like", "not_found", 404),
            (third, "like", "sent", None),
        ]
    )
    posts.refused.clear()
    posts.posted.clear()
    ended = run(tmp_path, "feedback", "--from", str(file), "--yes", "--json", **settings)
    assert (ended.code, ended.data["sent"], ended.data["before"]) == (1, [second], [first, third])
    assert posts.posted == {second: 1, odd: 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("conversation,feedback\nconv_1,like\n", "line 1: there is no column conversation_id; there are"),
        ("conversation_id,feedback\nconv_1,like\nconv_2,LIKED\n", "line 3: feedback is 'LIKED'"),
        ("conversation_id,feedback\nconv_1,like\n,like\n", "line 3: conversation_id is '', which is not an id"),
        ("conversation_id,feedback\n..,like\n", "line 2: conversation_id is '..', which is not an id"),
        (
            "conversation_id,feedback\na,like\nb,like\na,clear\n",
            "line 4: feedback on a is clear, but like before",
        ),
        ("conversation_id,feedback\na\n", "line 2: feedback is ''"),
        ("", "line 1: there is no column conversation_id; there are none"),
    ],
)
def test_a_wrong_file_names_file_line_and_column_and_nothing_is_sent(text, said, api, tmp_path):
    posts, settings = api
    file = tmp_path / "reviewed.csv"
    file.write_text(text)
    ended = run(tmp_path, "feedback", "--from", str(file), "--yes", **settings)
    assert (ended.code, posts.posted.total()) == (2, 0)
    assert f"error: {file}, {said}" in ended.err
    assert "Nothing was sent" in ended.err


def test_parquet_is_read_and_its_rows_are_named(api, tmp_path):
    posts, settings = api
    conversation_id, file = posts.ids()[0], tmp_path / "reviewed.parquet"
    pl.DataFrame({"conversation_id": [conversation_id], "feedback": ["like"]}).write_parquet(file)
    assert run(tmp_path, "feedback", "--from", str(file), "--yes", **settings).code == 0
    assert posts.posted == {conversation_id: 1}
    pl.DataFrame({"conversation_id": [conversation_id], "feedback": [3]}).write_parquet(file)
    assert f"{file}, row 1: feedback is '3'" in run(tmp_path, "feedback", "--from", str(file), **settings).err


def test_a_wrong_key_ends_the_batch(api, tmp_path):
    posts, settings = api
    file = tmp_path / "reviewed.csv"
    file.write_text("\n".join(["conversation_id,feedback", *(f"{key},like" for key in posts.ids())]))
    ended = run(tmp_path, "feedback", "--from", str(file), "--yes", **settings | {"ELEVENLABS_API_KEY": "other"})
    assert ended.code == 3
    assert posts.posted.total() <= 8
    assert "the key is wrong" in ended.err


def test_after_a_kill_only_what_is_not_logged_is_sent(api, tmp_path):
    posts, settings = api
    ids, file = posts.ids()[:30], tmp_path / "reviewed.csv"
    file.write_text("\n".join(["conversation_id,feedback", *(f"{key},like" for key in ids)]))
    point = ("warehouse.storage.activity_log:append", 2, "feedback_sent")
    kill_at.die(point, "feedback", "--from", str(file), "--yes", folder=tmp_path, **settings)
    assert posts.posted.total() == 30
    posts.posted.clear()
    ended = run(tmp_path, "feedback", "--from", str(file), "--yes", "--json", **settings)
    assert (ended.code, len(ended.data["before"]), posts.posted.total()) == (0, 25, 5)
    assert len(logged(tmp_path)) == 30
    again = run(tmp_path, "feedback", "--from", str(file), "--yes", "--json", **settings)
    assert again.data == {"is_dry_run": False, "sent": [], "before": ids, "failed": {}}


def test_no_more_requests_are_sent_per_second_than_the_setting_allows(api, tmp_path):
    posts, settings = api
    slept = []

    async def sleep(secs):
        slept.append(round(secs, 6))

    url = settings["ELEVENLABS_BASE_URL"]
    context = Context(
        Settings(home=tmp_path / "data", base_url=url, api_key="demo", feedback_per_sec=4), monotonic=lambda: 100.0
    )
    submit_feedback(context, dict.fromkeys(posts.ids()[:5], "like"), sleep=sleep)
    assert slept == [0.25, 0.5, 0.75, 1.0]
