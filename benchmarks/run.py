"""Measure convohouse against the tools that people would use instead, and print one table: ``make bench``.

A group runs against one server in one go, so its ratios do not depend on the machine. ``--full`` measures at the sizes
of the targets, which takes 45 minutes, and writes the section of each group in ``benchmarks/RESULTS.md``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from rich.console import Console

from benchmarks.full_sync import grown, profile, whole
from benchmarks.growth import growth
from benchmarks.incremental import night, starting, stored
from benchmarks.report import Figure, record, show
from benchmarks.single_core import fetching, flattening


@dataclass(frozen=True, slots=True)
class Sizes:
    """Number of conversations by group; ``slow`` adds 50 ms to each request, ``grown`` measures convohouse alone.

    ``growth`` has the conversations, listings and segments of a grown home. ``profile`` measures it by step,
    ``profile_slow`` with 50 ms per request. ``slow_many`` is a separate group because
    it takes 15 minutes.
    """

    whole: tuple[int, ...]
    slow: tuple[int, ...]
    profile: tuple[int, ...]
    profile_slow: tuple[int, ...]
    slow_many: tuple[int, ...]
    grown: tuple[int, ...]
    flattened: int
    fetched: int
    widths: tuple[int, ...]
    stored: tuple[int, ...]
    growth: tuple[int, int, int]


SMALL = Sizes(
    whole=(500,),
    slow=(100,),
    profile=(500,),
    profile_slow=(100,),
    slow_many=(),
    grown=(),
    flattened=1000,
    fetched=500,
    widths=(1, 8, 64),
    stored=(5000,),
    growth=(1000, 200, 2000),
)
FULL = Sizes(
    whole=(1000, 10_000),
    slow=(400, 1000),
    profile=(1000,),
    profile_slow=(400,),
    slow_many=(10_000,),
    grown=(100_000,),
    flattened=10_000,
    fetched=2000,
    widths=(1, 8, 16, 32, 64),
    stored=(20_000, 100_000, 200_000),
    growth=(5000, 2400, 20_000),
)

Group = Callable[[Sizes], Iterator[Figure]]


def _for_counts(measure: Callable[[int], Iterator[Figure]], counts: Sequence[int]) -> Iterator[Figure]:
    for count in counts:
        yield from measure(count)


GROUPS: dict[str, Group] = {
    "start": lambda _: starting(),
    "flatten": lambda sizes: flattening(sizes.flattened),
    "fetch": lambda sizes: fetching(sizes.fetched, sizes.widths),
    "stored": lambda sizes: _for_counts(stored, sizes.stored),
    "growth": lambda sizes: growth(*sizes.growth),
    "night": lambda sizes: _for_counts(night, sizes.stored[:2]),
    "whole": lambda sizes: _for_counts(lambda count: whole(count, 0.0), sizes.whole),
    "profile": lambda sizes: chain(
        _for_counts(lambda count: profile(count, 0.0), sizes.profile),
        _for_counts(lambda count: profile(count, 0.05), sizes.profile_slow),
    ),
    "grown": lambda sizes: _for_counts(grown, sizes.grown),
    "slow": lambda sizes: _for_counts(lambda count: whole(count, 0.05), sizes.slow),
    "slow_many": lambda sizes: _for_counts(lambda count: whole(count, 0.05), sizes.slow_many),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="measure at the sizes of the targets and write RESULTS.md")
    parser.add_argument("--only", choices=GROUPS, nargs="+", help="measure these groups only")
    options = parser.parse_args()
    console = Console(stderr=True)
    figures: list[Figure] = []
    for name in options.only or GROUPS:
        load, group_figures = os.getloadavg(), list[Figure]()
        for figure in GROUPS[name](FULL if options.full else SMALL):
            group_figures.append(figure)
            console.print("  ".join(cell for cell in figure.cells if cell), style="dim", highlight=False)
        if options.full:
            record(name, group_figures, load)
        figures += group_figures
    show(figures, "convohouse" + (", full sizes" if options.full else ", small sizes"))


if __name__ == "__main__":
    main()
