"""Measure convohouse beside what people would use instead, and print one table: ``make bench``.

All of a group runs on one server in one go, so its ratios hold whatever the machine. ``--full`` measures at the sizes
that the bars are set at, which takes three quarters of an hour, and writes each group's section of
``benchmarks/RESULTS.md``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console

from benchmarks.full_sync import grown, whole
from benchmarks.incremental import starting, stored
from benchmarks.report import Figure, record, show
from benchmarks.single_core import fetching, flattening


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: conversations; ``slow`` with 50 ms a request, ``grown`` without anybody beside.

    ``slow_many`` is a group of its own, since it takes a quarter of an hour.
    """

    whole: tuple[int, ...]
    slow: tuple[int, ...]
    slow_many: tuple[int, ...]
    grown: tuple[int, ...]
    flattened: int
    fetched: int
    widths: tuple[int, ...]
    stored: tuple[int, ...]


SMALL = Sizes(
    whole=(500,), slow=(100,), slow_many=(), grown=(), flattened=1000, fetched=500, widths=(1, 8, 64), stored=(5000,)
)
FULL = Sizes(
    whole=(1000, 10_000),
    slow=(1000,),
    slow_many=(10_000,),
    grown=(100_000,),
    flattened=10_000,
    fetched=2000,
    widths=(1, 8, 16, 32, 64),
    stored=(20_000, 100_000, 200_000),
)

Group = Callable[[Sizes], Iterator[Figure]]


def _each(measure: Callable[[int], Iterator[Figure]], counts: Sequence[int]) -> Iterator[Figure]:
    for count in counts:
        yield from measure(count)


GROUPS: dict[str, Group] = {
    "start": lambda _: starting(),
    "flatten": lambda sizes: flattening(sizes.flattened),
    "fetch": lambda sizes: fetching(sizes.fetched, sizes.widths),
    "stored": lambda sizes: _each(stored, sizes.stored),
    "whole": lambda sizes: _each(lambda count: whole(count, 0.0), sizes.whole),
    "grown": lambda sizes: _each(grown, sizes.grown),
    "slow": lambda sizes: _each(lambda count: whole(count, 0.05), sizes.slow),
    "slow_many": lambda sizes: _each(lambda count: whole(count, 0.05), sizes.slow_many),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="the sizes of the bars; written to RESULTS.md")
    parser.add_argument("--only", choices=GROUPS, nargs="+", help="these groups")
    options = parser.parse_args()
    console = Console(stderr=True)
    figures: list[Figure] = []
    for name in options.only or GROUPS:
        load, found = os.getloadavg(), list[Figure]()
        for figure in GROUPS[name](FULL if options.full else SMALL):
            found.append(figure)
            console.print("  ".join(cell for cell in figure.cells if cell), style="dim", highlight=False)
        if options.full:
            record(name, found, load)
        figures += found
    show(figures, "convohouse" + (", full sizes" if options.full else ", small sizes"))


if __name__ == "__main__":
    main()
