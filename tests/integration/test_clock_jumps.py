"""A clock that jumps: what landed later counts, no call is missed, and times of the future are found and read again."""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.extract.fetch_plan import plan_fetches
from pipelines.extract.llm_price_queries import is_due
from pipelines.settings import Settings
from pipelines.transform.tools import refresh_tools
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers.landed_files import START, land_rows, land_snapshot
from tests.helpers.run_cli import run
from warehouse.models.data_quality import LANDED_IN_THE_PAST
from warehouse.schema.activity import FEEDBACK_SENT, WEBHOOK_EVENTS
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.landing import LANDED_DOCUMENTS
from warehouse.schema.operations import DELETIONS
from warehouse.schema.reference_data import LANDED_TOOLS, TOOL_VERSIONS
from warehouse.storage import activity_log, lake, landing, landing_merge, lock, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import item_listings, land_items, land_prices
from warehouse.storage.landing_sequence import next_number

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
DAY, YEAR = timedelta(days=1), timedelta(days=365)


class Nights:
    """A world with its server, and a home whose clock is ahead of theirs, or behind."""

    def __init__(self, folder, until=UNTIL, **settings):
        self.now, self.ahead = UNTIL, timedelta()
        self.world = World(seed=14, conversations=60, days=6, until=until)
        self.app = create_app(self.world, clock=lambda: self.now)
        self.folder, self.settings, self.n_runs = folder, settings, 0

    def context(self, url):
        settings = Settings(home=self.folder, base_url=url, api_key="demo", **self.settings)
        return Context(settings, clock=lambda: self.now + self.ahead)

    def sync(self, context, **window):
        self.n_runs += 1
        return sync.sync(context, run_id=str(self.n_runs), **window)

    def missing(self, context):
        """Conversations of the world that the lake does not have."""
        documents = {document["conversation_id"] for document in self.world.details(self.now)}
        return documents - set(lake.read(context.home, CONVERSATIONS)["conversation_id"])


def open_calls(context):
    return lake.read(context.home, CONVERSATIONS).filter(~pl.col("status").is_in(["done", "failed"])).height


def test_after_a_clock_that_was_ahead_calls_end_and_deletions_are_seen(tmp_path):
    nights = Nights(tmp_path / "home", until=UNTIL + DAY)
    with running(nights.app) as url:
        context = nights.context(url)
        nights.ahead = YEAR
        nights.sync(context)
        assert open_calls(context) > 0
        nights.ahead = timedelta()
        nights.now += 2 * DAY
        deleted_id = next(document["conversation_id"] for document in nights.world.details(UNTIL - DAY))
        nights.world.delete(deleted_id, nights.now)
        nights.sync(context)
        assert open_calls(context) == 0
        assert nights.missing(context) == set()
        assert lake.read(context.home, DELETIONS)["conversation_id"].to_list() == [deleted_id]


@pytest.mark.parametrize("is_ahead", [True, False])
def test_a_window_that_ends_in_the_future_and_a_pause_leave_no_gap(is_ahead, tmp_path):
    """The future of ``--until``, or of a clock that was ahead by less than the pause."""
    nights = Nights(tmp_path / "home", until=UNTIL + 20 * DAY)
    nights.world = World(seed=14, conversations=60, days=26, until=UNTIL + 20 * DAY)
    nights.app = create_app(nights.world, clock=lambda: nights.now)
    with running(nights.app) as url:
        context = nights.context(url)
        if is_ahead:
            nights.ahead = 10 * DAY
            nights.sync(context)
        else:
            nights.sync(context, until=UNTIL + 18 * DAY)
        nights.ahead = timedelta()
        nights.now = UNTIL + 20 * DAY
        assert len(nights.missing(context)) > 20
        nights.sync(context)
        assert nights.missing(context) == set()


@pytest.mark.parametrize("hours", [5, 30])
def test_with_a_clock_that_stays_behind_nothing_that_has_started_is_missing(hours, tmp_path):
    """Of what the API dates more than a day ahead, the row is quarantined and named; the conversation is copied."""
    nights = Nights(tmp_path / "home", until=UNTIL + 3 * DAY)
    nights.ahead = -timedelta(hours=hours)
    with running(nights.app) as url:
        context, problems = nights.context(url), []
        for _ in range(3):
            nights.now += DAY
            problems += nights.sync(context).problems
            assert nights.missing(context) == set()
        assert bool(problems) is (hours > 24)
        assert all("our clock behind" in problem for problem in problems)
        nights.ahead = timedelta()
        assert nights.sync(context).problems == ()
    assert nights.missing(context) == set()


