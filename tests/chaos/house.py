"""A home folder, the API that it copies, and a clock that moves from night to night."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.faults import Faults
from pipelines.settings import Settings
from pipelines.usecases import sync, sync_steps
from pipelines.usecases.context import Context
from tests.helpers.editing_app import intercept, vendor
from tests.helpers.fake_api import Time
from tests.helpers.recording_app import assert_equals
from tests.independent import row_counts
from warehouse.build.runner import BuildResult
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.storage import lake

FIRST_NIGHT = datetime(2026, 9, 1, 2, tzinfo=UTC)
CALLS_PER_DAY = 4
REREAD_DAYS = (1, 7, 17)
NIGHTS_PER_BUILD = 5
FAULTS = "429=0.05,5xx=0.05,reset=0.03,truncate=0.03,garbage=0.02,repeat_rows=0.1,seed={}"

App = Callable[[Any, Any, Any], Awaitable[None]]
Json = dict[str, Any]


class House:
    """What a trouble can act on; all that is random is drawn from ``random``."""

    def __init__(self, folder: Path, seed: int, *, n_days: int) -> None:
        """``n_days`` have calls; the nights have to go on until the last late change is due."""
        self.random = Random(seed)
        self.root, self.folder = folder / "home", folder
        self.now, self.time = FIRST_NIGHT, Time()
        self.url, self.n_runs = "", 0
        self.erased: set[str] = set()
        until = FIRST_NIGHT.replace(hour=0) + timedelta(days=n_days)
        self.world = World(seed=seed, conversations=CALLS_PER_DAY * n_days, days=n_days + 2, until=until)
        self.calm_app: App = create_app(self.world, clock=lambda: self.now)
        self.app = self.calm_app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The API, whichever app is in place tonight."""
        await self.app(scope, receive, send)

    def clock(self) -> datetime:
        """A moment later each time, so that no two snapshots have the same time."""
        self.now += timedelta(microseconds=1)
        return self.now

    def context(self, key: str = "demo", clock: Callable[[], datetime] | None = None) -> Context:
        """The context of one command."""

        settings = Settings(
            home=self.root, base_url=self.url, api_key=key, reread_days=REREAD_DAYS, on_upstream_delete="erase"
        )
        return Context(settings, clock=clock or self.clock, connect=partial(self.time.connect, concurrency=8))

    def sync(self, context: Context | None = None, *, is_built: bool = False, **options: Any) -> Any:
        """Run a sync in this process, with or without its build."""
        real, self.n_runs = sync_steps.build_models, self.n_runs + 1
        if not is_built:
            sync_steps.build_models = lambda *_, **__: BuildResult((), (), is_swapped=True)
        try:
            return sync.sync(context or self.context(), run_id=f"run-{self.n_runs:03}", **options)
        finally:
            sync_steps.build_models = real

    def sync_and_die(self, function: str, number: int) -> int:
        """Run ``convohouse sync`` in a process that is killed before the call of that number; its exit code."""
        code = [
            sys.executable,
            "-m",
            "tests.chaos.killed_sync",
            function,
            str(number),
            "--home",
            str(self.root),
            "sync",
        ]
        variables = {
            "ELEVENLABS_API_KEY": "demo",
            "ELEVENLABS_BASE_URL": self.url,
            "CONVOHOUSE_NOW": self.clock().isoformat(),
            "CONVOHOUSE_ON_UPSTREAM_DELETE": "erase",
            "CONVOHOUSE_REREAD_DAYS": str(list(REREAD_DAYS)),
        }
        environment = os.environ | variables  # noqa: TID251 - a process of its own
        self.now += timedelta(minutes=10)  # the clock of that process runs on
        return subprocess.run(code, env=environment, capture_output=True, timeout=120, check=False).returncode  # noqa: S603

    @contextmanager
    def api(self, app: App) -> Iterator[None]:
        """Another API in place of the usual one."""
        self.app = app
        try:
            yield
        finally:
            self.app = self.calm_app

    def faulty_app(self) -> App:
        """The API with many faults."""
        return create_app(
            self.world, clock=lambda: self.now, faults=Faults.parse(FAULTS.format(self.random.randrange(10**6)))
        )

    def answers(self, suffix: str, status: int) -> App:
        """The API, with one status for all paths that end so."""
        return intercept(self.calm_app, lambda scope: vendor(status) if scope["path"].endswith(suffix) else None)

    def documents(self) -> list[Json]:
        """What the lake must hold: all that the API has, without what was emptied there or erased here."""
        return [
            document
            for document in self.world.details(self.now)
            if document["metadata"]["deletion_settings"]["deleted_transcript_at_time_unix_secs"] is None
            and document["conversation_id"] not in self.erased
        ]

    def draw_recent(self, n_most: int) -> list[str]:
        """Finished conversations of the last two days."""
        recent = [
            document["conversation_id"]
            for document in self.documents()
            if document["status"] == "done"
            and document["metadata"]["start_time_unix_secs"] > self.now.timestamp() - 2 * 86_400
        ]
        return self.random.sample(sorted(recent), min(n_most, len(recent)))

    def draw_file(self, pattern: str) -> Path | None:
        """A file of the home folder; None if there is none yet."""
        files = sorted(self.root.glob(pattern))
        return self.random.choice(files) if files else None

    def assert_no_gap(self) -> None:
        """After a green run, nothing that the API had is missing."""
        stored = set(lake.read(self.context().home, CONVERSATIONS, ["conversation_id"])["conversation_id"])
        missing = {document["conversation_id"] for document in self.documents()} - stored
        assert not missing, f"a green run without {sorted(missing)}"

    def assert_equals_the_world(self) -> None:
        """The lake has the rows of each conversation, and lake and warehouse the sums of all."""
        context, documents = self.context(), self.documents()
        expected = {document["conversation_id"]: row_counts.rows([document]) for document in documents}
        actual: dict[str, dict[str, int]] = {}
        for table in DOCUMENT_TABLES:
            counts = lake.read(context.home, table, ["conversation_id"]).group_by("conversation_id").len()
            for conversation_id, n_rows in counts.rows():
                actual.setdefault(conversation_id, {})[table.name] = n_rows
        expected = {key: {name: n for name, n in counts.items() if n} for key, counts in expected.items()}
        assert actual == expected
        assert_equals(context, documents)
