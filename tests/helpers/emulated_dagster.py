"""An emulated API with a clock that only a test moves, and Dagster's jobs run in this process against it."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from pipelines.api.client import ApiClient
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.orchestration.build_defs import build_defs
from pipelines.orchestration.partitions import NIGHTLY, range_tags
from pipelines.orchestration.run_errors import failure_lines
from pipelines.settings import Settings
from pipelines.usecases.context import Context
from tests.helpers.editing_app import Answer, respond
from warehouse.models.checks import CONSTRAINTS
from warehouse.schema.operations import SYNC_RUNS
from warehouse.storage import lake

KEY = "sk_the_key_of_the_tests"
FIRST, LAST = date(2025, 11, 17), date(2025, 11, 20)
QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


@dataclass
class Emulated:
    """The API at a moment, which a test may move.

    ``invalid_id`` is the conversation whose detail is invalid JSON. While the API ``is_down``, every response is a 503.
    While it ``holds_details``, requests for conversations wait; ``n_held`` counts them.
    """

    world: World
    now: datetime
    url: str = ""
    invalid_id: str | None = None
    key: str = KEY
    is_down: bool = False
    holds_details: bool = False
    n_held: int = 0
    app: Any = field(init=False)

    def __post_init__(self) -> None:
        self.app = create_app(self.world, clock=lambda: self.now, key=self.key)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.holds_details and "/conversations/" in scope.get("path", ""):
            self.n_held += 1
            while self.holds_details:  # noqa: ASYNC110 - set by another thread
                await asyncio.sleep(0.05)
        if self.is_down and scope["type"] == "http":
            await respond(send, Answer(503))
        elif self.invalid_id and scope.get("path", "").endswith(self.invalid_id):
            await respond(send, Answer(body=b"{"))
        else:
            await self.app(scope, receive, send)

    def details(self) -> list[dict[str, Any]]:
        return list(self.world.details(self.now))

    def app_context(self, home: Path, *, key: str = KEY) -> Context:
        settings = Settings(home=home, base_url=self.url, api_key=key)
        return Context(settings, clock=lambda: self.now, connect=impatient)


def impatient(settings: Settings) -> ApiClient:
    """A client that retries without waiting, and gives up after retries that would have waited 20 s."""

    async def no_sleep(_secs: float) -> None:
        await asyncio.sleep(0)

    return ApiClient(settings.base_url, settings.key(), sleep=no_sleep, deadline_secs=20.0, random=lambda: 1.0)


@dataclass(frozen=True)
class FinishedRun:
    """A run that has ended."""

    app_context: Context
    result: dg.ExecuteInProcessResult
    instance: dg.DagsterInstance

    @property
    def failures(self) -> list[str]:
        return list(failure_lines(self.result.all_events))

    @property
    def run_record(self) -> dict[str, Any]:
        """The run's row of sync_runs."""
        return lake.read(self.app_context.home, SYNC_RUNS).row(
            by_predicate=pl.col("run_id") == self.result.run_id, named=True
        )

    @property
    def checks(self) -> dict[str, dg.AssetCheckEvaluation]:
        """By name; a check that many tables have, by the name of its table as well."""
        return {check_name(check): check for check in self.result.get_asset_check_evaluations()}

    def metadata(self, name: str) -> dict[str, Any]:
        """The metadata of an asset's last materialization."""
        event = self.instance.get_latest_materialization_event(dg.AssetKey(name.split("."))).asset_materialization
        return {key: value.value for key, value in event.metadata.items()}

    def materialized_days(self, name: str) -> set[str]:
        """Partitions of an asset that the run materialized."""
        return set(self.instance.get_materialized_partitions(dg.AssetKey(name.split("."))))


@dataclass(frozen=True)
class Runner:
    """Runs jobs, each with its own Dagster instance, which lives until ``exit_stack`` is closed."""

    exit_stack: ExitStack

    def __call__(
        self,
        app_context: Context,
        job: str = NIGHTLY,
        *,
        days: tuple[date, date] | None = (FIRST, LAST),
        config: dict[str, Any] | None = None,
        assets: tuple[str, ...] = (),
    ) -> FinishedRun:
        """Run a job, or some of its assets, over days; the nightly job without any, as its schedule."""
        instance = self.exit_stack.enter_context(dg.DagsterInstance.ephemeral())
        definition = build_defs(app_context=app_context).resolve_job_def(job)
        result = definition.execute_in_process(
            run_config={"ops": config or {}, "loggers": QUIET},
            instance=instance,
            raise_on_error=False,
            tags=range_tags(*days) if days and job != NIGHTLY else {},
            asset_selection=[dg.AssetKey(name.split(".")) for name in assets] or None,
        )
        return FinishedRun(app_context, result, instance)


def check_name(check: dg.AssetCheckEvaluation | dg.AssetCheckKey) -> str:
    """The name of a check, with its table if many tables have such a check."""
    name = check.name if isinstance(check, dg.AssetCheckKey) else check.check_name
    return f"{'.'.join(check.asset_key.path)}: {name}" if name == CONSTRAINTS else name


def started_at(detail: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(detail["metadata"]["start_time_unix_secs"], UTC)
