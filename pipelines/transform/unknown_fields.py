"""Counts fields that the schema does not know; the helpers of ``schema_drift`` and ``schema_drift_reference_data``.

An occurrence is an unknown key, type or value in one row of the lake. Both modules say which rows to look at, and count
them here, so the rules are the same for conversations and all else that lands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

import msgspec
import polars as pl

from pipelines.transform.lenient_decode import generic_path
from warehouse.schema.types import display_path

ROWS_PER_SLICE = 100_000
"""Rows whose ``extra`` is decoded at once: a new key can be in every row of a table, which bounds memory."""

EMPTY_OCCURRENCES = pl.DataFrame(
    schema={
        "path": pl.String,
        "value": pl.String,
        "kind": pl.String,
        "conversation_id": pl.String,  # null for reference data
        "example_id": pl.String,
        "seen_at": pl.Datetime("us", "UTC"),
        "n_rows": pl.Int64,
    }
)

_decode_keys = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
"""The keys of a JSON object; the values stay encoded."""


def count_keys(row_path: str, rows: pl.DataFrame, known_paths: Collection[str]) -> Iterator[pl.DataFrame]:
    """Occurrences in the column ``extra`` of the rows at one path; rows are counted per value of the other columns.

    The kind is ``type`` where the path is known, as then only the value did not fit its column, and ``key`` otherwise.
    """
    kind = pl.when(pl.col("path").is_in(list(known_paths))).then(pl.lit("type")).otherwise(pl.lit("key"))
    for part in rows.iter_slices(ROWS_PER_SLICE):
        entries = [
            (n, _full_path(row_path, key)) for n, extra in enumerate(part["extra"]) for key in _decode_keys(extra)
        ]
        keys = pl.DataFrame(entries, {"row_number": pl.UInt32, "path": pl.String}, orient="row")
        fields = part.drop("extra")[keys["row_number"]].with_columns(keys["path"])
        yield count_rows(fields.with_columns(kind=kind, value=pl.lit("")))


def count_rows(fields: pl.DataFrame) -> pl.DataFrame:
    """Occurrences: equal rows become one, with ``n_rows``."""
    return fields.group_by(pl.all()).agg(n_rows=pl.len().cast(pl.Int64))


@lru_cache(maxsize=10_000)
def _full_path(row_path: str, key: str) -> str:
    """Path of an entry of ``extra`` from the beginning of the document, without indexes and map keys."""
    return f"{display_path(row_path)}.{generic_path(key)}".removeprefix(".")


def summarize(occurrences: pl.DataFrame, *by: str) -> pl.DataFrame:
    """The rows of ``unknown_fields``: per path and value, how often and when it was seen; the example is the latest.

    ``by`` are further columns to group by.
    """
    return (
        occurrences.sort("seen_at", "example_id")
        .group_by(*by, "path", "value")
        .agg(
            pl.col("kind").min(),
            pl.col("n_rows").sum(),
            n_conversations=pl.col("conversation_id").drop_nulls().n_unique().cast(pl.Int64),
            first_seen_at=pl.col("seen_at").first(),
            last_seen_at=pl.col("seen_at").last(),
            example_id=pl.col("example_id").last(),
        )
    )


def merge_summaries(summaries: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The summary of all occurrences, from summaries of parts, none of which has a conversation of another."""
    return (
        pl.concat(summaries, how="diagonal")
        .sort("last_seen_at", "example_id")
        .group_by("path", "value")
        .agg(
            pl.col("kind").min(),
            pl.col("n_rows", "n_conversations").sum(),
            pl.col("first_seen_at").min(),
            pl.col("last_seen_at", "example_id").last(),
        )
    )
