"""How far a run is: bars on a terminal, a line every few seconds elsewhere, nothing with ``--json``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from pipelines.cli.options import Options

if TYPE_CHECKING:
    from rich.progress import Task, TaskID

Show = Callable[[str, int, int | None], None]
"""Told of a stage, how much of it is done and, where known, of how much (``pipelines.usecases.context.Progress``)."""

EVERY_SECS = 5.0
BAR_WIDTH = 28
MINUTE_SECS = 60
HOUR_SECS = 3600
TENTHS_BELOW_SECS = 10


@contextmanager
def showing(options: Options, stream: TextIO | None = None) -> Iterator[Show]:
    """Show the stages of a run on standard error while it lasts."""
    stream = stream or sys.stderr
    if options.is_json:
        yield lambda _stage, _done, _total: None
    elif stream.isatty():
        with _bars(stream) as show:
            yield show
    else:
        yield Lines(lambda line: click.echo(line, file=stream))


class Lines:
    """A line every few seconds, and one when a stage ends."""

    def __init__(self, say: Callable[[str], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._monotonic = monotonic
        self._stage = ""
        self._began = self._said = 0.0
        self._is_over = False

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Take note of the progress, and say it when it is time to."""
        now = self._monotonic()
        if stage != self._stage:
            self._stage, self._began, self._said, self._is_over = stage, now, now, False
        was_over, self._is_over = self._is_over, done == total
        if (self._is_over and not was_over) or now - self._said >= EVERY_SECS:
            self._said = now
            self._say(f"{stage}: {amount(done, total)}{self._pace(done, total, now - self._began)}")

    @staticmethod
    def _pace(done: int, total: int | None, elapsed: float) -> str:
        if not done or not elapsed or done == total:
            return ""
        rate = done / elapsed
        left = f", {duration((total - done) / rate)} left" if total else ""
        return f", {rate:,.0f}/s{left}"


@contextmanager
def _bars(stream: TextIO) -> Iterator[Show]:
    """A bar a stage, in the order in which the stages begin."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
    from rich.text import Text

    class Pace(ProgressColumn):
        def render(self, task: Task) -> Text:
            if task.finished:
                return Text(duration(task.finished_time or 0.0), style="dim")
            rate = f"{task.speed:,.0f}/s" if task.speed else ""
            left = f"{duration(task.time_remaining)} left" if task.time_remaining is not None else ""
            return Text("  ".join(filter(None, (rate, left))), style="dim")

    class Amount(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(amount(int(task.completed), None if task.total is None else int(task.total)), justify="right")

    tasks: dict[str, TaskID] = {}
    columns = TextColumn("{task.description:<8}"), BarColumn(BAR_WIDTH), Amount(), Pace()
    with Progress(*columns, console=Console(file=stream, highlight=False)) as progress:

        def show(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=None)
            progress.update(tasks[stage], completed=done, total=total)

        yield show


def amount(done: int, total: int | None) -> str:
    """How much is done, for people."""
    if total == 0:
        return "nothing to do"
    return f"{done:,}" if total is None or done == total else f"{done:,} of {total:,}"


def duration(secs: float) -> str:
    """A length of time for people."""
    if secs < MINUTE_SECS:
        return f"{secs:.1f} s" if secs < TENTHS_BELOW_SECS else f"{secs:.0f} s"
    hours, rest = divmod(round(secs), HOUR_SECS)
    minutes, seconds = divmod(rest, MINUTE_SECS)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
