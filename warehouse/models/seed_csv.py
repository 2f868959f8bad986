"""The rows of a seed's CSV file, held to its header: whatever is wrong is named by file, line and column.

A seed is small and written by hand or by a spreadsheet, so the file is read with the standard library, value by value:
UTF-8 with or without a mark, separated by commas, columns in any order. Blanks around a value do not count, an empty
value is null, and so is one in quotes.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NoReturn

import polars as pl

from warehouse.errors import ModelError
from warehouse.models.headers import SeedHeader

CsvRow = tuple[int, list[str]]
"""Number of the first line of a record, from 1, and its values."""


def _whole(bits: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else None
        if value is None or not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise ValueError
        return value

    return read


def _number(text: str) -> float:
    value = float(text) if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text) else math.inf
    if not math.isfinite(value):
        raise ValueError
    return value


def _day(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError
    return date.fromisoformat(text)


TYPES: dict[str, tuple[pl.DataType, Callable[[str], object], str]] = {
    "varchar": (pl.String(), str, "text"),
    "integer": (pl.Int32(), _whole(32), "whole number, such as 6000"),
    "bigint": (pl.Int64(), _whole(64), "whole number, such as 6000"),
    "double": (pl.Float64(), _number, "number, such as 1250.50"),
    "date": (pl.Date(), _day, "date, such as 2026-11-01"),
}
"""Types that a seed's header may use: as polars calls them, how a value is read, and how it is told to people."""


def read_rows(path: Path, header: SeedHeader) -> pl.DataFrame:
    """The rows of the file, columns in the header's order and of its types.

    Raises:
        ModelError: names file, line and column of the first mistake.
    """
    lines = list(_lines(path))
    if not lines:
        _refuse(path, 1, None, f"the file is empty; its first line is {','.join(header.types)}")
    names = _names(path, *lines[0], header)
    rows = [_row(path, line, values, names, header) for line, values in lines[1:]]
    _check_keys(path, [(line, row) for (line, _), row in zip(lines[1:], rows, strict=True)], header)
    return pl.DataFrame(rows, {name: TYPES[type_][0] for name, type_ in header.types.items()}, strict=True)


def _lines(path: Path) -> Iterator[CsvRow]:
    """Records with their lines; blank lines are passed over. Bytes that are no UTF-8 come as lone surrogates."""
    text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    reader, begins = csv.reader(io.StringIO(text, newline=""), strict=True), 1
    while True:
        try:
            values = next(reader, None)
        except csv.Error as error:
            _refuse(path, begins, None, f"no CSV: {error}")
        if values is None:
            return
        if any(value.strip() for value in values):
            yield begins, [value.strip() for value in values]
        begins = reader.line_num + 1


def _names(path: Path, line: int, names: list[str], header: SeedHeader) -> list[str]:
    expected = list(header.types)
    for place, name in enumerate(names):
        if not _is_text(name):
            _refuse(path, line, None, f"the name of column {place + 1} is not UTF-8")
        if name not in expected:
            _refuse(path, line, name, f"unknown; the columns are {','.join(expected)}")
        if name in names[:place]:
            _refuse(path, line, name, "stands there twice")
    for name in expected:
        if name not in names:
            _refuse(path, line, name, f"missing; the columns are {','.join(expected)}")
    return names


def _row(path: Path, line: int, values: list[str], names: list[str], header: SeedHeader) -> dict[str, object]:
    if len(values) < len(names):
        said = f"no value; the line has {len(values)} of {len(names)} values"
        _refuse(path, line, names[len(values)], said)
    if len(values) > len(names):
        said = f"{values[len(names)]!r} follows it and is in no column; the line has {len(values)} values"
        _refuse(path, line, names[-1], f"{said} for {len(names)} columns")
    return {name: _value(path, line, name, text, header) for name, text in zip(names, values, strict=True)}


def _value(path: Path, line: int, name: str, text: str, header: SeedHeader) -> object:
    tests = header.tests
    if not text:
        if name in tests.not_null:
            _refuse(path, line, name, "empty, and it must not be")
        return None
    if not _is_text(text):
        _refuse(path, line, name, f"{text.encode(errors='surrogateescape')!r} is not UTF-8")
    _, read, said = TYPES[header.types[name]]
    try:
        value = read(text)
    except ValueError:
        _refuse(path, line, name, f"{text!r} is no {said}")
    if name in tests.accepted and value not in tests.accepted[name]:
        _refuse(path, line, name, f"{text!r} is none of {', '.join(map(str, tests.accepted[name]))}")
    if isinstance(value, int | float) and value < tests.at_least.get(name, -math.inf):
        _refuse(path, line, name, f"{text} is less than {tests.at_least[name]:g}")
    if name == "month_start_date" and isinstance(value, date) and value.day != 1:
        _refuse(path, line, name, f"{text} is not the first day of a month")
    return value


def _check_keys(path: Path, rows: list[tuple[int, dict[str, object]]], header: SeedHeader) -> None:
    key = header.tests.unique or header.grain
    first: dict[tuple[object, ...], int] = {}
    for line, row in rows:
        found = tuple(row[name] for name in key)
        before = first.setdefault(found, line)
        if before != line:
            _refuse(path, line, ", ".join(key), f"{', '.join(map(str, found))} stands on line {before} already")


def _is_text(text: str) -> bool:
    """Whether no byte of it was other than UTF-8."""
    return not any("\udc80" <= letter <= "\udcff" for letter in text)


def _refuse(path: Path, line: int, column: str | None, said: str) -> NoReturn:
    where = f"column {column}: " if column else ""
    raise ModelError(
        f"{path}:{line}: {where}{said}.",
        f"Correct the file; `convohouse tables seeds.{path.stem}` tells what its columns hold.",
    )
