"""The order of the landing: what lands later has a higher number, whatever the clock says.

A clock can jump, by years and in both directions, so a time does not say what landed later. Every file of the landing
has a number in its name, and where two tables are compared, every row has it as ``sequence``. Files of 0.2.0 and before
have none: they come first, by their times.
"""

from __future__ import annotations

import fcntl
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from warehouse.storage.home import Home

CLOCK_TOLERANCE = timedelta(hours=1)
"""A landed time further ahead of the clock than this is wrong, or the clock is: what counts from it counts in days."""
NOT_LANDED = 2**61
"""The number of what counts as landed last, and is not landed, as in a dry run."""

MERGED = "-merged"
"""How the name of a merged file (``landing_merge``) ends, before ``.parquet``."""
_BEFORE_NUMBERS = 2**62
"""Subtracted from a time in microseconds: every time sorts before every number."""
_NUMBER = re.compile(r"\.n(\d+)-")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def next_number(home: Home, *, is_synced: bool = True) -> int:
    """A number higher than any before, of all processes and workspaces of the home.

    Unless ``is_synced``, call ``sync_counter`` before anything lands under it; the sync takes longer than the rest.

    Raises:
        OSError: the home folder cannot be written.
    """
    with _locked_counter(home) as (descriptor, count):
        number = (_highest_number(home) if count is None else count) + 1
        _write_counter(descriptor, number)
        if is_synced:
            os.fsync(descriptor)
        return number


def catch_up(home: Home) -> None:
    """Raise the counter to the highest number that has landed: a home restored from copies may have an earlier counter.

    Otherwise what lands next would count as older than what is there.

    Raises:
        OSError: the home folder cannot be written.
    """
    if not home.sequence.exists():
        return  # the next number is above all
    highest = _highest_in_names(home)
    with _locked_counter(home) as (descriptor, count):
        if count is not None and count < highest:
            _write_counter(descriptor, max(highest, _highest_number(home)))
            os.fsync(descriptor)


@contextmanager
def _locked_counter(home: Home) -> Iterator[tuple[int, int | None]]:
    """The counter's file while no other process has it: its descriptor, and the number of what landed last.

    The number is None if it is lost.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home.sequence, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        digits = os.read(descriptor, 32)
        yield descriptor, int(digits) if digits.isdigit() else None
    finally:
        os.close(descriptor)


def _write_counter(descriptor: int, number: int) -> None:
    """In place and not by a rename: the lock is on this file. Of a constant length, it is never partly written."""
    os.pwrite(descriptor, b"%020d" % number, 0)


def sync_counter(home: Home) -> None:
    """Make the numbers so far survive a power cut: none of them is given again."""
    with home.sequence.open("rb") as file:
        os.fsync(file.fileno())


def _highest_number(home: Home) -> int:
    """The highest number of a landed row, for a home that was copied without its counter, or is older than it."""
    return max((_highest_in_names(home), *map(_highest_in_rows, home.landing.rglob(f"*{MERGED}.parquet"))))


def _highest_in_names(home: Home) -> int:
    """The highest number in the name of a landed file."""
    numbers = (_NUMBER.search(file.name) for file in home.landing.rglob("*.parquet"))
    return max((int(number[1]) for number in numbers if number), default=0)


def _highest_in_rows(file: Path) -> int:
    """The highest number of a row of a merged file: earlier versions named it after the first file that it replaced."""
    rows = pl.scan_parquet(file, glob=False)
    names = [name for name in ("sequence", "last_seen_sequence") if name in rows.collect_schema()]
    highest = rows.select(pl.col(names).max()).collect().row(0) if names else ()
    return max((number for number in highest if number is not None), default=0)


def file_name(number: int) -> str:
    """A unique file name for ``Home.file`` that sorts by number, after older files without a number."""
    return f"n{number:015d}-{uuid.uuid4().hex[:8]}"


def order(sequence: str, at: str) -> pl.Expr:
    """A number by which rows sort as they landed, from the names of the columns with their number and their time."""
    return pl.coalesce(sequence, pl.col(at).dt.epoch("us") - _BEFORE_NUMBERS)


def order_of(sequence: int | None, at: datetime) -> int:
    """As ``order``, of one number and time."""
    return (at - _EPOCH) // timedelta(microseconds=1) - _BEFORE_NUMBERS if sequence is None else sequence