def test_landed_times_of_the_future_fail_the_check_and_the_doctor_until_they_are_read_again(tmp_path):
    nights = Nights(tmp_path / "home")
    with running(nights.app) as url:
        context = nights.context(url)

        def failing():
            results = {result.check: result for result in sync.check(context)}
            names = [check.name for check, result in results.items() if not result.is_passed]
            return names, results[LANDED_IN_THE_PAST].n_failing

        def doctor():
            settings = {"CONVOHOUSE_NOW": nights.now.isoformat(), "ELEVENLABS_API_KEY": "demo"}
            ended = run(tmp_path, "doctor", "--offline", "--json", "--home", str(nights.folder), **settings)
            (finding,) = [finding for finding in ended.data["findings"] if finding["name"] == "clock"]
            return ended.code, finding["said"].partition("; ")[2]

        nights.sync(context)
        assert (failing(), doctor()) == (([], 0), (0, ""))
        nights.ahead, nights.now = YEAR, nights.now + DAY
        nights.sync(context)
        nights.ahead, nights.now = timedelta(), nights.now + 3 * DAY
        n_ahead = landing.latest_snapshots(context.home).filter(pl.col("fetched_at") > nights.now).height
        assert failing() == (["landed_in_the_past", "sync_is_fresh"], n_ahead + 1)
        assert doctor() == (1, f"{n_ahead + 1} landed times ahead of it")
        nights.sync(context)
        assert (failing(), doctor()) == (([], 0), (0, ""))


def test_a_late_webhook_does_not_replace_what_was_read_after_its_event(tmp_path):
    home = Home(tmp_path / "home").open()
    land_snapshot(home, "conv_1", 5)
    event = landing.snapshots(home).drop("workspace", "sequence").row(0, named=True)
    for minute, kind, expected in ((3, "document", 5), (6, "document", 6), (7, "unchanged", 7), (6.5, "document", 7)):
        row = {**event, "fetched_at": START + timedelta(minutes=minute), "kind": kind, "is_webhook": kind == "document"}
        landing.land_documents(home, [row | {"content_sha256": f"sha {minute}", "payload": f"{minute}".encode()}])
        assert landing.latest_snapshots(home)["fetched_at"].item() == START + timedelta(minutes=expected)
    latest = landing.latest_snapshots(home).row(0, named=True)
    (documents,) = landing.payloads(home, [START.date()], ["conv_1"])
    assert documents["payload"].to_list() == [b"6"]
    assert (latest["shown_sha256"], latest["content_at"]) == ("sha 6", START + timedelta(minutes=6))


def test_files_of_before_come_first_by_their_times_and_merged_ones_keep_their_numbers(tmp_path):
    home = Home(tmp_path / "home").open()
    for number in (2, 9, 4):
        land_snapshot(home, "conv_1", number)
    for name, file in zip("cba", home.files(home.landing, landing.DAY_FOLDERS), strict=True):
        rows = parquet.read_files(LANDED_DOCUMENTS, [file]).drop("sequence", "is_webhook")
        rows.write_parquet(home.file(file.parent, f"20261120T0000-{name}"))
        file.unlink()
    home.sequence.unlink()
    land_snapshot(home, "conv_1", 1)
    land_rows(home, START - YEAR, {"conv_1": "A"})
    for _ in range(2):
        assert landing.snapshots(home).select("n_texts", "sequence").rows() == [(2, None), (4, None), (9, None), (1, 1)]
        assert landing.latest_snapshots(home)["n_texts"].to_list() == [1]
        assert [listing.sequence for listing in landing.listings(home)] == [2]
        landing_merge.merge(home)
    assert len(home.files(home.landing, landing.DAY_FOLDERS)) == 1


