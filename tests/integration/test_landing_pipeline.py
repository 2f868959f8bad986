"""The landing pipeline: batches are landed, completed days are flattened meanwhile, and no error is lost."""

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
from warehouse.storage import lake, landing, parquet, quarantine
from warehouse.storage.home import Home

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)


def start_of(document):
    return datetime.fromtimestamp(document["metadata"]["start_time_unix_secs"], UTC)


DOCUMENTS = sorted(World(seed=7, conversations=40, days=4, until=UNTIL).details(UNTIL), key=start_of)
DAYS = sorted({start_of(document).date() for document in DOCUMENTS})


def plan_row(document):
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


def run_pipeline(home, responses, completed_days=None):
    """The counts after all responses are submitted and the pipeline is drained."""

    async def work():
        stats = FetchStats()
        pipeline = LandingPipeline(
            home, stats, worker_pool=WorkerPool(0), monotonic=lambda: 0.0, completed_days=completed_days
        )
        try:
            for response in responses:
                await pipeline.acquire_slot()
                stats.n_fetched += 1
                pipeline.submit(response)
        finally:
            await pipeline.drain()
        return stats

    return asyncio.run(work())


def test_completed_days_are_in_the_lake_after_the_drain_and_the_day_that_lacks_a_conversation_is_not(home, monkeypatch):
    monkeypatch.setattr(completed_days, "DOCUMENTS_PER_TASK", 1)
    plan = pl.DataFrame([plan_row(document) for document in DOCUMENTS])

    stats = run_pipeline(
        home,
        [Response(plan_row(document), dump(document), UNTIL) for document in DOCUMENTS[:-1]],
        CompletedDays(plan, ()),
    )

    completed = [document["conversation_id"] for document in DOCUMENTS if start_of(document).date() != DAYS[-1]]
    assert set(lake.read(home, CONVERSATIONS)["conversation_id"]) == set(completed)
    n_fetched = len(DOCUMENTS) - 1
    assert stats == FetchStats(n_fetched=n_fetched, n_landed=n_fetched, n_flattened=len(completed))
    assert landing.snapshots(home).height == n_fetched


def test_a_response_that_cannot_be_read_is_quarantined_and_a_404_is_landed(home):
    first, second, third = DOCUMENTS[:3]
    deep = dump(third)[:-1] + b',"deep":' + b"[" * 5000 + b"]" * 5000 + b"}"
    document, none, odd = Response(plan_row(first), dump(first), UNTIL), Response(plan_row(second), None, UNTIL), deep

    stats = run_pipeline(home, [document, none, Response(plan_row(third), odd, UNTIL)])

    why = stats.failed.pop(third["conversation_id"])
    assert "recursion" in why
    assert stats == FetchStats(n_fetched=2, n_landed=1, n_gone=1)
    kinds = landing.snapshots(home).sort("kind").select("conversation_id", "kind").rows()
    assert kinds == [(first["conversation_id"], "document"), (second["conversation_id"], "gone")]
    assert quarantine.current(home)["conversation_id"].to_list() == [third["conversation_id"]]


def test_a_failed_landing_ends_the_fetching_soon(home, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(parquet, "_write_parquet", full)
    submitted = []

    def responses():
        for document in DOCUMENTS * 5:
            submitted.append(document)
            yield Response(plan_row(document), dump(document), UNTIL)

    with pytest.raises(OSError, match="No space left"):
        run_pipeline(home, responses())
    assert len(submitted) <= 2 * len(DOCUMENTS)


def test_a_landing_that_stalls_stops_the_requests_and_every_response_is_landed_when_it_continues(home, monkeypatch):
    may_continue = threading.Event()
    write = parquet._write_parquet

    def stalled(*arguments):
        assert may_continue.wait(timeout=30)
        write(*arguments)

    monkeypatch.setattr(parquet, "_write_parquet", stalled)

    async def work():
        stats = FetchStats()
        requested: list[str] = []
        pipeline = LandingPipeline(home, stats, worker_pool=WorkerPool(0), monotonic=lambda: 0.0)
        for document in DOCUMENTS:
            try:
                await asyncio.wait_for(pipeline.acquire_slot(), timeout=0.2)
            except TimeoutError:
                break
            requested.append(document["conversation_id"])
            pipeline.submit(Response(plan_row(document), dump(document), UNTIL))
        may_continue.set()
        await pipeline.drain()
        return requested

    requested = asyncio.run(work())
    assert len(requested) == MIN_SLOTS < len(DOCUMENTS)
    assert set(landing.snapshots(home)["conversation_id"]) == set(requested)


def test_a_failure_of_the_last_batch_is_raised_by_the_drain(home, monkeypatch):
    monkeypatch.setattr(parquet, "_write_parquet", full_disk)

    async def work():
        pipeline = LandingPipeline(home, FetchStats(), worker_pool=WorkerPool(0), monotonic=lambda: 0.0)
        await pipeline.acquire_slot()
        pipeline.submit(Response(plan_row(DOCUMENTS[0]), dump(DOCUMENTS[0]), UNTIL))
        await pipeline.drain()

    with pytest.raises(OSError, match="No space left"):
        asyncio.run(work())


def full_disk(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
