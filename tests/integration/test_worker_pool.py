"""Processes beside the run's own: the copy is the same with them as without, and nothing of them is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.errors import WorkerError
from pipelines.extract import completed_days
from pipelines.settings import Settings
from pipelines.transform import merge_days, worker_pool
from pipelines.transform.worker_pool import WorkerPool
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers.recording_app import Tap, assert_equals
from warehouse.schema.operations import SYNC_RUNS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.storage import lake

pytestmark = pytest.mark.usefixtures("few_models")

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)


class Ready(WorkerPool):
    """A crew that is at work from the first conversation on, and notes what it was given to do."""

    def __init__(self, processes):
        super().__init__(processes)
        self.given = []

    def prepare(self, n_conversations):
        super().prepare(max(n_conversations, worker_pool.MIN_CONVERSATIONS))
        for each in self._warm_ups:
            each.result()
        submit = self.executor.submit
        self.executor.submit = lambda work, *rest: self.given.append(work.__name__) or submit(work, *rest)


class Doomed(Ready):
    """A crew whose processes are killed when they get their fourth piece of work."""

    def prepare(self, n_conversations):
        super().prepare(n_conversations)
        submit = self.executor.submit

        def kill(work, *rest):
            if len(self.given) == 3:
                for process in self._pool._processes:
                    os.kill(process, signal.SIGKILL)
            return submit(work, *rest)

        self.executor.submit = kill


@pytest.fixture
def crews(monkeypatch):
    """The crews of the runs to come, which are ready, in small steps."""
    found = []
    monkeypatch.setattr(Context, "worker_pool", lambda _context: found.append(Ready(2)) or found[-1])
    for module in (completed_days, merge_days):
        monkeypatch.setattr(module, "DOCUMENTS_PER_TASK", 20)
    return found


@pytest.fixture(scope="module")
def world():
    return World(seed=6, conversations=120, days=5, until=UNTIL)


@pytest.fixture
def tap(world):
    return Tap(create_app(world, clock=lambda: UNTIL))


@pytest.fixture
def context(tap, tmp_path):
    with running(tap) as url:
        settings = {"base_url": url, "api_key": "demo", "reread_days": ()}
        yield Context(Settings(home=tmp_path / "home", **settings), clock=lambda: UNTIL)


def lake_bytes(context):
    files = (file for table in DOCUMENT_TABLES for file in context.home.table(table).rglob("*.parquet"))
    return {file.relative_to(context.home.root): file.read_bytes() for file in files}


def test_a_sync_with_processes_copies_all_and_the_lake_is_the_one_made_without(world, context, crews, monkeypatch):
    done = sync.sync(context, run_id="first")

    assert done.problems == ()
    documents = list(world.details(UNTIL))
    assert_equals(context, documents)
    counts = [done.run[name] for name in ("n_new", "n_fetched", "n_landed", "n_flattened", "n_unchanged", "n_gone")]
    assert counts == [*[len(documents)] * 4, 0, 0]
    assert {*crews[0].given} == {"land_responses", "reflatten_days"}

    with_crew = lake_bytes(context)
    monkeypatch.undo()
    assert sync.reprocess(context, run_id="again").problems == ()
    assert lake_bytes(context) == with_crew


def test_calls_that_are_read_again_or_unreadable_are_left_to_the_last_step(world, tap, context, crews):
    spoilt = next(iter(world.details(UNTIL)))["conversation_id"]
    tap.spoilt = spoilt
    first = sync.sync(context, run_id="first")
    assert spoilt in first.problems[0]
    tap.spoilt = None

    later = sync.retry(context, run_id="later")

    assert later.problems == ()
    assert later.run["n_flattened"] == 1
    assert_equals(context, list(world.details(UNTIL)))
    assert len(crews) == 2


def test_a_process_that_is_killed_ends_the_run_with_what_to_do_and_the_next_run_repairs(
    world, context, crews, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(Context, "worker_pool", lambda _context: Doomed(2))
        with pytest.raises(WorkerError) as raised:
            sync.sync(context, run_id="first")
    assert "CONVOHOUSE_PROCESSES" in raised.value.hint
    errors = lake.read(context.home, SYNC_RUNS).select("outcome", "error").rows()
    assert errors == [("failed", str(raised.value))]

    assert sync.sync(context, run_id="next").problems == ()
    assert_equals(context, list(world.details(UNTIL)))


def test_no_process_outlives_the_run_that_started_it():
    """The pipe of the output ends when the last process that holds it does."""
    script = (
        "import os, signal\n"
        "from pipelines.transform.worker_pool import MIN_CONVERSATIONS, WorkerPool\n"
        "pool = WorkerPool(2)\n"
        "pool.prepare(MIN_CONVERSATIONS)\n"
        "for start in pool._warm_ups:\n"
        "    start.result()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=False)  # noqa: S603
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def test_little_work_starts_no_process_and_none_allowed_means_none():
    with WorkerPool(2) as few, WorkerPool(0) as none:
        few.prepare(worker_pool.MIN_CONVERSATIONS - 1)
        none.prepare(worker_pool.MIN_CONVERSATIONS)
        assert (few.executor, none.executor) == (None, None)