def test_numbers_only_grow_for_all_writers_and_in_a_copy_without_the_counter(tmp_path):
    home = Home(tmp_path / "home").open()
    with ThreadPoolExecutor(8) as executor:
        numbers = list(executor.map(lambda _: next_number(home), range(64)))
    assert sorted(numbers) == list(range(1, 65))
    land_snapshot(home.for_workspace("other"), "conv_1", 1)
    copy = Home(shutil.copytree(home.root, tmp_path / "copy"))
    for content in (None, b"", b"?" * 20):
        copy.sequence.unlink(missing_ok=True)
        if content is not None:
            copy.sequence.write_bytes(content)
        assert next_number(copy) == 66


@pytest.mark.parametrize(
    ("counter", "merged_as"),
    [(None, "landed"), (b"%020d" % 1, "landed"), (None, "by an earlier version"), (b"%020d" % 1, "not")],
)
def test_after_a_restore_without_the_counter_or_with_an_earlier_one_what_lands_is_the_latest(
    counter, merged_as, tmp_path
):
    home = Home(tmp_path / "home").open()
    for number in range(4):
        land_snapshot(home, "conv_1", number)
        land_rows(home, START, {"conv_1": str(number)})
    if merged_as != "not":
        landing_merge.merge(home)
    for file in home.landing.rglob("*-merged.parquet") if merged_as == "by an earlier version" else ():
        file.rename(file.with_name(re.sub(r"\.n\d+", ".n000000000000001", file.name)))  # that of the first
    home.sequence.unlink()
    if counter is not None:
        home.sequence.write_bytes(counter)
    with lock.write_lock(home, what="test", now=START):
        land_rows(home, START, {"conv_1": "4"})
        land_snapshot(home, "conv_1", 4)
    assert landing.latest_list_rows(home, ("fingerprint",)).rows() == [("conv_1", "4")]
    assert landing.latest_snapshots(home)["n_texts"].to_list() == [4]


def test_reference_data_and_prices_follow_the_landing(tmp_path):
    """The last listing of the tools is the one that landed last, and prices of the future are due."""
    home = Home(tmp_path / "home").open()
    land_items(home, LANDED_TOOLS, START + YEAR, [])
    land_items(home, LANDED_TOOLS, START, [])
    land_prices(home, START + YEAR, [])
    assert item_listings(home, LANDED_TOOLS) == [START + YEAR, START]
    assert is_due(home, START, 30)
    assert not is_due(home, START + YEAR, 30)


def test_versions_of_a_tool_follow_each_other_though_the_clock_went_back(tmp_path):
    home = Home(tmp_path / "home").open()
    lake.ensure_schema_files(home)
    for number, at in enumerate((START, START - YEAR, START)):
        row = {"tool_id": "tool_1", "listed_at": at, "content_sha256": str(number), "usage_stats": b"{}"}
        land_items(home, LANDED_TOOLS, at, [row | {"payload": f'{{"tool_config": {{"name": "v{number}"}}}}'.encode()}])
    refresh_tools(home)
    versions = lake.read(home, TOOL_VERSIONS).sort("valid_from_at").select("valid_from_at", "content_sha256")
    begins = [START + timedelta(microseconds=number) for number in range(3)]
    assert versions.rows() == list(zip(begins, "012", strict=True))


def test_what_a_clock_that_was_behind_rated_or_announced_is_fetched_once(tmp_path):
    home = Home(tmp_path / "home").open()
    for number in (1, 2):
        land_snapshot(home, f"conv_{number}", number)
    rating = {"conversation_id": "conv_1", "sent_at": START - YEAR, "feedback": "like", "outcome": "sent"}
    event = {"conversation_id": "conv_2", "event_type": "post_call_transcription_otel", "event_at": START - YEAR}
    activity_log.append(home, FEEDBACK_SENT, [rating])
    activity_log.append(home, WEBHOOK_EVENTS, [event | {"received_at": START - YEAR}])
    for number in (1, 2):
        plan = plan_fetches(home, now=START + DAY, reread_days=(), confirm_after=DAY)
        assert dict(plan.select("conversation_id", "reason").rows())[f"conv_{number}"] == "asked"
        land_snapshot(home, f"conv_{number}", number)
    assert plan_fetches(home, now=START + DAY, reread_days=(), confirm_after=DAY).is_empty()
