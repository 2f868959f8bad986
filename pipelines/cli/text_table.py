"""The layout of text: tables, lists of facts and paragraphs, as wide as the terminal.

Nothing is broken inside a word. A table that is too wide wraps its columns of prose between words; if that is not
enough, each row becomes a block of lines. A table without prose hides columns from the right instead, and says which.
Text that goes into a file or a pipe has no width.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO

from warehouse.serve.value_format import escape_invisible

MAX_CELL = 60
"""Characters of a cell on a terminal where the table is one of long values; longer ones end with an ellipsis."""
MIN_PROSE = 12
"""Characters below which a column of prose cannot be read."""
_GAP = 2
_WORDS = re.compile(r"(\s*)(\S+)", re.ASCII)
"""A word with the blanks before it; a no-break space is a part of a word."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A table as text, and the columns for which there was no room."""

    text: str
    hidden: tuple[str, ...] = ()


def terminal_width(stream: TextIO | None = None) -> int | None:
    """Columns of the terminal behind a stream (standard output); None where it is a file or a pipe."""
    return shutil.get_terminal_size().columns if (stream or sys.stdout).isatty() else None


def lay_out(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[str] = (),
    prose: Collection[str] = (),
    width: int | None = None,
    max_cell: int | None = None,
) -> Layout:
    """Lay out a table.

    Args:
        names: The headings.
        rows: Cells, each one line.
        right: Columns that are aligned to the right.
        prose: Columns that may wrap between words; without any, columns are hidden where there is no room.
        width: Columns of the terminal; None means no limit.
        max_cell: Characters after which a cell is cut with an ellipsis, on a terminal.
    """
    rows = [[escape_invisible(cell) for cell in row] for row in rows]
    if width and max_cell:
        rows = [[cut(cell, max_cell) for cell in row] for row in rows]
    widths = _natural_widths(names, rows)
    hidden: tuple[str, ...] = ()
    if width is not None and _total(widths) > width:
        if not prose:
            n_visible = _count_fitting(widths, width)
            hidden = tuple(names[n_visible:])
            names, rows, widths = names[:n_visible], [row[:n_visible] for row in rows], widths[:n_visible]
        elif (narrow := _prose_widths(names, rows, widths, prose, width)) is None:
            return Layout("\n".join(_blocks(names, rows, width)))
        else:
            widths = narrow
    lines = [_line(names, widths, right)]
    for row in rows:
        cells = [
            wrap(cell, size) if name in prose else [cell] for name, cell, size in zip(names, row, widths, strict=True)
        ]
        for number in range(max(map(len, cells))):
            parts = [cell[number] if number < len(cell) else "" for cell in cells]
            lines.append(_line(parts, widths, right, names))
    return Layout("\n".join(lines), hidden)


def aligned(facts: Iterable[tuple[str, str]], width: int | None = None) -> str:
    """Two columns, indented; a fact without a name continues the one before. The second one wraps between words."""
    pairs = [(name, escape_invisible(text)) for name, text in facts]
    name_width = max((len(name) for name, _ in pairs), default=0)
    start = name_width + 4
    lines: list[str] = []
    for name, text in pairs:
        room = max(width - start, MIN_PROSE) if width else None
        first, *others = wrap(text, room) if room else [text]
        lines.append(f"  {name:<{name_width}}  {first}".rstrip())
        lines += [f"{'':<{start}}{other}" for other in others]
    return "\n".join(lines)


def wrap_lines(text: str, width: int | None) -> str:
    """Long lines wrapped between words, each continued with its own indentation; without control characters."""
    text = escape_invisible(text)
    if not width:
        return text
    return "\n".join(_wrap_line(line, width) for line in text.split("\n"))


def cut(text: str, length: int) -> str:
    """A text that is too long, with an ellipsis at its end."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _wrap_line(line: str, width: int) -> str:
    if _cells(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return "\n".join(f"{indent}{part}" for part in wrap(line.strip(), max(width - len(indent), MIN_PROSE)))


def wrap(text: str, width: int) -> list[str]:
    """Lines of whole words; a word that is longer than a line stays whole."""
    lines, line = [], ""
    for gap, word in _WORDS.findall(text):
        longer = f"{line}{' ' * len(gap)}{word}"
        if line and _cells(longer) > width:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def _cells(text: str) -> int:
    """Columns that a text takes on a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _natural_widths(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(_cells(name), *(_cells(row[place]) for row in rows), 0) for place, name in enumerate(names)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _count_fitting(widths: Sequence[int], width: int) -> int:
    """Columns from the left, at least one, that fit side by side."""
    return max(1, *(count for count in range(1, len(widths) + 1) if _total(widths[:count]) <= width), 0)


def _prose_widths(
    names: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], prose: Collection[str], width: int
) -> list[int] | None:
    """Widths with which the table fits by wrapping its prose, or None where a word would be broken."""
    places = [place for place, name in enumerate(names) if name in prose]
    narrow = list(widths)
    for place in places:
        words = (word for row in rows for word in row[place].split())
        longest_word = max(map(_cells, words), default=0)
        narrow[place] = min(widths[place], max(_cells(names[place]), longest_word, MIN_PROSE))
    room = width - _total(narrow)
    if room < 0:
        return None
    for place in sorted(places, key=lambda place: widths[place]):  # the shorter one first: it may need little
        extra = min(widths[place] - narrow[place], room)
        narrow[place] += extra
        room -= extra
    return narrow


def _line(
    cells: Sequence[str], widths: Sequence[int], right: Collection[str], names: Sequence[str] | None = None
) -> str:
    padded = []
    for cell, width, name in zip(cells, widths, names or cells, strict=True):
        space = " " * (width - _cells(cell))
        padded.append(f"{space}{cell}" if name in right else f"{cell}{space}")
    return (" " * _GAP).join(padded).rstrip()


def _blocks(names: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterable[str]:
    """Each row as its first cell and a line for every other cell that is not empty."""
    for row in rows:
        yield row[0]
        facts = [(name, cell) for name, cell in zip(names[1:], row[1:], strict=True) if cell]
        if facts:
            yield aligned(facts, width)
