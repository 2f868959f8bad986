"""Erased conversations leave every file, stay away, and a receipt says what went where."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.transform.refresh_lake import refresh_lake
from pipelines.usecases import sync
from pipelines.usecases.context import Site
from pipelines.usecases.erasure import Receipt, erase
from tests.helpers.disk_contents import contents
from tests.helpers.recording_app import Tap, assert_equals
from tests.helpers.run_cli import run
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import DELETIONS
from warehouse.schema.transcript import TURNS
from warehouse.storage import lake, landing

pytestmark = pytest.mark.usefixtures("few_models")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)


class Copy:
    """A world, its server and a copy of it."""

    def __init__(self, home):
        self.now = UNTIL
        self.world = World(seed=12, conversations=40, days=2, until=UNTIL)
        self.app = Tap(create_app(self.world, clock=lambda: self.now))
        self.home = home

    def site(self, base_url):
        return Site(Settings(home=self.home, base_url=base_url, api_key="demo"), clock=lambda: self.now)

    def documents(self):
        return list(self.world.details(self.now))

    def chosen(self):
        """The id of a long call that is done, and its texts that stand in no other."""
        documents = self.documents()
        done = (each for each in documents if each["status"] == "done" and each["user_id"])
        longest = max(done, key=lambda each: len(each["transcript"]))
        own = longest["conversation_id"]
        others = json.dumps([each for each in documents if each is not longest], ensure_ascii=False)
        found = {text for text in texts(longest) if len(text) > 8 and text not in own}
        return own, {text for text in found if json.dumps(text, ensure_ascii=False)[1:-1] not in others}


def texts(value):
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(item)


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path / "home [1]")


def places(site, conversation_id):
    """Where the id still stands."""
    rows = {
        "readings": landing.readings(site.home),
        "list_rows": landing.list_rows(site.home),
        "lake": lake.read(site.home, CONVERSATIONS),
        "turns": lake.read(site.home, TURNS),
        "deletions": lake.read(site.home, DELETIONS),
    }
    return {name: found.filter(conversation_id=conversation_id).height for name, found in rows.items()}


@pytest.mark.usefixtures("every_model")
def test_what_is_erased_leaves_every_file_and_no_later_sync_brings_it_back(copy):
    own, words = copy.chosen()
    with running(copy.app) as url:
        site = copy.site(url)
        sync.sync(site, run_id="1")
        rejected = site.home.root / "warehouse.duckdb.rejected"
        rejected.write_bytes(site.home.warehouse.read_bytes())
        (site.home.temporary / "left.txt").write_bytes(b"".join(text.encode() for text in words))
        in_lake = {TURNS.name: lake.read(site.home, TURNS).filter(conversation_id=own).height}
        before = contents(site.home.root)
        assert len({text for text in words if text.encode() in before}) > 20

        done = erase(site, [own])
        after = contents(site.home.root)
        copy.app.asked.clear()
        copy.now += timedelta(seconds=1)
        again = sync.sync(site, run_id="2", since=UNTIL - timedelta(days=9))
        still = contents(site.home.root)
    (receipt,) = done.receipts
    assert (done.unknown, done.failed, done.problems) == ((), {}, ())
    assert (receipt.conversation_id, receipt.upstream) == (own, None)
    assert receipt.landing == {
        "n_readings": 1,
        "n_segments": 1,
        "n_list_rows": 1,
        "n_listings": 1,
        "n_quarantined": 0,
        "n_recordings": 0,
    }
    assert receipt.lake.items() >= ({"conversations": 1, "conversation_list": 1} | in_lake).items()
    assert {text for text in words if text.encode() in after} == set()
    assert {text for text in words if text.encode() in still} == set()
    assert (again.problems, copy.app.asked[f"/v1/convai/conversations/{own}"]) == ((), 0)
    assert places(site, own) == {"readings": 1, "list_rows": 0, "lake": 0, "turns": 0, "deletions": 1}
    assert lake.read(site.home, DELETIONS).select("conversation_id", "noticed_at", "evidence", "reason").rows() == [
        (own, UNTIL, "erased", "erased")
    ]
    assert_equals(site, [each for each in copy.documents() if each["conversation_id"] != own])


@pytest.mark.parametrize(
    "point",
    ["warehouse.storage.erasure.purge", "warehouse.storage.lake.write_day", "pipelines.usecases.erasure.build_models"],
)
def test_an_erasure_that_was_cut_short_is_finished_by_the_next_run_of_any_kind(copy, point, monkeypatch):
    own, words = copy.chosen()
    with running(copy.app) as url:
        site = copy.site(url)
        sync.sync(site, run_id="1")

        def killed(*_arguments, **_options):
            raise KeyboardInterrupt

        monkeypatch.setattr(point, killed)
        with pytest.raises(KeyboardInterrupt):
            erase(site, [own], is_upstream=True)
        monkeypatch.undo()
        sync.reprocess(site, run_id="2") if point.endswith("purge") else erase(site, [own], is_upstream=True)
    after = contents(site.home.root)
    assert {text for text in words if text.encode() in after} == set()
    assert places(site, own) == {"readings": 1, "list_rows": 0, "lake": 0, "turns": 0, "deletions": 1}
    assert_equals(site, copy.documents())


def test_upstream_is_first_and_what_fails_there_is_not_erased_here(copy):
    first, second, third, *_ = (each["conversation_id"] for each in copy.documents() if each["status"] == "done")
    api = copy.app.app

    async def refuses(scope, receive, send):
        if scope["type"] == "http" and scope["method"] == "DELETE" and scope["path"].endswith(second):
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b'{"detail": "no access"}'})
            return
        await api(scope, receive, send)

    copy.app.app = refuses
    with running(copy.app) as url:
        site = copy.site(url)
        sync.sync(site, run_id="1")
        copy.world.delete(third, UNTIL)
        done = erase(site, [first, second, third, "conv_never_seen", "../../etc"], is_upstream=True)
    assert {receipt.conversation_id: receipt.upstream for receipt in done.receipts} == {
        first: "deleted",
        third: "not_found",
    }
    assert copy.world.detail(first, UNTIL) is None
    assert (list(done.failed), done.unknown) == ([second], ("conv_never_seen", "../../etc"))
    assert "403" in done.failed[second]
    assert places(site, second)["lake"] == 1
    assert_equals(site, [each for each in copy.documents() if each["conversation_id"] != third])


def test_a_repeat_finds_nothing_more_and_is_fine(copy):
    own, _ = copy.chosen()
    with running(copy.app) as url:
        site = copy.site(url)
        sync.sync(site, run_id="1")
        erase(site, [own])
        files = {file: file.read_bytes() for file in site.home.documents.rglob("*.parquet")}
        copy.now += timedelta(hours=1)
        done = erase(site, [own, own])
    counts = ("n_readings", "n_segments", "n_list_rows", "n_listings", "n_quarantined", "n_recordings")
    nothing = dict.fromkeys(counts, 0)
    assert done.receipts == (Receipt(own, None, nothing, {"deletions": 1}),)
    assert {file: file.read_bytes() for file in site.home.documents.rglob("*.parquet")} == files


def test_feedback_on_another_call_still_arrives_after_an_erasure(copy):
    own, _ = copy.chosen()
    other = next(
        each["conversation_id"]
        for each in copy.documents()
        if each["status"] == "done" and each["conversation_id"] != own
    )
    with running(copy.app) as url:
        site = copy.site(url)
        sync.sync(site, run_id="1")
        erase(site, [own])
        copy.world.feedback(other, "dislike", copy.now)
        copy.now += timedelta(days=2)
        assert sync.sync(site, run_id="2").problems == ()
    rows = lake.read(site.home, CONVERSATIONS).filter(pl.col("conversation_id").is_in([own, other]))
    assert rows.select("conversation_id", "feedback_dislikes").rows() == [(other, 1)]


def test_the_command_asks_first_and_prints_a_receipt(tmp_path):
    until = UNTIL
    world = World(seed=11, conversations=20, days=1, until=until)
    own = next(each["conversation_id"] for each in world.details(until) if each["status"] == "done")
    with running(create_app(world, clock=lambda: until)) as url:
        settings = {"ELEVENLABS_API_KEY": "demo", "ELEVENLABS_BASE_URL": url}
        assert run(tmp_path, "sync", **settings).code == 0
        unasked = run(tmp_path, "erase", own, **settings)
        told = run(tmp_path, "erase", own, "conv_typo", "--upstream", "--yes", "--json", **settings)
        spoken = run(tmp_path, "erase", own, "--yes")
    assert (unasked.code, "--yes" in unasked.err) == (2, True)
    assert told.code == 1
    (receipt,) = told.data["receipts"]
    assert (receipt["conversation_id"], receipt["upstream"], receipt["lake"]["conversations"]) == (own, "deleted", 1)
    assert (told.data["unknown"], told.data["failed"], told.data["problems"]) == (["conv_typo"], {}, [])
    assert world.detail(own, until) is None
    assert (spoken.code, f"{own}: erased" in spoken.err, "landing  nothing" in spoken.err) == (0, True, True)


def test_what_was_set_aside_is_erased_as_well(tmp_path):
    site = Site(Settings(home=tmp_path / "home [1]", api_key="demo"), clock=lambda: UNTIL)
    home = site.home.open()
    landing.land_quarantine(
        home, {"conversation_id": "conv_cut", "fetched_at": UNTIL, "reason": "unreadable", "error": "said by Ada"}
    )
    refresh_lake(home, reread_days=())
    assert b"said by Ada" in contents(home.root)
    (receipt,) = erase(site, ["conv_cut"]).receipts
    assert (receipt.landing["n_quarantined"], receipt.lake) == (1, {"quarantine": 1})
    assert b"said by Ada" not in contents(home.root)
    assert lake.read(home, DELETIONS)["conversation_id"].to_list() == ["conv_cut"]
