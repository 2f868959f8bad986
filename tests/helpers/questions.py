"""The answers in docs/questions.md: its SQL is run on the demo, and the table below each is what comes out.

``make readme`` writes the tables, as does ``python -m tests.helpers.questions demo`` where a demo has run; a test
compares them with a run, dates aside.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.helpers.reference_docs import ROOT
from warehouse.serve.query import query
from warehouse.storage.home import Home

QUESTIONS_FILE = ROOT / "docs" / "questions.md"

_QUESTION = re.compile(r"(?P<sql>```sql\n(?P<query>[^`]*)```\n\n)(?P<answer>(?:\|.*\n)*)\n?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_SMALL = 0.1
"""Amounts below it are shown with three significant digits, others with three decimals."""


def questions(text: str) -> list[tuple[str, str]]:
    """The SQL and the table of each question of a page."""
    return [(match["query"], match["answer"]) for match in _QUESTION.finditer(text)]


def answer(home: Home, sql: str) -> str:
    """What the SQL gives, as a table."""
    return "".join(f"{line}\n" for line in _table(query(home, sql)))


def _table(frame: Any) -> Iterator[str]:
    yield f"| {' | '.join(frame.columns)} |"
    yield f"|{'---|' * frame.width}"
    for row in frame.iter_rows():
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        digits = f"{value:.3f}" if abs(value) >= _SMALL else f"{value:.3g}"
        return digits.rstrip("0").rstrip(".") if "." in digits else digits
    return " ".join(str(value).replace("|", "\\|").split())


def comparable(table: str) -> str:
    """A table without its dates, which follow the day on which the demo ran."""
    return _DATE.sub("DATE", table)


def write(home: Home) -> None:
    """Write the tables of docs/questions.md."""
    text = QUESTIONS_FILE.read_text(encoding="utf-8")
    text = _QUESTION.sub(lambda match: match["sql"] + answer(home, match["query"]) + "\n", text).rstrip("\n") + "\n"
    QUESTIONS_FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Home(Path(sys.argv[1])))
