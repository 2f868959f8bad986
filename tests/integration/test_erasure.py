"""Erased conversations leave every file and do not come back, and a receipt counts what was removed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import polars as pl
import pytest
from click.testing import CliRunner

from pipelines.cli.main import cli
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from pipelines.usecases.erasure import Receipt, erase
from tests.helpers.disk_contents import contents, words_in
from tests.helpers.editing_app import Answer, intercept
from tests.helpers.kept_home import KeptHome
from tests.helpers.recording_app import Tap, assert_equals
from tests.helpers.run_cli import run
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import DELETIONS
from warehouse.schema.transcript import TURNS
from warehouse.storage import lake, landing
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)


class Copy:
    """A world, its server and a copy of it."""

    def __init__(self, home):
        self.now = UNTIL
        self.world = World(seed=12, conversations=40, days=2, until=UNTIL)
        self.app = Tap(create_app(self.world, clock=lambda: self.now))
        self.home = home

    def context(self, base_url):
        return Context(Settings(home=self.home, base_url=base_url, api_key="demo"), clock=lambda: self.now)

    def documents(self):
        return list(self.world.details(self.now))

    def long_conversation(self):
        """The id of a long finished conversation, and its texts that no other has."""
        documents = self.documents()
        finished = (document for document in documents if document["status"] == "done" and document["user_id"])
        longest = max(finished, key=lambda document: len(document["transcript"]))
        conversation_id = longest["conversation_id"]
        others = json.dumps([document for document in documents if document is not longest], ensure_ascii=False)
        candidates = {text for text in texts(longest) if len(text) > 8 and text not in conversation_id}
        return conversation_id, {
            text for text in candidates if json.dumps(text, ensure_ascii=False)[1:-1] not in others
        }


def texts(value):
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(item)


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory):
    return KeptHome(tmp_path_factory.mktemp("erasure") / "home [1]")


@pytest.fixture
def copied(kept_home):
    """A copy that is synced once, and the context to work on it."""
    copy = Copy(kept_home.root)
    with running(copy.app) as url:
        context = copy.context(url)
        kept_home.put(lambda: sync.sync(context, run_id="1"))
        yield copy, context


def places(context, conversation_id):
    """Rows of the conversation by place."""
    frames = {
        "snapshots": landing.snapshots(context.home),
        "list_rows": landing.latest_list_rows(context.home),
        "lake": lake.read(context.home, CONVERSATIONS),
        "turns": lake.read(context.home, TURNS),
        "deletions": lake.read(context.home, DELETIONS),
    }
    return {name: frame.filter(conversation_id=conversation_id).height for name, frame in frames.items()}


@pytest.mark.usefixtures("every_model")
def test_what_is_erased_leaves_every_file_and_no_later_sync_brings_it_back(tmp_path):
    copy = Copy(tmp_path / "home [1]")
    conversation_id, words = copy.long_conversation()
    with running(copy.app) as url:
        context = copy.context(url)
        sync.sync(context, run_id="1")
        rejected = context.home.root / "warehouse.duckdb.rejected"
        rejected.write_bytes(context.home.warehouse.read_bytes())
        (context.home.temporary / "left.txt").write_bytes(b"".join(text.encode() for text in words))
        in_lake = {TURNS.name: lake.read(context.home, TURNS).filter(conversation_id=conversation_id).height}
        before = contents(context.home.root)
        assert len(words_in(before, words)) > 20

        result = erase(context, [conversation_id])
        after = contents(context.home.root)
        copy.app.requests.clear()
        copy.now += timedelta(seconds=1)
        again = sync.sync(context, run_id="2", since=UNTIL - timedelta(days=9))
        still = contents(context.home.root)
    (receipt,) = result.receipts
    assert (result.unknown, result.failed, result.problems) == ((), {}, ())
    assert (receipt.conversation_id, receipt.upstream) == (conversation_id, None)
    assert receipt.landing == {
        "n_readings": 1,
        "n_segments": 1,
        "n_list_rows": 1,
        "n_listings": 1,
        "n_quarantined": 0,
        "n_recordings": 0,
    }
    assert receipt.lake.items() >= ({"conversations": 1, "conversation_list": 1} | in_lake).items()
    assert words_in(after, words) == set()
    assert words_in(still, words) == set()
    assert (again.problems, copy.app.requests[f"/v1/convai/conversations/{conversation_id}"]) == ((), 0)
    assert places(context, conversation_id) == {"snapshots": 1, "list_rows": 0, "lake": 0, "turns": 0, "deletions": 1}
    assert lake.read(context.home, DELETIONS).select("conversation_id", "noticed_at", "evidence", "reason").rows() == [
        (conversation_id, UNTIL, "erased", "erased")
    ]
    assert_equals(
        context, [document for document in copy.documents() if document["conversation_id"] != conversation_id]
    )


@pytest.mark.parametrize(
    "point",
    [
        "warehouse.storage.erasure.purge",
        "warehouse.storage.lake.overwrite_partition",
        "pipelines.usecases.erasure.build_models",
    ],
)
def test_an_erasure_that_was_cut_short_is_finished_by_the_next_run_of_any_kind(copied, point):
    copy, context = copied
    conversation_id, words = copy.long_conversation()

    def killed(*_arguments, **_options):
        raise KeyboardInterrupt

    with patch(point, killed), pytest.raises(KeyboardInterrupt):
        erase(context, [conversation_id], is_upstream=True)
    sync.reprocess(context, run_id="2") if point.endswith("purge") else erase(
        context, [conversation_id], is_upstream=True
    )
    after = contents(context.home.root)
    assert words_in(after, words) == set()
    assert places(context, conversation_id) == {"snapshots": 1, "list_rows": 0, "lake": 0, "turns": 0, "deletions": 1}
    assert_equals(context, copy.documents())


@pytest.mark.parametrize("command", [("retain", "--older-than", "2020-01-01"), ("erase", "conv_mistyped")])
def test_another_erasure_finishes_the_one_that_was_cut_short_also_at_the_targets(copied, tmp_path, command):
    copy, context = copied
    conversation_id, words = copy.long_conversation()
    folder, settings = copy.home.parent, {"CONVOHOUSE_HOME": str(copy.home), "CONVOHOUSE_NOW": UNTIL.isoformat()}
    assert run(folder, "publish", str(tmp_path / "csv"), "--format", "csv", "--tables", "marts", **settings).code == 0
    assert_equals(context, copy.documents())
    assert words_in(contents(tmp_path), words)
    with (
        patch("pipelines.usecases.erasure.build_models", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        erase(context, [conversation_id])
    assert words_in(contents(copy.home), words)  # in the warehouse

    ended = run(folder, *command, "--yes", **settings)
    assert ended.code == (0 if command[0] == "retain" else 1)  # no conversation has that id
    assert words_in(contents(copy.home), words) == words_in(contents(tmp_path), words) == set()


def test_upstream_is_deleted_first_and_what_fails_there_is_not_erased_here(copied):
    copy, context = copied
    first, second, third, *_ = (
        document["conversation_id"] for document in copy.documents() if document["status"] == "done"
    )

    def refuse(scope):
        is_refused = scope["method"] == "DELETE" and scope["path"].endswith(second)
        return Answer(403, {"detail": "no access"}) if is_refused else None

    copy.app.app = intercept(copy.app.app, refuse)
    copy.world.delete(third, UNTIL)
    result = erase(context, [first, second, third, "conv_never_seen", "../../etc"], is_upstream=True)
    assert {receipt.conversation_id: receipt.upstream for receipt in result.receipts} == {
        first: "deleted",
        third: "not_found",
    }
    assert copy.world.detail(first, UNTIL) is None
    assert (list(result.failed), result.unknown) == ([second], ("conv_never_seen", "../../etc"))
    assert "403" in result.failed[second]
    assert places(context, second)["lake"] == 1
    assert_equals(context, [document for document in copy.documents() if document["conversation_id"] != third])


def test_a_repeated_erasure_finds_nothing_and_succeeds(copied):
    copy, context = copied
    conversation_id, _ = copy.long_conversation()
    erase(context, [conversation_id])
    files = {file: file.read_bytes() for file in context.home.landing.rglob("*.parquet")}
    copy.now += timedelta(hours=1)
    result = erase(context, [conversation_id, conversation_id])
    counts = ("n_readings", "n_segments", "n_list_rows", "n_listings", "n_quarantined", "n_recordings")
    nothing = dict.fromkeys(counts, 0)
    assert result.receipts == (Receipt(conversation_id, None, nothing, {"deletions": 1}),)
    assert {file: file.read_bytes() for file in context.home.landing.rglob("*.parquet")} == files


def test_feedback_on_another_conversation_still_arrives_after_an_erasure(copied):
    copy, context = copied
    conversation_id, _ = copy.long_conversation()
    other = next(
        document["conversation_id"]
        for document in copy.documents()
        if document["status"] == "done" and document["conversation_id"] != conversation_id
    )
    erase(context, [conversation_id])
    copy.world.feedback(other, "dislike", copy.now)
    copy.now += timedelta(days=2)
    assert sync.sync(context, run_id="2").problems == ()
    rows = lake.read(context.home, CONVERSATIONS).filter(pl.col("conversation_id").is_in([conversation_id, other]))
    assert rows.select("conversation_id", "feedback_dislikes").rows() == [(other, 1)]


def test_the_command_asks_first_and_prints_a_receipt(tmp_path):
    until = UNTIL
    world = World(seed=11, conversations=20, days=1, until=until)
    conversation_id = next(
        document["conversation_id"] for document in world.details(until) if document["status"] == "done"
    )
    with running(create_app(world, clock=lambda: until)) as url:
        settings = {"ELEVENLABS_API_KEY": "demo", "ELEVENLABS_BASE_URL": url}
        assert run(tmp_path, "sync", **settings).code == 0
        unconfirmed = run(tmp_path, "erase", conversation_id, **settings)
        erased = run(tmp_path, "erase", conversation_id, "conv_typo", "--upstream", "--yes", "--json", **settings)
        repeated = run(tmp_path, "erase", conversation_id, "--yes")
    assert (unconfirmed.code, "--yes" in unconfirmed.err) == (2, True)
    assert erased.code == 1
    (receipt,) = erased.data["receipts"]
    assert (receipt["conversation_id"], receipt["upstream"], receipt["lake"]["conversations"]) == (
        conversation_id,
        "deleted",
        1,
    )
    assert (erased.data["unknown"], erased.data["failed"], erased.data["problems"]) == (["conv_typo"], {}, [])
    assert world.detail(conversation_id, until) is None
    assert (repeated.code, f"{conversation_id}: erased" in repeated.err, "landing  nothing" in repeated.err) == (
        0,
        True,
        True,
    )


def test_receipts_have_the_order_of_the_request_and_many_take_no_longer(tmp_path):
    context = Context(Settings(home=tmp_path / "home", api_key="demo"), clock=lambda: UNTIL)
    home = context.home.open()
    ids = [f"conv_{number:05}" for number in range(2000)][::-1]
    start = {"start_date": UNTIL.date(), "start_time_at": UNTIL, "kind": "document", "fetched_at": UNTIL}
    landing.land_documents(home, [start | {"conversation_id": key} for key in ids])
    result = erase(context, Ids(ids))
    assert [receipt.conversation_id for receipt in result.receipts] == ids


class Ids(list):
    """Ids whose places are not searched one by one, which takes minutes for a hundred thousand."""

    def index(self, *_):
        raise AssertionError("searched")


def test_who_answers_no_erases_nothing_and_gets_the_exit_code_of_what_is_not_confirmed(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.cli.erase._is_confirmed", lambda ids, *, is_upstream: False)
    home = Home(tmp_path / "home").open()
    before = sorted(home.root.rglob("*"))
    ended = CliRunner().invoke(cli, ["--home", str(home.root), "erase", "conv_1"])
    assert (ended.exit_code, ended.stderr) == (2, "nothing was erased\n")
    assert sorted(home.root.rglob("*")) == before
