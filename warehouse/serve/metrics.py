"""Reads schema ``metrics`` of the warehouse: its models, and the rows of a model or of one metric."""

# ruff: noqa: S608 -- every name in these statements is from the warehouse; what the user gives are parameters

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from warehouse.connection import open_warehouse, read_frame
from warehouse.serve.query import Connect
from warehouse.storage.home import Home

DATE_COLUMNS = ("start_date", "week_start_date", "month_start_date", "local_date")
"""Columns by which a model can be limited to a time range: the first one that it has."""

_COLUMNS = """
select table_name, column_name from duckdb_columns()
where database_name = current_database() and schema_name = 'metrics' and table_name <> 'catalog'
order by table_name, column_index
"""


@dataclass(frozen=True, slots=True)
class MetricModel:
    """A model of schema metrics: its columns, its number of rows and its part of ``metrics.catalog``."""

    name: str
    columns: tuple[str, ...]
    n_rows: int
    metrics: tuple[dict[str, Any], ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that identify a row."""
        grain = self.metrics[0]["grain"].split(", ") if self.metrics else ()
        return tuple(column for column in grain if column in self.columns)

    @property
    def date(self) -> str | None:
        """The column for a time range; None if its rows are not of days, weeks or months."""
        return next((name for name in DATE_COLUMNS if name in self.columns), None)

    @property
    def named_keys(self) -> tuple[str, ...]:
        """The keys, and after the id of an agent its name."""
        names = ((key, key.replace("agent_id", "agent_name")) for key in self.keys)
        return tuple(dict.fromkeys(column for pair in names for column in pair if column in self.columns))

    def sample_size_columns(self, column: str) -> list[str]:
        """Columns with the sample size of a metric: its denominator, the n of a percentile, or else ``n_calls``."""
        denominator = next((metric["denominator"] for metric in self.metrics if metric["column_name"] == column), None)
        columns = [word for word in re.findall(r"\w+", denominator or "") if word in self.columns]
        percentile = re.match(r"(\w+)_p\d\d_", column)
        if percentile and not columns:
            columns = [name for name in self.columns if name.startswith(f"n_{percentile[1][:-1]}")]
        return columns or [name for name in ("n_calls",) if name in self.columns]


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows of a model: of an agent; of days, weeks or months that begin in [since, until); ``limit`` of them."""

    agent_id: str | None
    since: datetime | None
    until: datetime | None
    limit: int | None


def read_models(home: Home, connect: Connect = open_warehouse) -> dict[str, MetricModel]:
    """The models of schema metrics by name, without the catalog.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the file cannot be opened.
    """
    columns: dict[str, list[str]] = {}
    with connect(home) as connection:
        for table, column in connection.execute(_COLUMNS).fetchall():
            columns.setdefault(table, []).append(column)
        catalog = read_frame(connection.sql("select * from metrics.catalog order by id")).to_dicts()
        n_rows = {name: connection.table(f"metrics.{name}").count("*").fetchall()[0][0] for name in columns}
    return {
        name: MetricModel(
            name, tuple(names), n_rows[name], tuple(row for row in catalog if row["model"] == f"metrics.{name}")
        )
        for name, names in columns.items()
    }


def read_rows(
    home: Home, model: MetricModel, column: str | None, rows: RowFilter, connect: Connect = open_warehouse
) -> pl.DataFrame:
    """The rows of a model, newest first; of one ``column``, if given, with keys, names of agents and sample size.

    ``rows`` may have an agent or a time range only if the model has a column for it.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the file cannot be opened.
    """
    selected = dict.fromkeys((*model.named_keys, *model.sample_size_columns(column), column)) if column else ("*",)
    conditions = {
        "agent_id = $agent_id": rows.agent_id,
        f"{model.date} >= cast($since as date)": rows.since,
        f"cast({model.date} as timestamptz) < $until": rows.until,
    }
    where = [condition for condition, value in conditions.items() if value is not None]
    order = [*([f"{model.date} desc"] if model.date else []), *(key for key in model.keys if key != model.date)]
    sql = f"select {', '.join(selected)} from metrics.{model.name}"
    sql += f" where {' and '.join(where)}" if where else ""
    sql += f" order by {', '.join(order)}" if order else ""
    sql += f" limit {rows.limit}" if rows.limit else ""
    values = {"agent_id": rows.agent_id, "since": rows.since, "until": rows.until}
    with connect(home) as connection:
        parameters = {name: value for name, value in values.items() if value is not None}
        return read_frame(connection.sql(sql, params=parameters))
