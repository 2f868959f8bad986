"""The stages behind the reading: landed in batches, flattened day by day ahead of the rest, never lost unsaid."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from datetime import UTC, datetime

import polars as pl
import pytest

from pipelines.emulator.generator.world import World
from pipelines.extract import completed_days
from pipelines.extract.completed_days import CompletedDays
from pipelines.extract.land_responses import Response
from pipelines.extract.landing_pipeline import MIN_SLOTS, FetchStats, LandingPipeline
from pipelines.transform.canonical_json import dump
from pipelines.transform.worker_pool import WorkerPool
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import lake, landing, parquet
from warehouse.storage.home import Home

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)


def start_of(document):
    return datetime.fromtimestamp(document["metadata"]["start_time_unix_secs"], UTC)


DOCUMENTS = sorted(World(seed=7, conversations=40, days=4, until=UNTIL).details(UNTIL), key=start_of)
DAYS = sorted({start_of(each).date() for each in DOCUMENTS})


def wanted(document):
    return {
        "conversation_id": document["conversation_id"],
        "start_time_at": start_of(document),
        "agent_id": document["agent_id"],
        "fingerprint": "f",
        "content_sha256": None,
        "reason": "new",
    }


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home").open()
    lake.ensure_schema_files(home)
    return home


def put(home, answers, ahead=None):
    """What is counted when the answers are put on a line and it is closed."""

    async def work():
        done = FetchStats()
        line = LandingPipeline(home, done, worker_pool=WorkerPool(0), monotonic=lambda: 0.0, completed_days=ahead)
        try:
            for answer in answers:
                await line.acquire_slot()
                done.n_fetched += 1
                line.submit(answer)
        finally:
            await line.drain()
        return done

    return asyncio.run(work())


def test_whole_days_are_in_the_lake_when_the_line_is_closed_and_the_day_that_lacks_a_call_is_not(home, monkeypatch):
    monkeypatch.setattr(completed_days, "DOCUMENTS_PER_TASK", 1)
    every = pl.DataFrame([wanted(document) for document in DOCUMENTS])

    done = put(home, [Response(wanted(each), dump(each), UNTIL) for each in DOCUMENTS[:-1]], CompletedDays(every, ()))

    whole = [each["conversation_id"] for each in DOCUMENTS if start_of(each).date() != DAYS[-1]]
    assert set(lake.read(home, CONVERSATIONS)["conversation_id"]) == set(whole)
    n_read = len(DOCUMENTS) - 1
    assert done == FetchStats(n_fetched=n_read, n_landed=n_read, n_flattened=len(whole))
    assert landing.snapshots(home).height == n_read


def test_an_answer_that_cannot_be_read_is_set_aside_and_a_404_is_landed(home):
    first, second, third = DOCUMENTS[:3]
    deep = dump(third)[:-1] + b',"deep":' + b"[" * 5000 + b"]" * 5000 + b"}"
    document, none, odd = Response(wanted(first), dump(first), UNTIL), Response(wanted(second), None, UNTIL), deep

    done = put(home, [document, none, Response(wanted(third), odd, UNTIL)])

    why = done.failed.pop(third["conversation_id"])
    assert "recursion" in why
    assert done == FetchStats(n_fetched=2, n_landed=1, n_gone=1)
    kinds = landing.snapshots(home).sort("kind").select("conversation_id", "kind").rows()
    assert kinds == [(first["conversation_id"], "document"), (second["conversation_id"], "gone")]
    assert landing.quarantined(home)["conversation_id"].to_list() == [third["conversation_id"]]


def test_what_cannot_be_landed_ends_the_reading_soon(home, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(parquet, "_write_parquet", full)
    taken = []

    def answers():
        for each in DOCUMENTS * 5:
            taken.append(each)
            yield Response(wanted(each), dump(each), UNTIL)

    with pytest.raises(OSError, match="No space left"):
        put(home, answers())
    assert len(taken) <= 2 * len(DOCUMENTS)


def test_a_landing_that_stalls_stops_the_asking_and_what_was_asked_for_is_landed_when_it_goes_on(home, monkeypatch):
    goes_on = threading.Event()
    write = parquet._write_parquet

    def stalled(*arguments):
        assert goes_on.wait(timeout=30)
        write(*arguments)

    monkeypatch.setattr(parquet, "_write_parquet", stalled)

    async def work():
        done = FetchStats()
        asked: list[str] = []
        line = LandingPipeline(home, done, worker_pool=WorkerPool(0), monotonic=lambda: 0.0)
        for each in DOCUMENTS:
            try:
                await asyncio.wait_for(line.acquire_slot(), timeout=0.2)
            except TimeoutError:
                break
            asked.append(each["conversation_id"])
            line.submit(Response(wanted(each), dump(each), UNTIL))
        goes_on.set()
        await line.drain()
        return asked

    asked = asyncio.run(work())
    assert len(asked) == MIN_SLOTS < len(DOCUMENTS)
    assert set(landing.snapshots(home)["conversation_id"]) == set(asked)
