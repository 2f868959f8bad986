"""Reviewed batches of feedback, from a CSV or Parquet file: whole and right, or refused with the place of the fault."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from pipelines.errors import UsageError

FEEDBACK_VALUES: Mapping[str, str | None] = {"like": "like", "dislike": "dislike", "clear": None}
"""What people say, and what the API is told."""

COLUMNS = ("conversation_id", "feedback")
_NOTHING = "Nothing was sent: correct the file, then run again."
_NO_IDS = frozenset({"", ".", ".."})


def read_feedback_file(file: Path) -> dict[str, str]:
    """The verdict on each conversation, in the order of the file; other columns are the reviewers' own.

    Raises:
        UsageError: the file cannot be read, lacks a column, or holds something that is no id or no verdict, or two
            verdicts on one conversation; names the file, the line (of Parquet the row, from 1) and the column.
    """
    found: dict[str, str] = {}
    place = "row" if file.suffix == ".parquet" else "line"
    for number, conversation_id, verdict in _parquet(file) if file.suffix == ".parquet" else _csv(file):
        where = f"{file}, {place} {number}"
        if conversation_id in _NO_IDS:
            raise UsageError(f"{where}: conversation_id is {conversation_id!r}, which is no id.", _NOTHING)
        if verdict not in FEEDBACK_VALUES:
            raise UsageError(f"{where}: feedback is {verdict!r}; it is one of {', '.join(FEEDBACK_VALUES)}.", _NOTHING)
        if found.setdefault(conversation_id, verdict) != verdict:
            raise UsageError(
                f"{where}: feedback on {conversation_id} is {verdict}, and {found[conversation_id]} further up.",
                _NOTHING,
            )
    return found


def _csv(file: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, id and verdict of each row."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text, strict=True)
            _check_columns(file, "line 1", rows.fieldnames or ())
            for row in rows:
                yield rows.line_num, *((row[name] or "").strip() for name in COLUMNS)  # type: ignore[misc]  # two columns
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file} cannot be read: {error}.", _NOTHING) from error


def _parquet(file: Path) -> Iterator[tuple[int, str, str]]:
    """Row number, id and verdict of each row."""
    try:
        rows = pl.read_parquet(file, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(f"{file} cannot be read: {error}.", _NOTHING) from error
    _check_columns(file, "columns", rows.columns)
    for number, (conversation_id, verdict) in enumerate(rows.select(COLUMNS).iter_rows(), 1):
        yield number, str(conversation_id or "").strip(), str(verdict or "").strip()


def _check_columns(file: Path, where: str, names: object) -> None:
    found = list(names) if isinstance(names, list | tuple) else []
    for name in COLUMNS:
        if name not in found:
            shown = ", ".join(map(repr, found)) or "none"
            raise UsageError(f"{file}, {where}: there is no column {name}; there are {shown}.", _NOTHING)
