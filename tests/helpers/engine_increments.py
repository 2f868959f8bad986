"""A lake that changes between builds on an engine: every build has the tables of one that starts from nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import polars as pl

from tests.helpers.engine_tables import current_folders, differences
from warehouse.engines.build import EngineBuild, build_tables
from warehouse.engines.engine import Engine
from warehouse.models.project import Project, read_project

COST = "cost_credits"
FEW = read_project().upstream("marts.dim_agents", "marts.dim_dates", "metrics.agent_daily", "metrics.anomalies")
"""Models of every kind: by day and whole, with and without days."""


class ChangingLake:
    """A copy of a ``lake`` that is built on the engine into ``into``, where nobody else builds.

    If the folder has the copy already, ``n_builds`` were made of it.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[Engine]],
        project: Project,
        lake: Path,
        folder: Path,
        *,
        n_builds: int = 0,
    ) -> None:
        self._connect, self._project = connect, project
        self.lake, self.into, self._whole = folder / "lake", folder / "tables", folder / "whole"
        self._n_builds = n_builds
        if not n_builds:
            shutil.copytree(lake, self.lake)

    def days(self, table: str) -> list[Path]:
        """Files of the days of a table, without that of its schema."""
        return [file for file in sorted((self.lake / table).glob("day=*/*.parquet")) if file.name != "schema.parquet"]

    def raise_cost(self, file: Path) -> None:
        """Replace a day of the conversations by one on which each costs a credit more."""
        rows = pl.read_parquet(file).with_columns(pl.col(COST) + 1)
        rows.write_parquet(file.with_suffix(".new"))
        file.with_suffix(".new").replace(file)

    def build(self, into: Path | None = None, *, full_refresh: bool = False) -> EngineBuild:
        """Build what is stale; every check passes."""
        self._n_builds += 1
        with self._connect() as engine:
            built = build_tables(
                engine,
                self._project,
                lakes=[str(self.lake)],
                into=str(into or self.into),
                build_id=f"build_{self._n_builds}",
                zones={"main": "Europe/Berlin"},
                progress=lambda *_: None,
                full_refresh=full_refresh,
            )
        assert [(result.check.name, result.n_failing) for result in built.failed] == []
        return built

    def differences_from_a_whole_build(self) -> dict[str, str]:
        """What differs between the current tables and those of a build that takes over nothing."""
        self.build(self._whole, full_refresh=True)
        return differences(self._project.models, current_folders(self.into), current_folders(self._whole))

    @property
    def current(self) -> dict[str, Path]:
        """Folder of each table of the current build."""
        return current_folders(self.into)

    @property
    def builds(self) -> set[str]:
        """Tables that are stored, as builds/<build>/<schema>/<table>."""
        return {str(folder.relative_to(self.into)) for folder in self.into.glob("builds/*/*/*")}
