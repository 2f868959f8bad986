"""A home with the scorecard of an agent's weeks, published everywhere, and the row on which all readers must agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.emulator.server.serve import running
from pipelines.usecases import sync
from pipelines.usecases.publish import choose_jobs, publish
from tests.helpers.agreement import COLUMNS
from tests.helpers.few_models import FEW, READERS_OF_THE_PROJECT
from tests.helpers.nights import Nights
from warehouse.models.project import read_project
from warehouse.serve.query import query
from warehouse.storage.home import Home

SCORECARD = "metrics.agent_scorecard"
READ_BESIDE = ("metrics.catalog", *FEW)
"""What checks, the commands and agents read besides."""


@dataclass(frozen=True)
class Published:
    """The home, a Delta target, a folder of Parquet files, and the agent's week with its numbers."""

    home: Home
    delta: Path
    files: Path
    agent: str
    week: date
    numbers: tuple[Any, ...]


def publish_scorecard(
    folder: Path, *databases: str, conversations: int = 60, days: int = 3, has_all_models: bool = False
) -> Published:
    """Build a small home, with the scorecard alone or all models, and publish that to folders and databases."""
    project = read_project()
    if not has_all_models:
        project = project.upstream(SCORECARD, *READ_BESIDE)
    nights = Nights(folder / "home", conversations=conversations, days=days)
    delta, files = folder / "delta", folder / "files"
    with pytest.MonkeyPatch.context() as patch, running(nights.app) as url:
        for module in READERS_OF_THE_PROJECT:
            patch.setattr(f"{module}.read_project", lambda *_: project)
        context = nights.context(url, publish_credentials={"password": "s3cret pass"})
        sync.sync(context, run_id="1")
        for target, format_ in ((delta, None), (files, "parquet"), *((database, None) for database in databases)):
            jobs = choose_jobs(context, str(target), format_=format_, selection=(SCORECARD,))
            (result,) = publish(context, jobs)
            assert result.problem is None
    rows = query(
        context.home,
        f"select agent_id, week_start_date, {', '.join(COLUMNS)} from {SCORECARD} "  # noqa: S608 - ours
        "where success_rate > 0 and cost_usd > 0 and wait_p95_secs > 0 order by n_calls desc, agent_id limit 1",
    )
    agent, week, *numbers = rows.row(0)
    return Published(context.home, delta, files, agent, week, tuple(numbers))
