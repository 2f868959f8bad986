"""Group commit: each webhook has its own outcome, and nobody is told yes for what is not on the disk."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, date, datetime

import pytest

from pipelines.webhook.batch_writer import BatchWriter
from warehouse.schema.activity import WEBHOOK_EVENTS
from warehouse.schema.landing import LANDED_DOCUMENTS
from warehouse.storage import activity_log, landing, landing_sequence, parquet
from warehouse.storage.home import Home

AT = datetime(2026, 11, 22, tzinfo=UTC)


def document(conversation_id, day=22):
    row = {"conversation_id": conversation_id, "start_date": date(2026, 11, day), "kind": "document", "fetched_at": AT}
    return ((LANDED_DOCUMENTS, row),)


def event(conversation_id):
    row = {"conversation_id": conversation_id, "event_type": "x", "event_at": AT, "received_at": AT}
    return ((WEBHOOK_EVENTS, row),)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").open()


def land(home, webhooks):
    """Outcomes of webhooks, of which all after the first arrive while the first is written."""

    async def run():
        writer, real, may_go = BatchWriter(home), parquet._write_parquet, threading.Event()
        is_first = [True]

        def write(path, data, footer):
            if is_first.pop() if is_first else False:
                may_go.wait(20)
            real(path, data, footer)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parquet, "_write_parquet", write)
            tasks = [asyncio.create_task(writer.land(rows[0][1]["conversation_id"], rows)) for rows in webhooks]
            await asyncio.sleep(0.05)
            may_go.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(run())


def fail_on(monkeypatch, name, error):
    """Fail every file that has a conversation of this name."""
    real = parquet._write_parquet

    def write(path, data, footer):
        if name in data["conversation_id"]:
            raise error
        real(path, data, footer)

    monkeypatch.setattr(parquet, "_write_parquet", write)


def landed(home):
    return sorted(landing.snapshots(home)["conversation_id"])


def test_those_that_arrive_during_a_write_share_the_next_file(home):
    assert land(home, [document(name) for name in "abcd"]) == [True] * 4
    assert landed(home) == ["a", "b", "c", "d"]
    assert len(home.files(home.landing, "start_date=*/")) == 2


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")]
)
def test_all_that_wait_for_a_file_that_fails_are_told_so(error, home, monkeypatch):
    fail_on(monkeypatch, "c", error)
    outcomes = land(home, [document(name) for name in "abcd"])
    assert [outcome is True or type(outcome) for outcome in outcomes] == [True, OSError, OSError, OSError]
    assert landed(home) == ["a"]


def test_a_file_that_fails_costs_only_the_webhooks_in_it(home, monkeypatch):
    fail_on(monkeypatch, "c", OSError(5, "I/O error"))
    webhooks = [document("a"), document("b", 22), document("c", 21), event("d"), document("e", 20)]
    outcomes = land(home, webhooks)
    assert [outcome is True or type(outcome) for outcome in outcomes] == [True, True, OSError, True, True]
    assert landed(home) == ["a", "b", "e"]
    assert activity_log.latest_entries(home, WEBHOOK_EVENTS)["conversation_id"].to_list() == ["d"]


def test_a_webhook_with_rows_in_two_files_needs_both(home, monkeypatch):
    fail_on(monkeypatch, "b", OSError(5, "I/O error"))
    (outcome,) = land(home, [(*document("a"), *event("b"))])
    assert type(outcome) is OSError


def test_a_writer_that_is_cancelled_confirms_nobody(home):
    async def run():
        writer, may_go, real = BatchWriter(home), threading.Event(), parquet._write_parquet

        def write(path, data, footer):
            assert may_go.wait(20)
            real(path, data, footer)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parquet, "_write_parquet", write)
            tasks = [asyncio.create_task(writer.land(name, document(name))) for name in "abc"]
            await asyncio.sleep(0.05)
            tasks[0].cancel()  # writes a
            await asyncio.sleep(0.05)
            tasks[1].cancel()  # writes b and c by now
            await asyncio.sleep(0)
            may_go.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes = asyncio.run(run())
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError, asyncio.CancelledError, OSError]


def test_an_erased_conversation_does_not_land_even_if_it_is_erased_while_its_webhook_waits(home):
    async def run():
        writer, may_go, real = BatchWriter(home), threading.Event(), parquet._write_parquet

        def write(path, data, footer):
            if "a" in data["conversation_id"]:
                assert may_go.wait(20)
            real(path, data, footer)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parquet, "_write_parquet", write)
            tasks = [asyncio.create_task(writer.land(name, document(name))) for name in "abc"]
            await asyncio.sleep(0.05)
            tombstone = {"conversation_id": "b", "start_date": date(2026, 11, 21), "kind": landing.ERASED}
            landing.land_documents(home, [tombstone | {"start_time_at": AT, "fetched_at": AT}])
            may_go.set()
            return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == [True, False, True]
    assert landing.snapshots(home, ["b"])["kind"].to_list() == ["erased"]


def test_a_tombstone_in_a_folder_that_was_read_before_is_noticed(home):
    async def run():
        writer = BatchWriter(home)
        outcomes = [await writer.land(name, document(name)) for name in "aab"]
        tombstone = {"conversation_id": "a", "start_date": date(2026, 11, 22), "kind": landing.ERASED}
        await asyncio.sleep(0.05)  # more than a tick of the file system's clock
        landing.land_documents(home, [tombstone | {"start_time_at": AT, "fetched_at": AT}])
        return [*outcomes, await writer.land("a", document("a")), await writer.land("b", document("b"))]

    assert asyncio.run(run()) == [True, True, True, False, True]


def test_what_lands_in_a_restored_home_is_the_latest(home):
    landed_number = landing_sequence.next_number(home)
    land(home, [document("conv_a")])
    home.sequence.write_text(f"{landed_number:020d}")  # of a backup from before it landed
    land(home, [document("conv_a")])
    assert landing.snapshots(home)["sequence"].to_list() == [landed_number + 1, landed_number + 2]
