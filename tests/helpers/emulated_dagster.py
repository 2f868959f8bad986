"""An emulated API whose time stands, and Dagster's jobs run in this process against it."""

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
from pipelines.orchestration.jobs import ALL_ASSETS, NIGHTLY
from pipelines.orchestration.partitions import range_tags
from pipelines.orchestration.run_in_process import step_errors
from pipelines.settings import Settings
from pipelines.usecases.context import Context
from warehouse.schema.operations import SYNC_RUNS
from warehouse.storage import lake

KEY = "sk_the_key_of_the_tests"
FIRST, LAST = date(2025, 11, 17), date(2025, 11, 20)
QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


@dataclass
class Emulated:
    """The API at a moment, which a test may move; ``spoilt`` is the conversation whose detail is no JSON.

    While it ``is_down`` it answers nothing but 503.
    """

    world: World
    now: datetime
    url: str = ""
    spoilt: str | None = None
    key: str = KEY
    is_down: bool = False
    app: Any = field(init=False)

    def __post_init__(self) -> None:
        self.app = create_app(self.world, clock=lambda: self.now, key=self.key)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.is_down and scope["type"] == "http":
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        elif self.spoilt and scope.get("path", "").endswith(self.spoilt):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"{"})
        else:
            await self.app(scope, receive, send)

    def details(self) -> list[dict[str, Any]]:
        return list(self.world.details(self.now))

    def workspace_context(self, home: Path, *, key: str = KEY) -> Context:
        settings = Settings(home=home, base_url=self.url, api_key=key)
        return Context(settings, clock=lambda: self.now, connect=impatient)


def impatient(settings: Settings) -> ApiClient:
    """A client that waits for nothing before it tries again, and gives up when it would have waited 20 s at once."""

    async def at_once(_secs: float) -> None:
        await asyncio.sleep(0)

    return ApiClient(settings.base_url, settings.key(), sleep=at_once, deadline_secs=20.0, random=lambda: 1.0)


@dataclass(frozen=True)
class Ran:
    """A run that has ended."""

    workspace_context: Context
    result: dg.ExecuteInProcessResult
    instance: dg.DagsterInstance

    @property
    def failures(self) -> list[str]:
        return list(step_errors(self.result))

    @property
    def account(self) -> dict[str, Any]:
        """The run's row of sync_runs."""
        return lake.read(self.workspace_context.home, SYNC_RUNS).row(
            by_predicate=pl.col("run_id") == self.result.run_id, named=True
        )

    @property
    def checks(self) -> dict[str, dg.AssetCheckEvaluation]:
        return {each.check_name: each for each in self.result.get_asset_check_evaluations()}

    def metadata(self, name: str) -> dict[str, Any]:
        """What the last materialisation of an asset says."""
        found = self.instance.get_latest_materialization_event(dg.AssetKey(name.split("."))).asset_materialization
        return {key: value.value for key, value in found.metadata.items()}

    def days_made(self, name: str) -> set[str]:
        """Days of an asset that the run made."""
        return set(self.instance.get_materialized_partitions(dg.AssetKey(name.split("."))))


@dataclass(frozen=True)
class Runner:
    """Runs jobs, each with a Dagster instance of its own that lives as long as ``open`` does."""

    open: ExitStack

    def __call__(
        self,
        workspace_context: Context,
        job: str = NIGHTLY,
        *,
        days: tuple[date, date] = (FIRST, LAST),
        config: dict[str, Any] | None = None,
        assets: tuple[str, ...] = (),
    ) -> Ran:
        """Run a job, or some of its assets, over days; the nightly job with the config that its schedule gives."""
        instance = self.open.enter_context(dg.DagsterInstance.ephemeral())
        definition = build_defs(workspace_context=workspace_context).resolve_job_def(job)
        ops = config or (ALL_ASSETS.to_config_dict()["ops"] if job == NIGHTLY else {})
        result = definition.execute_in_process(
            run_config={"ops": ops, "loggers": QUIET},
            instance=instance,
            raise_on_error=False,
            tags=range_tags(*days),
            asset_selection=[dg.AssetKey(name.split(".")) for name in assets] or None,
        )
        return Ran(workspace_context, result, instance)


def started_at(detail: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(detail["metadata"]["start_time_unix_secs"], UTC)
