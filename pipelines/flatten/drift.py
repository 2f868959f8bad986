"""What the API sends that the schema does not know: keys, types and words, counted over the lake as it stands.

Nothing of it is lost: a key or a value of another type is in ``extra`` of its row, a word in its column. This module
only counts, from the lake alone, so the count is as exact as the lake and needs no account of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

import polars as pl

from pipelines.flatten.shape import DETAIL, Items, Object, Shape, steps
from warehouse import lake
from warehouse.columns import Table, plain_path
from warehouse.home import Home
from warehouse.tables import CONVERSATIONS, DOCUMENT_TABLES, UNKNOWN_FIELDS
from warehouse.vocabulary import WORDS

_SEEN = {"path": pl.String, "value": pl.String, "kind": pl.String, "conversation_id": pl.String}


def count_unknown(home: Home) -> pl.DataFrame:
    """The rows of ``unknown_fields``: each key path or word outside of the schema, how often and when it was seen."""
    seen = pl.concat([pl.DataFrame(schema=_SEEN), *_unknown_keys(home), *_unknown_words(home)])
    read = lake.read(home, CONVERSATIONS, ["conversation_id", "fetched_at"])
    return (
        seen.join(read, "conversation_id")
        .sort("fetched_at", "conversation_id")
        .group_by("path", "value")
        .agg(
            kind=pl.col("kind").first(),
            n_rows=pl.len().cast(pl.Int64),
            n_conversations=pl.col("conversation_id").n_unique().cast(pl.Int64),
            first_seen_at=pl.col("fetched_at").first(),
            last_seen_at=pl.col("fetched_at").last(),
            example_id=pl.col("conversation_id").last(),
        )
        .select(UNKNOWN_FIELDS.names)
    )


def refresh_unknown(home: Home) -> None:
    """Write ``unknown_fields`` anew."""
    lake.write_whole(home, UNKNOWN_FIELDS, count_unknown(home))


def _unknown_keys(home: Home) -> Iterator[pl.DataFrame]:
    for table in DOCUMENT_TABLES:
        kept = lake.read(home, table, ["conversation_id", "extra"]).drop_nulls("extra")
        rows = [
            (*_key(table, path), conversation_id)
            for conversation_id, extra in kept.rows()
            for path in json.loads(extra)
        ]
        yield pl.DataFrame(rows, _SEEN, orient="row")


def _key(table: Table, path: str) -> tuple[str, str, str]:
    """Path, value and kind of an entry of ``extra``; its own indexes and map keys are left out."""
    below = re.sub(r"\{[^}]*\}", "{}", re.sub(r"\[\d+\]", "[]", path))
    whole = f"{plain_path(table.at[0])}.{below}".strip(".")
    return whole, "", "type" if _is_known(whole) else "key"


def _is_known(path: str) -> bool:
    node: Shape = DETAIL
    for step in steps(path):
        if isinstance(node, Object):
            if step not in node.fields:
                return False
            node = node.fields[step]
        elif isinstance(node, Items):
            node = node.element
    return True


def _unknown_words(home: Home) -> Iterator[pl.DataFrame]:
    for table, column, path in _closed_columns(DOCUMENT_TABLES):
        rows = lake.read(home, table, ["conversation_id", column]).drop_nulls(column)
        others = rows.filter(~pl.col(column).is_in(WORDS[path]))
        yield others.select(path=pl.lit(path), value=column, kind=pl.lit("word"), conversation_id="conversation_id")


def _closed_columns(tables: Iterable[Table]) -> Iterator[tuple[Table, str, str]]:
    for table in tables:
        for column in table.columns:
            for path in table.paths(column):
                if path in WORDS:
                    yield table, column.name, path
