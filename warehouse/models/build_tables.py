"""Generated tables of schema ``seeds``: what a build writes for the SQL models to read, and no file holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
import polars as pl

from warehouse.connection import create_table
from warehouse.models.headers import Header
from warehouse.schema.operations import AGENTS
from warehouse.storage import lake
from warehouse.storage.home import Home


@dataclass(frozen=True, slots=True)
class GeneratedTable:
    """A table that the build writes; ``columns`` are descriptions by name, and all columns are text."""

    name: str
    description: str
    columns: dict[str, str]

    @property
    def key(self) -> str:
        """Qualified name."""
        return f"seeds.{self.name}"

    def frame(self, rows: list[dict[str, str | None]]) -> pl.DataFrame:
        """Rows as a frame with the table's columns."""
        return pl.DataFrame(rows, dict.fromkeys(self.columns, pl.String))

    def load(self, connection: duckdb.DuckDBPyConnection, rows: pl.DataFrame) -> None:
        """Write the table into the connection's database, in place of an existing one."""
        connection.execute(f"drop table if exists {self.key}")
        create_table(connection, self.key, rows)


METRIC_HEADERS = GeneratedTable(
    "metric_headers",
    "Metrics declared in the headers of the SQL models: one row per metric, written by the build.",
    {
        "id": "Id of the metric: model and column.",
        "model": "Model that holds it.",
        "column_name": "Column that holds it.",
        "name": "Display name.",
        "description": "Description of the column.",
        "grain": "Columns that identify a row of the model.",
        "unit": "Unit.",
        "numerator": "What is summed or measured.",
        "denominator": "What it is divided by; null if it is not a ratio.",
        "null_rule": "When it is null.",
        "good": "Desired direction: high, low or neither.",
        "source": "Who else defines it this way; convohouse if it is our own.",
        "differs": "How it differs from the vendor's dashboard.",
    },
)

WORKSPACES = GeneratedTable(
    "workspaces",
    "Configured workspaces: one row per workspace, written by the build from the settings.",
    {
        "workspace": "Workspace, as convohouse.toml names it.",
        "time_zone": "IANA time zone of its local days and hours.",
    },
)

AGENT_NAMES = GeneratedTable(
    "agent_names",
    "Agents of the lake by name: one row per agent of a workspace, written by the build.",
    {
        "workspace": "Workspace of the API that the agent belongs to.",
        "agent_id": "Agent.",
        "agent_name": "Latest name that was seen; null when the API never reported one.",
    },
)
"""Of its own, as ``lake.agents`` differs after every conversation, and then all that has a name would be stale."""

BUILD_INPUTS = GeneratedTable(
    "build_inputs",
    "What this warehouse was built from: one row per input of the build. The next build sees what changed.",
    {
        "name": "Lake table or day of one, seed or model; code, tests, removed (redacted or erased), file (this one).",
        "mark": "Fingerprint at the time of the build; of the file, its time of modification as Unix time in seconds.",
        "n_rows": "Rows of a model.",
    },
)

GENERATED_TABLES = (METRIC_HEADERS, WORKSPACES, AGENT_NAMES)


def workspace_rows(zones: Mapping[str, str]) -> pl.DataFrame:
    """Rows of ``seeds.workspaces``, from the time zone by workspace."""
    return WORKSPACES.frame([{"workspace": name, "time_zone": zone} for name, zone in sorted(zones.items())])


def agent_name_rows(home: Home) -> pl.DataFrame:
    """Rows of ``seeds.agent_names`` from the lake of all workspaces."""
    return lake.read(home.all_workspaces, AGENTS, list(AGENT_NAMES.columns)).sort("workspace", "agent_id")


def metric_header_rows(headers: Iterable[tuple[str, Header]]) -> pl.DataFrame:
    """Rows of ``seeds.metric_headers`` by id, from the models' qualified names and headers.

    Only schema ``metrics`` publishes metrics; other models define them to be inherited.
    """
    rows: list[dict[str, str | None]] = [
        {
            "id": f"{key.partition('.')[2]}.{column}",
            "model": key,
            "column_name": column,
            "description": header.columns[column],
            "grain": ", ".join(header.grain),
            **metric.published(),
        }
        for key, header in headers
        if key.startswith("metrics.")
        for column, metric in header.metrics.items()
    ]
    return METRIC_HEADERS.frame(rows).sort("id")
