"""Rows as an aligned table of text: restrained, as wide as the terminal, whole where it goes into a file or a pipe."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Collection, Sequence

MAX_CELL = 60
_GAP = 2
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def plain(value: object) -> str:
    """A value as one line without control characters: what callers said must not steer a terminal."""
    return "" if value is None else _CONTROL.sub(" ", _short(value) if isinstance(value, float) else str(value))


def _short(value: float) -> str:
    """Four decimals, or four digits where the number is small."""
    return f"{value:.4g}" if abs(value) < 1 else f"{value:.4f}".rstrip("0").rstrip(".")


def terminal_width() -> int | None:
    """Columns of the terminal that standard output is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def fitting(names: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> int:
    """How many columns, from the left and at least one, stand side by side without being cut below ``MAX_CELL``."""
    if width is None:
        return len(names)
    used, fit = 0, 0
    for place, name in enumerate(names):
        used += min(MAX_CELL, max(len(name), *(len(row[place]) for row in rows), 0)) + _GAP
        if used > width + _GAP and fit:
            break
        fit += 1
    return fit


def table_text(
    names: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    right: Collection[str] = (),
    width: int | None = None,
    is_cut: bool = False,
) -> str:
    """A table of text.

    Args:
        names: The columns.
        rows: Their values.
        right: Columns of numbers, which stand to the right.
        width: Columns of the terminal; None takes the real one.
        is_cut: Whether a cell that is too long is cut to one line with an ellipsis; it goes over several otherwise.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = width or terminal_width()
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for name in names:
        table.add_column(
            Text(plain(name)),
            justify="right" if name in right else "left",
            no_wrap=is_cut or width is None,
            overflow="ellipsis" if is_cut else "fold",
            max_width=MAX_CELL if is_cut and width else None,
        )
    for row in rows:
        table.add_row(*(Text(plain(value)) for value in row))
    console = Console(width=width or 1_000_000, force_terminal=width is not None and sys.stdout.isatty())
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n"))
