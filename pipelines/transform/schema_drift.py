"""Schema drift: keys, types and values of the API that the schema does not know, counted over the current lake.

Nothing of it is lost: an unknown key, or a value of another type, is in ``extra`` of its row, and an unknown value of a
closed field is in its column. This module only counts, from the lake alone. So the count is as exact as the lake, and
no log of drift is kept; days that are as they were are not counted again (``drift_by_day``). A field was seen when the
content that the lake shows was first fetched: a conversation that changed counts with its new snapshot. A call or
result inside a workflow step counts under the path of the calls or results of the transcript, as it has the same
columns. A key without content (null, an empty list or object) does not count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime

import polars as pl

from pipelines.transform import drift_by_day
from pipelines.transform.document_schema import DETAIL, paths
from pipelines.transform.schema_drift_reference_data import reference_occurrences
from pipelines.transform.table_builders import SCOPES
from pipelines.transform.unknown_fields import EMPTY_OCCURRENCES, count_keys, count_rows, merge_summaries, summarize
from warehouse.schema.analysis import DATA_COLLECTION_RESULTS, EVALUATION_RESULTS
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.known_values import KNOWN_VALUES
from warehouse.schema.operations import SYNC_RUNS, UNKNOWN_FIELDS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.schema.types import Table
from warehouse.schema.usage import LLM_USAGE
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home

_KNOWN_PATHS = tuple(paths(DETAIL))
_SCOPED = (EVALUATION_RESULTS.name, DATA_COLLECTION_RESULTS.name)
"""Tables whose rows are of the conversation or of a scope of its analysis."""


def refresh_unknown(home: Home) -> None:
    """Rebuild ``unknown_fields`` from the days of conversations and from what comes from none."""
    days = drift_by_day.refresh(home, lambda days: _count_days(home, days))
    reference_data = pl.concat([EMPTY_OCCURRENCES, *reference_occurrences(home)], how="diagonal")
    lake.overwrite_table(home, UNKNOWN_FIELDS, merge_summaries([days, summarize(reference_data)]))


def _count_days(home: Home, days: Collection[date]) -> pl.DataFrame:
    """What conversations of some days have that is unknown, by day: columns as of ``summarize`` by ``start_date``."""
    columns = ["conversation_id", "fetched_at", "start_date"]
    conversations = parquet.read_files(CONVERSATIONS, lake.files_of_days(home, CONVERSATIONS, days), columns)
    occurrences = (part for table in DOCUMENT_TABLES for part in _table_occurrences(home, table, days))
    empty = EMPTY_OCCURRENCES.drop("example_id", "seen_at")
    return (
        pl.concat([empty, *occurrences], how="diagonal")
        .join(conversations, "conversation_id")
        .rename({"fetched_at": "seen_at"})
        .with_columns(example_id="conversation_id")
        .pipe(summarize, "start_date")
    )


def _table_occurrences(home: Home, table: Table, days: Collection[date]) -> Iterator[pl.DataFrame]:
    """Unknown keys, types and values of one table, whose files are read only once."""
    closed_columns = [
        (column.name, paths_of)
        for column in table.columns
        if (paths_of := table.paths(column))[:1] and paths_of[0] in KNOWN_VALUES
    ]
    place = {LLM_USAGE.name: "scope", **dict.fromkeys(_SCOPED, "scope_index")}.get(table.name, "conversation_id")
    columns = dict.fromkeys(("conversation_id", "extra", place, *(name for name, _ in closed_columns)))
    has_unknown = pl.any_horizontal(
        pl.col("extra").is_not_null(), *(_is_unknown(name, paths_of[0]) for name, paths_of in closed_columns)
    )
    rows = parquet.read_files(table, lake.files_of_days(home, table, days), list(columns), has_unknown)
    if rows.is_empty():  # as of most tables: to count nothing takes longer than to read it
        return
    for number, rows_at_path in _rows_by_path(table, rows):
        extra = rows_at_path.drop_nulls("extra").select("conversation_id", "extra")
        yield from count_keys(table.at[number], extra, _KNOWN_PATHS)
        for name, paths_of in closed_columns:
            path = paths_of[number]
            values = rows_at_path.filter(_is_unknown(name, path)).select("conversation_id", value=name)
            yield count_rows(values.with_columns(path=pl.lit(path), kind=pl.lit("word")))


def _is_unknown(column: str, path: str) -> pl.Expr:
    return pl.col(column).is_not_null() & ~pl.col(column).is_in(KNOWN_VALUES[path])


def _rows_by_path(table: Table, rows: pl.DataFrame) -> list[tuple[int, pl.DataFrame]]:
    """The rows of a table by the number of their path, where a key tells the paths apart.

    Verdicts and values that only a list twin has count under the map, and all files of an entry under ``file_inputs``.
    """
    if table is LLM_USAGE:
        return [(number, rows.filter(scope=scope)) for number, scope in enumerate(SCOPES)]
    if table.name in _SCOPED:
        is_scoped = pl.col("scope_index") >= 0
        return [(0, rows.filter(~is_scoped)), (len(table.at) - 1, rows.filter(is_scoped))]
    return [(0, rows)]


_TIME = pl.Datetime("us", "UTC")


def new_unknown(home: Home, since: datetime | None = None) -> tuple[pl.DataFrame, int]:
    """Rows of ``unknown_fields`` first seen at or after ``since``, and the number of those seen before.

    Without ``since``: what the last run that fetched conversations added to the lake. That includes what earlier runs
    landed that were interrupted or failed. For the first run, every unknown field is new.
    """
    fields = lake.read(home.all_workspaces, UNKNOWN_FIELDS).sort("workspace", "path", "value")
    starts = {name: since or _start_of_last_run(home.for_workspace(name)) for name in home.workspaces()}
    start = pl.col("workspace").replace_strict(starts, default=None, return_dtype=_TIME)
    new_fields = fields.filter((pl.col("first_seen_at") >= start).fill_null(value=True))
    return new_fields, fields.height - new_fields.height


def _start_of_last_run(home: Home) -> datetime | None:
    """Start of the first run after the last but one that fetched, flattened and did not fail; None without one."""
    runs = lake.read(home, SYNC_RUNS, ["started_at", "outcome", "n_fetched", "n_flattened"]).sort("started_at")
    fetching_runs = runs.filter(pl.col("outcome") != "failed", pl.col("n_fetched") > 0, pl.col("n_flattened") > 0)
    starts: list[datetime] = runs["started_at"].to_list()
    fetching_starts: list[datetime] = fetching_runs["started_at"].to_list()
    if len(fetching_starts) <= 1:
        return None
    return next(started_at for started_at in starts if started_at > fetching_starts[-2])
