"""Checks of the files themselves: all of them can be read, and have the rows that were written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

from warehouse.connection import open_warehouse
from warehouse.errors import QueryError
from warehouse.models.checks import SAMPLE_ROWS, Check, CheckResult
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import damage
from warehouse.storage.home import RESERVED_WORKSPACE, Home

LANDING_READABLE, LAKE_READABLE, LAKE_WRITTEN, RECORDED, WAREHOUSE_READABLE = (
    Check(name, f"lake.{CONVERSATIONS.name}", description, "")
    for name, description in (
        ("landing_is_readable", "Every file of the landing can be read; the next sync fetches again what one had."),
        ("lake_is_readable", "Every file of the lake can be read; the next sync, or reprocess, rebuilds it."),
        ("lake_has_only_written_files", "A run has written every Parquet file of the lake; sync sets others aside."),
        ("lake_has_recorded_rows", "Files of the lake have as many rows as were written; reprocess rebuilds them."),
        ("warehouse_is_readable", "Every block of warehouse.duckdb can be read; build writes it again."),
    )
)

Row = dict[str, str | None]


def check_files(homes: Iterable[Home], *, is_deep: bool = False) -> tuple[CheckResult, ...]:
    """Whether the files of some workspaces can be read; with ``is_deep``, all their values, and the warehouse's.

    Row counts are compared only if every file of the lake can be read.
    """
    homes = tuple(homes)
    with_schema_files = [*homes, *(home.for_workspace(RESERVED_WORKSPACE) for home in homes[:1])]
    in_landing = [row for home in homes for row in _unreadable(home, home.landing, is_deep=is_deep)]
    in_lake = [row for home in with_schema_files for row in _unreadable(home, home.lake, is_deep=is_deep)]
    others: list[Row] = [{"file": str(file)} for home in homes[:1] for file in damage.other_files(home)]
    results = [_result(LANDING_READABLE, in_landing), _result(LAKE_READABLE, in_lake), _result(LAKE_WRITTEN, others)]
    if not in_lake:
        counts: list[Row] = [
            {"file": str(file), "n_recorded": str(n_recorded), "n_rows": str(n_rows)}
            for home in homes
            for file, n_recorded, n_rows in damage.wrong_counts(home)
        ]
        results.append(_result(RECORDED, counts))
    if is_deep and homes:
        results.append(_result(WAREHOUSE_READABLE, list(_unreadable_tables(homes[0]))))
    return tuple(results)


def _unreadable(home: Home, folder: Path, *, is_deep: bool) -> Iterator[Row]:
    for file, reason in damage.unreadable_files(home, folder, is_deep=is_deep):
        yield {"file": str(file), "error": reason}


def _unreadable_tables(home: Home) -> Iterator[Row]:
    """The tables of the warehouse that cannot be read in full; DuckDB compares the checksum of each block."""
    sql = "select schema_name || '.' || table_name from duckdb_tables() where not internal order by all"
    try:
        with open_warehouse(home) as connection:
            for (name,) in connection.execute(sql).fetchall():
                try:
                    connection.execute(f"select bit_xor(hash(rows)) from {name} as rows").fetchall()  # noqa: S608 -- ours
                except duckdb.Error as error:
                    yield {"table": name, "error": " ".join(str(error).split())}
    except (duckdb.Error, QueryError) as error:
        yield {"table": None, "error": " ".join(str(error).split())}


def _result(check: Check, rows: list[Row]) -> CheckResult:
    return CheckResult(check, len(rows), tuple(rows[:SAMPLE_ROWS]))
