"""One table of figures, for the terminal and for ``benchmarks/RESULTS.md``."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.process_metrics import ROOT, THEIRS, Measured
from pipelines.clock import utc_now

RESULTS = ROOT / "benchmarks" / "RESULTS.md"
HEADS = ("what", "who", "wall s", "CPU s", "peak MiB", "disk MiB", "figure", "against convohouse")
MIB = 1024 * 1024
ADDITIONS = 100_000_000
"""Additions that measure the speed of a core: the same code on one machine has taken twice as long an hour later."""
OURS_USED = ("polars", "duckdb", "msgspec", "httpx", "httpx-aiohttp", "aiohttp", "pyarrow")
THEIRS_USED = ("dlt", "elevenlabs")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: ``figure`` is what the measure is about, ``ratio`` how it compares with convohouse in the same run."""

    what: str
    who: str
    measured: Measured | None
    figure: str
    ratio: str = ""
    disk: int | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """The texts of the line."""
        measured = self.measured
        numbers = (
            ("", "", "") if measured is None else (f"{measured.wall:.2f}", f"{measured.cpu:.2f}", _mib(measured.memory))
        )
        return (self.what, self.who, *numbers, _mib(self.disk), self.figure, self.ratio)


def _mib(size: int | None) -> str:
    return f"{size / MIB:,.0f}" if size else ""


def times(theirs: Measured, ours: Measured) -> str:
    """How a contestant compares with convohouse."""
    cpu = f"{theirs.cpu / ours.cpu:.1f} x CPU"
    return f"{theirs.wall / ours.wall:.1f} x wall, {cpu}, {theirs.memory / ours.memory:.1f} x memory"


def show(figures: Sequence[Figure], title: str) -> None:
    """Print the table."""
    table = Table(*HEADS, title=title)
    for figure in figures:
        table.add_row(*figure.cells)
    Console(width=190).print(table)


def record(group: str, figures: Sequence[Figure], load: tuple[float, float, float]) -> None:
    """Write the group's section of ``RESULTS.md``: nothing in it is typed by hand."""
    _, *sections = RESULTS.read_text().split("\n## ") if RESULTS.exists() else [""]
    sections_by_group = {section.partition("\n")[0]: section.rstrip() for section in sections}
    sections_by_group[group] = "\n".join([group, "", *_moment(load), "", *_lines(figures)])
    head = [
        "# Figures of the benchmarks",
        "",
        "Written by `make bench FULL=1`, a group at a time. Compare within a group only: machines differ, and so do",
        "moments. Targets and what is measured: `benchmarks/README.md`.",
        "",
        f"Machine: {_processor()}, {os.cpu_count()} cores, {_memory() / MIB / 1024:.0f} GiB; {platform.platform()}.",
        f"Python {platform.python_version()}; {_versions()}.",
        "",
    ]
    RESULTS.write_text("\n".join(head) + "".join(f"\n## {section}\n" for section in sections_by_group.values()))


def _moment(load: tuple[float, float, float]) -> list[str]:
    """When it was measured, and how busy and how fast the machine was."""
    began = time.perf_counter()
    sum(range(ADDITIONS))
    took = time.perf_counter() - began
    loads = ", ".join(f"{average:.1f}" for average in load)
    return [
        f"{utc_now():%Y-%m-%d %H:%M} UTC; load when it began {loads} (1, 5, 15 min; above 0.5: a busy one);",
        f"{ADDITIONS / 1e6:.0f} million additions in Python take {took:.2f} s.",
    ]


def _lines(figures: Sequence[Figure]) -> list[str]:
    rows = (f"| {' | '.join(figure.cells)} |" for figure in figures)
    return [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}", *rows]


def _processor() -> str:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return models[0].partition(":")[2].strip() if models else platform.processor()


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _versions() -> str:
    code = f"from importlib.metadata import version; print(*(f'{{n}} {{version(n)}}' for n in {THEIRS_USED}), sep=', ')"
    theirs = subprocess.run([THEIRS / "python", "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    return ", ".join([*(f"{name} {version(name)}" for name in OURS_USED), theirs])
