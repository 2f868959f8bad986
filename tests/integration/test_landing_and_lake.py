"""The lake follows from the landing: exact under repeats, interruptions and any order of arrival."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from pipelines.extract import run_log
from pipelines.transform import flatten
from pipelines.transform.refresh_lake import refresh_lake, stale_snapshots
from tests.helpers.landed_files import snapshot_of
from tests.helpers.sample_documents import detail
from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS, TAGS
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.schema.operations import CONVERSATION_LIST, DELETIONS, QUARANTINE, SYNC_RUNS
from warehouse.schema.registry import BY_NAME, DOCUMENT_TABLES, TABLES
from warehouse.schema.transcript import TURNS
from warehouse.storage import damage, lake, landing, parquet, quarantine
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models")

AT = datetime(2026, 11, 2, 3, tzinfo=UTC)
DAY = date(2026, 11, 1)
STARTED = datetime(2026, 11, 1, 12, tzinfo=UTC)
REREAD = (1, 7, 30)


@pytest.fixture
def home(tmp_path):
    """A home whose path, read as a glob pattern, would match other files."""
    return Home(tmp_path / "home [1]").open()


def snapshot(conversation_id="conv_a", *, messages=(), at=AT, start=STARTED, **changes):
    transcript = [{"role": "user", "message": message} for message in messages]
    metadata = {"start_time_unix_secs": int(start.timestamp())}
    document = detail(conversation_id=conversation_id, transcript=transcript, metadata=metadata)
    return snapshot_of(document, at, **changes)


def messages_in_lake(home):
    rows = lake.read(home, TURNS).sort("conversation_id", "turn_index")
    return rows.select("conversation_id", "message").rows()


def test_the_lake_shows_the_latest_snapshot_of_each_conversation(home):
    landing.land_documents(home, [snapshot(messages=["one"]), snapshot("conv_b", messages=["two"])])
    refresh_lake(home, reread_days=REREAD)
    landing.land_documents(home, [snapshot(messages=["one", "more"], at=AT + timedelta(days=1))])
    done = refresh_lake(home, reread_days=REREAD)
    assert (done.n_flattened, done.days) == (1, [DAY])
    assert messages_in_lake(home) == [("conv_a", "one"), ("conv_a", "more"), ("conv_b", "two")]
    assert stale_snapshots(home).is_empty()


def test_a_refresh_reports_each_day_with_what_is_done_and_what_there_is(home):
    starts = {"conv_a": STARTED, "conv_b": STARTED, "conv_c": STARTED + timedelta(days=1)}
    landing.land_documents(home, [snapshot(name, start=start) for name, start in starts.items()])
    reports = []
    refresh_lake(home, reread_days=REREAD, on_day=lambda *counts: reports.append(counts))
    assert reports == [(2, 3), (3, 3)]


@pytest.mark.parametrize("batch_size", [1, 500])
def test_the_latest_documents_are_read_at_once_or_in_batches(home, monkeypatch, batch_size):
    monkeypatch.setattr(landing, "PAYLOAD_BATCH_SIZE", batch_size)
    later = AT + timedelta(hours=1)
    landing.land_documents(home, [snapshot("conv_a"), snapshot("conv_b")])
    latest = [snapshot("conv_a"), snapshot("conv_b", messages=["new"], at=later)]
    landing.land_documents(home, [latest[1], snapshot("conv_c")])
    landing.land_documents(home, [snapshot("conv_b", kind="gone", at=later)])
    batches = list(landing.payloads(home, [DAY], ["conv_a", "conv_b", "conv_d"]))
    documents = pl.concat(batches).sort("conversation_id")
    names = ("conversation_id", "fetched_at", "content_sha256", "payload")
    assert documents.rows() == [tuple(row[name] for name in names) for row in latest]


def test_an_unchanged_snapshot_updates_only_checked_at(home):
    landing.land_documents(home, [snapshot(messages=["one"])])
    refresh_lake(home, reread_days=REREAD)
    before = {file: file.stat().st_ino for file in home.lake.rglob("*.parquet")}
    landing.land_documents(home, [snapshot(messages=["one"], kind="unchanged", at=AT + timedelta(days=30))])
    refresh_lake(home, reread_days=REREAD)
    row = lake.read(home, CONVERSATION_CHECKS).row(0, named=True)
    assert (row["checked_at"], row["settle_state"]) == (AT + timedelta(days=30), "settled")
    assert lake.read(home, CONVERSATIONS)["fetched_at"].to_list() == [AT]
    after = {file: file.stat().st_ino for file in home.lake.rglob("*.parquet")}
    written = {file.relative_to(home.lake).parts[0] for file in after if after[file] != before.get(file)}
    assert {name for name in written if BY_NAME[name].is_daily} == {"conversation_checks"}
    assert messages_in_lake(home) == [("conv_a", "one")]


def test_a_deleted_conversation_keeps_its_rows_and_is_flagged(home):
    noticed = AT + timedelta(days=1)
    gone = {"kind": "gone", "status": None, "ended_at": None, "at": noticed}
    landing.land_documents(home, [snapshot(messages=["one"])])
    landing.land_documents(home, [snapshot(**gone), snapshot("conv_never_read", **gone)])
    refresh_lake(home, reread_days=REREAD)
    row = lake.read(home, CONVERSATIONS).row(0, named=True)
    assert (row["conversation_id"], row["is_deleted"], row["deleted_at"]) == ("conv_a", True, noticed)
    assert lake.read(home, DELETIONS).select("conversation_id", "noticed_at", "reason").rows() == [
        ("conv_a", noticed, "deleted"),
        ("conv_never_read", noticed, "deleted"),
    ]
    assert messages_in_lake(home) == [("conv_a", "one")]
    assert stale_snapshots(home).is_empty()


def test_a_conversation_that_reappears_is_no_longer_deleted(home):
    gone = {"kind": "gone", "status": None, "ended_at": None}
    landing.land_documents(home, [snapshot(messages=["one"], at=AT)])
    landing.land_documents(home, [snapshot(at=AT + timedelta(days=1), **gone)])
    refresh_lake(home, reread_days=REREAD)
    landing.land_documents(home, [snapshot(messages=["one"], kind="unchanged", at=AT + timedelta(days=2))])
    refresh_lake(home, reread_days=REREAD)
    assert lake.read(home, CONVERSATIONS)["is_deleted"].to_list() == [False]
    assert lake.read(home, DELETIONS).is_empty()


def test_a_corrected_start_moves_a_conversation_to_its_day(home):
    landing.land_documents(home, [snapshot(messages=["one"])])
    refresh_lake(home, reread_days=REREAD)
    moved = snapshot(messages=["one", "two"], start=STARTED + timedelta(days=3), at=AT + timedelta(days=4))
    landing.land_documents(home, [moved])
    refresh_lake(home, reread_days=REREAD)
    rows = lake.read(home, TURNS).select("start_date", "message").rows()
    assert rows == [(date(2026, 11, 4), "one"), (date(2026, 11, 4), "two")]


def test_a_deletion_moves_with_its_conversation(home):
    """First gone, as of its list row on one day; then its document says another; then it is gone again."""
    start, later = STARTED + timedelta(days=3), timedelta(days=4)
    gone = {"kind": "gone", "status": None, "ended_at": None}
    landing.land_documents(home, [snapshot(**gone), snapshot("conv_b", **gone), snapshot("conv_of_the_day")])
    refresh_lake(home, reread_days=REREAD)
    landing.land_documents(home, [snapshot(messages=["one"], start=start, at=AT + later)])
    refresh_lake(home, reread_days=REREAD)
    assert lake.read(home, DELETIONS).select("conversation_id", "start_date").rows() == [("conv_b", DAY)]
    assert stale_snapshots(home).is_empty()
    landing.land_documents(home, [snapshot(at=AT + 2 * later, **gone), snapshot("conv_b", start=start, **gone)])
    refresh_lake(home, reread_days=REREAD)
    deletions = lake.read(home, DELETIONS).sort("conversation_id").select("conversation_id", "start_date")
    assert deletions.rows() == [("conv_a", start.date()), ("conv_b", start.date())]
    assert stale_snapshots(home).is_empty()
    assert damage.repair(home, AT) == []


@pytest.fixture
def interrupted(home, monkeypatch):
    """Flatten what is landed, interrupted somewhere in the middle; returns the tables that were written."""

    def refresh():
        upsert, written = lake.upsert_partition, []

        def interrupt(home, table, *arguments, **options):
            if table is TAGS:
                raise KeyboardInterrupt
            written.append(table.name)
            upsert(home, table, *arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr("warehouse.storage.lake.upsert_partition", interrupt)
            with pytest.raises(KeyboardInterrupt):
                refresh_lake(home, reread_days=REREAD)
        return written

    return refresh


def test_an_interrupted_merge_is_repeated(home, interrupted):
    landing.land_documents(home, [snapshot(messages=["one"]), snapshot("conv_b", messages=["two"])])
    written = interrupted()
    assert written
    assert "conversation_checks" not in written
    assert refresh_lake(home, reread_days=REREAD).n_flattened == 2
    assert messages_in_lake(home) == [("conv_a", "one"), ("conv_b", "two")]


def test_after_an_interrupted_merge_a_corrected_start_leaves_nothing_on_the_former_day(home, interrupted):
    landing.land_documents(home, [snapshot(messages=["one"])])
    assert "turns" in interrupted()
    start = STARTED + timedelta(days=3)
    landing.land_documents(home, [snapshot(messages=["one"], start=start, at=AT + timedelta(days=4))])
    refresh_lake(home, reread_days=REREAD)
    for table in (CONVERSATIONS, TURNS, CONVERSATION_CHECKS):
        assert lake.read(home, table)["start_date"].to_list() == [start.date()], table.name


def test_a_new_parser_version_rebuilds_every_row(home, monkeypatch):
    landing.land_documents(home, [snapshot(), snapshot("conv_b", start=STARTED + timedelta(days=1))])
    refresh_lake(home, reread_days=REREAD)
    for module in ("pipelines.transform.refresh_lake", "pipelines.transform.merge_days"):
        monkeypatch.setattr(f"{module}.PARSER_VERSION", flatten.PARSER_VERSION + 1)
    assert refresh_lake(home, reread_days=REREAD).n_flattened == 2
    assert stale_snapshots(home).is_empty()


def test_a_lake_from_before_conversation_checks_becomes_like_a_new_one(home):
    landing.land_documents(home, [snapshot(messages=["one"]), snapshot("conv_b", start=STARTED + timedelta(days=1))])
    refresh_lake(home, reread_days=REREAD)
    expected = {table.name: lake.read(home, table) for table in (*DOCUMENT_TABLES, CONVERSATION_CHECKS)}
    columns = set(lake.read(home, CONVERSATION_CHECKS).columns) - {"conversation_id", "start_date", "workspace"}
    for day in lake.days(home, CONVERSATIONS):
        (file,) = lake.day_files(home, CONVERSATIONS, day)
        earlier = pl.read_parquet(file, glob=False).with_columns(
            pl.lit("0.2.0").alias(name) for name in sorted(columns)
        )
        earlier.write_parquet(file)
    shutil.rmtree(home.table(CONVERSATION_CHECKS))
    assert stale_snapshots(home).height == 2
    assert refresh_lake(home, reread_days=REREAD).n_flattened == 2
    for table in (*DOCUMENT_TABLES, CONVERSATION_CHECKS):
        assert lake.read(home, table).equals(expected[table.name]), table.name
    for file in (file for day in lake.days(home, CONVERSATIONS) for file in lake.day_files(home, CONVERSATIONS, day)):
        assert columns.isdisjoint(parquet.file_schema(file))


def test_a_deleted_lake_is_rebuilt_from_the_landing(home):
    gone = {"kind": "gone", "status": None, "ended_at": None, "at": AT + timedelta(days=1)}
    run_log.start_run(home, "run", at=AT, window=None)
    run_log.add_counts(home, "run", at=AT + timedelta(minutes=1), n_listed=2)
    run_log.finish_run(home, "run", at=AT + timedelta(minutes=2), outcome="complete")
    landing.land_documents(home, [snapshot(messages=["one"]), snapshot("conv_b", messages=["two"])])
    landing.land_documents(home, [snapshot("conv_b", **gone)])
    refresh_lake(home, reread_days=REREAD)
    before = {table.name: lake.read(home, table) for table in TABLES}
    shutil.rmtree(home.lake)
    refresh_lake(home, reread_days=REREAD)
    assert before[SYNC_RUNS.name].select("n_listed", "elapsed_secs", "outcome").rows() == [(2, 120.0, "complete")]
    for table in TABLES:
        assert lake.read(home, table).equals(before[table.name]), table.name


@pytest.mark.parametrize("seed", range(3))
def test_the_lake_is_the_same_in_any_order_of_arrival_and_after_repeated_refreshes(tmp_path, seed):
    rows = [
        snapshot(f"conv_{n}", messages=[f"said {n}", "more"][: 1 + n % 2], start=STARTED + timedelta(days=n % 4))
        for n in range(20)
    ]
    lakes = []
    for name in ("one", "other"):
        here = Home(tmp_path / name).open()
        if name == "one":
            landing.land_documents(here, rows)
        else:  # in another order, in segments, flattened in between
            random.Random(seed).shuffle(rows)
            for at in range(0, 20, 6):
                landing.land_documents(here, rows[at : at + 6])
                refresh_lake(here, reread_days=REREAD)
        assert refresh_lake(here, reread_days=REREAD, full_refresh=True).n_flattened == 20
        lakes.append({table.name: lake.read(here, table) for table in TABLES})
    for table in TABLES:
        assert lakes[0][table.name].equals(lakes[1][table.name]), table.name


def test_a_document_that_cannot_be_flattened_is_in_quarantine_until_it_can(home):
    broken = snapshot("conv_bad") | {"payload": b'{"conversation_id": "conv_bad"}'}
    landing.land_documents(home, [broken, snapshot()])
    quarantine.add(home, "conv_cut", at=AT, reason="unreadable", error="cut")
    for _ in range(2):  # it is tried again, and is not there twice
        done = refresh_lake(home, reread_days=REREAD)
        assert list(done.errors) == ["conv_bad"]
        assert lake.read(home, QUARANTINE).select("conversation_id", "reason").rows() == [
            ("conv_bad", "unflattenable"),
            ("conv_cut", "unreadable"),
        ]
    later = AT + timedelta(days=1)
    landing.land_documents(home, [snapshot("conv_bad", at=later), snapshot("conv_cut", at=later)])
    assert refresh_lake(home, reread_days=REREAD).errors == {}
    assert lake.read(home, QUARANTINE).is_empty()
    assert lake.read(home, CONVERSATIONS)["conversation_id"].to_list() == ["conv_a", "conv_bad", "conv_cut"]


def test_the_list_keeps_the_latest_row_and_when_it_was_first_and_last_seen(home):
    def land_list_row(at, **changes):
        row = {
            "conversation_id": "conv_a",
            "start_date": DAY,
            "start_time_at": STARTED,
            "status": "processing",
            "fingerprint": "f1",
            "listed_at": at,
            "payload": b"{}",
        }
        landing.land_listing(home, landing.Listing(at, None, at), parquet.frame(LANDED_LISTINGS, [row | changes]))

    land_list_row(AT)
    refresh_lake(home, reread_days=REREAD)
    land_list_row(AT + timedelta(days=1), status="done", message_count=3, fingerprint="f2")
    landing.land_listing(home, landing.Listing(AT + timedelta(days=2), None, None), parquet.frame(LANDED_LISTINGS, []))
    refresh_lake(home, reread_days=REREAD)
    row = lake.read(home, CONVERSATION_LIST).row(0, named=True)
    assert (row["status"], row["message_count"], row["fingerprint"]) == ("done", 3, "f2")
    assert (row["first_seen_at"], row["last_seen_at"]) == (AT, AT + timedelta(days=1))
    (file,) = home.files(home.table(CONVERSATION_LIST), "day=*/")
    inode = file.stat().st_ino
    refresh_lake(home, reread_days=REREAD)
    assert file.stat().st_ino == inode  # a row with nulls, which is as it was, is not written again
    assert [listing.listed_at for listing in landing.listings(home)] == [AT + timedelta(days=n) for n in range(3)]
