"""Read a batch of feedback from a CSV or Parquet file; a file with a mistake is rejected with the place of it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from pipelines.errors import UsageError

FEEDBACK_VALUES: Mapping[str, str | None] = {"like": "like", "dislike": "dislike", "clear": None}
"""The API's value for each value of the user."""

COLUMNS = ("conversation_id", "feedback")
_HINT = "Nothing was sent: correct the file, then run again."
_INVALID_IDS = frozenset({"", ".", ".."})
"""No path segment of a URL can be one of these."""


def read_feedback_file(file: Path) -> dict[str, str]:
    """The feedback by conversation id, in the order of the file; other columns are ignored.

    Raises:
        UsageError: the file cannot be read, lacks a column, has a value that is not an id or no feedback, or different
            feedback on one conversation; names the file, the line (for Parquet the row, from 1) and the column.
    """
    feedback: dict[str, str] = {}
    is_parquet = file.suffix == ".parquet"
    unit = "row" if is_parquet else "line"
    for number, conversation_id, value in _read_parquet(file) if is_parquet else _read_csv(file):
        place = f"{file}, {unit} {number}"
        if conversation_id in _INVALID_IDS:
            raise UsageError(f"{place}: conversation_id is {conversation_id!r}, which is not an id.", _HINT)
        if value not in FEEDBACK_VALUES:
            raise UsageError(f"{place}: feedback is {value!r}; it is one of {', '.join(FEEDBACK_VALUES)}.", _HINT)
        if feedback.setdefault(conversation_id, value) != value:
            raise UsageError(
                f"{place}: feedback on {conversation_id} is {value}, but {feedback[conversation_id]} before.",
                _HINT,
            )
    return feedback


def _read_csv(file: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, conversation id and feedback of each row."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text, strict=True)
            _check_columns(file, "line 1", rows.fieldnames or ())
            for row in rows:
                yield rows.line_num, *((row[name] or "").strip() for name in COLUMNS)  # type: ignore[misc]  # two columns
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file} cannot be read: {error}.", _HINT) from error


def _read_parquet(file: Path) -> Iterator[tuple[int, str, str]]:
    """Row number, conversation id and feedback of each row."""
    try:
        rows = pl.read_parquet(file, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(f"{file} cannot be read: {error}.", _HINT) from error
    _check_columns(file, "columns", rows.columns)
    for number, (conversation_id, value) in enumerate(rows.select(COLUMNS).iter_rows(), 1):
        yield number, str(conversation_id or "").strip(), str(value or "").strip()


def _check_columns(file: Path, place: str, names: Sequence[str]) -> None:
    for name in COLUMNS:
        if name not in names:
            names_text = ", ".join(map(repr, names)) or "none"
            raise UsageError(f"{file}, {place}: there is no column {name}; there are {names_text}.", _HINT)
