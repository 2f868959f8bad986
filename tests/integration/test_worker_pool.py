"""Worker processes: the lake is the same with them as without, and no process outlives its run."""

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

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)


class RecordingPool(WorkerPool):
    """A worker pool that is ready from the first conversation on, and records the names of its tasks."""

    def __init__(self, processes):
        super().__init__(processes)
        self.task_names = []

    def prepare(self, n_conversations):
        super().prepare(max(n_conversations, worker_pool.MIN_CONVERSATIONS))
        for warm_up in self._warm_ups:
            warm_up.result()
        submit = self.executor.submit
        self.executor.submit = lambda task, *arguments: (
            self.task_names.append(task.__name__) or submit(task, *arguments)
        )


class KilledPool(RecordingPool):
    """A worker pool whose processes are killed before their fourth task."""

    def prepare(self, n_conversations):
        super().prepare(n_conversations)
        submit = self.executor.submit

        def kill_then_submit(task, *arguments):
            if len(self.task_names) == 3:
                for process in self._pool._processes:
                    os.kill(process, signal.SIGKILL)
            return submit(task, *arguments)

        self.executor.submit = kill_then_submit


@pytest.fixture
def patch():
    """Only of the pools: which models are built stays when it is undone."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture
def pools(patch):
    """The worker pools of the runs to come, which are ready at once and get small tasks."""
    started_pools = []

    def start_pool(_context):
        started_pools.append(RecordingPool(2))
        return started_pools[-1]

    patch.setattr(Context, "worker_pool", start_pool)
    for module in (completed_days, merge_days):
        patch.setattr(module, "DOCUMENTS_PER_TASK", 20)
    return started_pools


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


def test_a_sync_with_processes_copies_everything_and_gives_the_same_lake_as_without(world, context, pools, patch):
    steps = []
    done = sync.sync(context, run_id="first", progress=lambda *step: steps.append(step))

    assert done.problems == ()
    documents = list(world.details(UNTIL))
    assert_equals(context, documents)
    # those that were flattened while others were still being fetched are among them
    flattened = [step for step in steps if step[0] == "flatten"]
    assert flattened[-1] == ("flatten", len(documents), len(documents))
    counts = [done.run[name] for name in ("n_new", "n_fetched", "n_landed", "n_flattened", "n_unchanged", "n_gone")]
    assert counts == [*[len(documents)] * 4, 0, 0]
    assert {*pools[0].task_names} == {"land_responses", "reflatten_days"}

    bytes_with_pool = lake_bytes(context)
    patch.undo()
    assert sync.reprocess(context, run_id="again").problems == ()
    assert lake_bytes(context) == bytes_with_pool


def test_conversations_fetched_again_or_unreadable_are_flattened_by_the_last_step(world, tap, context, pools):
    spoilt = next(iter(world.details(UNTIL)))["conversation_id"]
    tap.spoilt = spoilt
    first = sync.sync(context, run_id="first")
    assert spoilt in first.problems[0]
    tap.spoilt = None

    later = sync.retry(context, run_id="later")

    assert later.problems == ()
    assert later.run["n_flattened"] == 1
    assert_equals(context, list(world.details(UNTIL)))
    assert len(pools) == 2


def test_a_killed_process_fails_the_run_with_a_hint_and_the_next_run_repairs(world, context, pools, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Context, "worker_pool", lambda _context: KilledPool(2))
        with pytest.raises(WorkerError) as raised:
            sync.sync(context, run_id="first")
    assert "CONVOHOUSE_PROCESSES" in raised.value.hint
    errors = lake.read(context.home, SYNC_RUNS).select("outcome", "error").rows()
    assert errors == [("failed", str(raised.value))]

    assert sync.sync(context, run_id="next").problems == ()
    assert_equals(context, list(world.details(UNTIL)))


def test_no_process_outlives_the_run_that_started_it():
    """``subprocess.run`` returns once the pipe of the output is closed, which every process holds until it ends."""
    script = (
        "import os, signal\n"
        "from pipelines.transform.worker_pool import MIN_CONVERSATIONS, WorkerPool\n"
        "pool = WorkerPool(2)\n"
        "pool.prepare(MIN_CONVERSATIONS)\n"
        "for warm_up in pool._warm_ups:\n"
        "    warm_up.result()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=False)  # noqa: S603
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def test_few_conversations_or_zero_processes_start_no_process():
    with WorkerPool(2) as pool, WorkerPool(0) as empty_pool:
        pool.prepare(worker_pool.MIN_CONVERSATIONS - 1)
        empty_pool.prepare(worker_pool.MIN_CONVERSATIONS)
        assert (pool.executor, empty_pool.executor) == (None, None)
