"""Reads a seed's CSV file; every mistake is named by file, line and column.

The file is UTF-8, with or without a byte order mark, and separated by commas; its columns may be in any order. Blanks
around a value are dropped, an empty value is null, also in quotes, and a line without values is skipped.

Python's csv module splits the file, because it knows the line of each record; DuckDB's read_csv tells it only for
records that it rejects. DuckDB then runs the checks of the seed's header, as it does for models
(``warehouse.models.checks``), and a failing row is shown by its line.
"""

# ruff: noqa: S608 -- every name in these statements is from sql/seeds, none from a user

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import duckdb
import polars as pl

from warehouse.arrow_stream import ArrowStream
from warehouse.errors import ModelError
from warehouse.models.checks import Check, header_checks, row_check, run
from warehouse.models.headers import SeedHeader

_WHOLE_NUMBER = "[+-]?[0-9]+", "a whole number, such as 6000"
TYPES = {
    "varchar": ("(?s).*", "text"),
    "integer": _WHOLE_NUMBER,
    "bigint": _WHOLE_NUMBER,
    "double": (r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", "a number, such as 1250.50"),
    "date": ("[0-9]{4}-[0-9]{2}-[0-9]{2}", "a date, such as 2026-11-01"),
}
"""DuckDB types that a seed may have: how a value is written, as a regular expression and in words.

The pattern is needed because a cast accepts more: 1e3 as the whole number 1000, nan and inf as numbers.
"""

_FRAME_TYPES: dict[str, type[pl.DataType]] = {
    "varchar": pl.String,
    "integer": pl.Int32,
    "bigint": pl.Int64,
    "double": pl.Float64,
    "date": pl.Date,
}

LINE = "csv_line"
"""Column with the first line of a record, from 1."""


def read_rows(
    connection: duckdb.DuckDBPyConnection, path: Path, content: bytes, key: str, header: SeedHeader
) -> pl.DataFrame:
    """The rows of the file ``path``, with the header's columns in its order and of its types.

    ``connection`` is to a database in memory that has a schema ``seeds``; it receives the seed as table ``key``.

    Raises:
        ModelError: names file, line and column of the first mistake.
    """
    connection.register("csv_text", ArrowStream(_read_text(path, content, list(header.types))))
    _refuse_failing(connection, path, (_type_check(name, type_) for name, type_ in header.types.items()))
    values = ", ".join(f"cast({name} as {type_}) as {name}" for name, type_ in header.types.items())
    connection.execute(f"create table {key} as select {LINE}, {values} from csv_text order by {LINE}")
    _refuse_failing(connection, path, _value_checks(key, header))
    rows = connection.execute(f"select {', '.join(header.types)} from {key} order by {LINE}").fetchall()
    return pl.DataFrame(rows, {name: _FRAME_TYPES[type_] for name, type_ in header.types.items()}, orient="row")


def _read_text(path: Path, content: bytes, names: list[str]) -> pl.DataFrame:
    """The file's values as text, null where empty, and the line of each record."""
    records = _records(path, content)
    line, columns = next(records, (1, []))
    if not columns:
        _refuse(path, 1, None, f"the file is empty; its first line is {','.join(names)}")
    _check_columns(path, line, columns, names)
    rows = list[dict[str, str | int | None]]()
    for line, values in records:
        if len(values) < len(columns):
            _refuse(path, line, columns[len(values)], f"no value; the line has {len(values)} of {len(columns)} values")
        if len(values) > len(columns):
            surplus = f"{values[len(columns)]!r} comes after it and has no column"
            _refuse(path, line, columns[-1], f"{surplus}; the line has {len(values)} values for {len(columns)} columns")
        for column, value in zip(columns, values, strict=True):
            if not _is_utf8(value):
                _refuse(path, line, column, f"{value.encode(errors='surrogateescape')!r} is not UTF-8")
        rows.append({LINE: line} | {name: value or None for name, value in zip(columns, values, strict=True)})
    return pl.DataFrame(rows, {LINE: pl.Int64()} | dict.fromkeys(names, pl.String()))


def _records(path: Path, content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Records that have a value, with their first line. A byte that is not UTF-8 becomes a lone surrogate."""
    text = content.decode("utf-8-sig", errors="surrogateescape")
    reader, line = csv.reader(io.StringIO(text, newline=""), strict=True), 1
    try:
        for record in reader:
            values = [value.strip() for value in record]
            if any(values):
                yield line, values
            line = reader.line_num + 1
    except csv.Error as error:
        _refuse(path, line, None, f"this is not CSV: {error}")


def _check_columns(path: Path, line: int, columns: list[str], names: list[str]) -> None:
    for number, column in enumerate(columns, 1):
        if not _is_utf8(column):
            _refuse(path, line, None, f"the name of column {number} is not UTF-8")
        if column not in names:
            _refuse(path, line, column, f"unknown; the columns are {','.join(names)}")
        if columns.index(column) + 1 < number:
            _refuse(path, line, column, "named twice")
    for name in names:
        if name not in columns:
            _refuse(path, line, name, f"missing; the columns are {','.join(names)}")


def _is_utf8(text: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in text)


def _type_check(column: str, type_: str) -> Check:
    pattern, description = TYPES[type_]
    is_valid = f"regexp_full_match({column}, '{pattern}') and try_cast({column} as {type_}) is not null"
    if type_ == "double":
        is_valid += f" and isfinite(try_cast({column} as double))"  # 1e999 is infinite
    failing_when = f"{column} is not null and not ({is_valid})"
    return row_check(f"type_{column}", "csv_text", [column], failing_when, f"{column} is {description}.")


def _value_checks(key: str, header: SeedHeader) -> Iterator[Check]:
    """Checks of the header that read only the seed; one that reads other relations waits for the build."""
    yield from (check for check in header_checks(key, header) if not check.also_reads)
    if "month_start_date" in header.types:
        failing_when, description = "day(month_start_date) <> 1", "month_start_date is the first day of a month."
        yield row_check("month_start_date", key, ["month_start_date"], failing_when, description)


def _refuse_failing(connection: duckdb.DuckDBPyConnection, path: Path, checks: Iterable[Check]) -> None:
    """Refuse the file at the first line that fails any of the checks."""
    failures = [_first_failure(connection, result.check) for result in run(connection, checks) if not result.is_passed]
    if failures:
        _refuse(path, *min(failures, key=lambda failure: failure[0]))


def _first_failure(connection: duckdb.DuckDBPyConnection, check: Check) -> tuple[int, str, str]:
    """Line, columns and problem of the first row that fails."""
    columns = ", ".join(check.columns)
    if check.failing_when:
        failing = f"select {LINE} from {check.model} where {check.failing_when} order by {LINE} limit 1"
        sql = f"select {LINE}, {columns} from csv_text where {LINE} = ({failing})"  # the value as it is in the file
        line, value = connection.execute(sql).fetchall()[0]
        value_text = "an empty value" if value is None else repr(value)
        return line, columns, f"{value_text} is not allowed: {check.description.removesuffix('.')}"
    sql = f"select {LINE}, min({LINE}) over (partition by {columns}) as earlier, {columns} from {check.model}"
    line, earlier, *values = connection.execute(f"{sql} qualify {LINE} > earlier order by {LINE} limit 1").fetchall()[0]
    return line, columns, f"{', '.join(map(str, values))} is already on line {earlier}"


def _refuse(path: Path, line: int, column: str | None, problem: str) -> NoReturn:
    raise ModelError(
        f"{path}:{line}: {f'column {column}: ' if column else ''}{problem}.",
        f"Correct the file; `convohouse tables seeds.{path.stem}` describes its columns.",
    )
