"""A day with more conversations than fit in memory: flattened and merged by ranges of ids, then joined file by file.

The rows of a range are written beside the lake, and become the file of the day only once all ranges are there. So the
files are the same as those of a smaller day: one per table, sorted by key. Memory is that of a range.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.types import Table
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home

CONVERSATIONS_PER_RANGE = 20_000
"""About 600 MB in a process."""

FlattenRange = Callable[[pl.DataFrame], Mapping[str, pl.DataFrame]]
"""From stale snapshots to prepared rows by table."""


@dataclass(slots=True)
class _Parts:
    """The files of a table so far, whether their rows are those that it has, and how many they are."""

    files: list[Path] = field(default_factory=list)
    is_same: bool = True
    n_rows: int = 0


def is_large(home: Home, stale: pl.DataFrame) -> bool:
    """Whether a day, with its stale snapshots, has more conversations than a range."""
    files = lake.files_of_days(home, CONVERSATIONS, [stale["start_date"][0]])
    n_existing: int = sum(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item() for file in files)
    return max(n_existing, stale.height) > CONVERSATIONS_PER_RANGE


def merge_by_range(
    home: Home, stale: pl.DataFrame, flatten_range: FlattenRange, tables: Sequence[Table], last: Table
) -> None:
    """Replace the rows of the stale conversations of one day in every table; other rows stay.

    Args:
        home: The workspace.
        stale: Stale snapshots of one day, with an id each.
        flatten_range: Flattens those of a range.
        tables: The tables in the order in which they are to change.
        last: The table that changes last, and stores how many rows the others have.
    """
    day = stale["start_date"][0]
    merged = {table.name: _Parts() for table in (*tables, last)}
    with ExitStack() as files:
        for lower, upper in _ranges(home, stale):
            in_range = stale.filter(_is_between(lower, upper))
            rows = flatten_range(in_range)
            ids = in_range["conversation_id"].implode()
            for table in (*tables, last):
                day_files = lake.files_of_days(home, table, [day])
                existing = parquet.read_files(table, day_files, where=_is_between(lower, upper))
                is_replaced = existing["conversation_id"].is_in(ids)
                parts, new_rows = merged[table.name], rows[table.name]
                parts.is_same &= existing.filter(is_replaced).equals(new_rows)
                range_rows = pl.concat([existing.filter(~is_replaced), new_rows])
                range_rows = range_rows.sort("conversation_id", maintain_order=True)
                parts.n_rows += range_rows.height
                if range_rows.height:
                    part = home.temporary / f"{uuid.uuid4().hex}.parquet"
                    parquet.write_file(home, part, range_rows)
                    files.callback(part.unlink)
                    parts.files.append(part)
        counts = {table.name: merged[table.name].n_rows for table in tables}
        for table in tables:
            if not merged[table.name].is_same:
                lake.replace_partition(home, table, day, merged[table.name].files)
        target = home.file(home.partition(last, day))
        is_same = merged[last.name].is_same and target.exists() and lake.is_recorded(home, day, target, counts)
        if not is_same:
            lake.replace_partition(home, last, day, merged[last.name].files, counts)


def _ranges(home: Home, stale: pl.DataFrame) -> list[tuple[str | None, str | None]]:
    """Bounds of ids, from one to below the next, with few enough conversations; the first and the last are open."""
    files = lake.files_of_days(home, CONVERSATIONS, [stale["start_date"][0]])
    existing = parquet.read_files(CONVERSATIONS, files, ["conversation_id"])
    ids = pl.concat([existing["conversation_id"], stale["conversation_id"]]).unique().sort()
    bounds = ids.gather_every(CONVERSATIONS_PER_RANGE).to_list()[1:]
    return list(zip([None, *bounds], [*bounds, None], strict=True))


def _is_between(lower: str | None, upper: str | None) -> pl.Expr:
    name = pl.col("conversation_id")
    return (pl.lit(value=True) if lower is None else name >= lower) & (
        pl.lit(value=True) if upper is None else name < upper
    )
