"""What the API sends that the schema does not know: keys, types and words, counted over the lake as it stands.

Nothing of it is lost: a key or a value of another type is in ``extra`` of its row, a word in its column. This module
only counts, from the lake alone, so the count is as exact as the lake and needs no account of its own. Seen is when
the content that the lake shows was first read: a conversation that changed moves on to its new reading. A call or
result inside of a workflow step counts under the path of the transcript's own, as it has the same columns. A key that
holds nothing (null, an empty list or object) is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

import msgspec
import polars as pl

from pipelines.transform.document_schema import DETAIL, paths
from pipelines.transform.lenient_decode import general
from pipelines.transform.schema_drift_reference_data import count_unknown_reference
from pipelines.transform.table_builders import SCOPES
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.known_values import KNOWN_VALUES
from warehouse.schema.operations import SYNC_RUNS, UNKNOWN_FIELDS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.schema.types import Table, display_path
from warehouse.schema.usage import LLM_USAGE
from warehouse.storage import lake
from warehouse.storage.home import Home

_SEEN = {"path": pl.String, "value": pl.String, "kind": pl.String, "conversation_id": pl.String, "n_rows": pl.Int64}
_CHUNK = 100_000
"""Rows whose ``extra`` is opened at a time: a new key can stand in every row of a table."""

_keys_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def count_unknown(home: Home) -> pl.DataFrame:
    """The rows of ``unknown_fields``: each key path or word outside of the schema, how often and when it was seen."""
    seen = pl.concat([pl.DataFrame(schema=_SEEN), *_unknown(home)])
    read = lake.read(home, CONVERSATIONS, ["conversation_id", "fetched_at"])
    return (
        seen.join(read, "conversation_id")
        .sort("fetched_at", "conversation_id")
        .group_by("path", "value")
        .agg(
            pl.col("kind").min(),
            pl.col("n_rows").sum(),
            n_conversations=pl.col("conversation_id").n_unique().cast(pl.Int64),
            first_seen_at=pl.col("fetched_at").first(),
            last_seen_at=pl.col("fetched_at").last(),
            example_id=pl.col("conversation_id").last(),
        )
    )


def refresh_unknown(home: Home) -> None:
    """Write ``unknown_fields`` anew, of conversations, tools and prices."""
    found = pl.concat([count_unknown(home), count_unknown_reference(home)], how="diagonal")
    lake.overwrite_table(home, UNKNOWN_FIELDS, found)


def _unknown(home: Home) -> Iterator[pl.DataFrame]:
    """What is unknown of each table, whose files are read but once."""
    for table in DOCUMENT_TABLES:
        words = [
            (column.name, path) for column in table.columns for path in table.paths(column) if path in KNOWN_VALUES
        ]
        own = ("scope",) if table is LLM_USAGE else ()
        columns = dict.fromkeys(("conversation_id", "extra", *own, *(name for name, _ in words)))
        is_odd = pl.any_horizontal(pl.col("extra").is_not_null(), *(_is_unknown(*word) for word in words))
        rows = lake.read(home, table, list(columns), is_odd)
        for at, left_over in _left_over(table, rows):
            yield from _unknown_keys(at, left_over.select("conversation_id", "extra"))
        for name, path in words:
            others = rows.filter(_is_unknown(name, path)).select("conversation_id", value=name)
            yield _counted(others.with_columns(path=pl.lit(path), kind=pl.lit("word")))


def _is_unknown(column: str, path: str) -> pl.Expr:
    return pl.col(column).is_not_null() & ~pl.col(column).is_in(KNOWN_VALUES[path])


def _left_over(table: Table, rows: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Each path where rows of the table stand, with those of which no column took something."""
    left_over = rows.drop_nulls("extra")
    if table is LLM_USAGE:
        return [(at, left_over.filter(scope=scope)) for scope, at in zip(SCOPES, table.at, strict=True)]
    return [(table.at[0], left_over)]


def _unknown_keys(at: str, left_over: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for chunk in left_over.iter_slices(_CHUNK):
        rows = [
            (_whole(at, path), conversation_id) for conversation_id, extra in chunk.rows() for path in _keys_of(extra)
        ]
        found = pl.DataFrame(rows, {"path": pl.String, "conversation_id": pl.String}, orient="row")
        kind = pl.when(pl.col("path").is_in(_KNOWN)).then(pl.lit("type")).otherwise(pl.lit("key"))
        yield _counted(found.with_columns(value=pl.lit(""), kind=kind))


@lru_cache(maxsize=10_000)
def _whole(at: str, path: str) -> str:
    """Path in a document of an entry of ``extra`` of a row at ``at``, without indexes and map keys."""
    return f"{display_path(at)}.{general(path)}".removeprefix(".")


_KNOWN = tuple(paths(DETAIL))
"""Paths that the schema knows: what is left over there is of another type."""


def _counted(found: pl.DataFrame) -> pl.DataFrame:
    counts = found.group_by("path", "value", "kind", "conversation_id").agg(n_rows=pl.len().cast(pl.Int64))
    return counts.select(_SEEN.keys())


_TIME = pl.Datetime("us", "UTC")


def new_unknown(home: Home, since: datetime | None = None) -> tuple[pl.DataFrame, int]:
    """Rows of ``unknown_fields`` first seen at or after ``since``, and how many were seen before.

    Without ``since``, what the last run that read anything brought into the lake, that of runs before it included that
    were cut short after they had landed documents. Every unknown field is new to the first run.
    """
    every = lake.read(home.all_workspaces, UNKNOWN_FIELDS).sort("workspace", "path", "value")
    starts = {name: since or _since_last_run(home.for_workspace(name)) for name in home.workspaces()}
    is_new = pl.col("first_seen_at") >= pl.col("workspace").replace_strict(starts, default=None, return_dtype=_TIME)
    new = every.filter(is_new.fill_null(value=True))
    return new, every.height - new.height


def _since_last_run(home: Home) -> datetime | None:
    """Start of the first run after the last but one that brought readings into the lake; None without such a run."""
    rows = lake.read(home, SYNC_RUNS, ["started_at", "n_fetched", "n_flattened"]).sort("started_at").rows()
    starts: list[datetime] = [start for start, _, _ in rows]
    reading = [start for start, n_fetched, n_flattened in rows if n_fetched and n_flattened]
    return next((start for start in starts if start > reading[-2]), None) if len(reading) > 1 else None
