"""How far a run is: bars on a terminal, a line every few seconds elsewhere, nothing with ``--json``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, TextIO

import click

from pipelines.cli.options import Options

if TYPE_CHECKING:
    from rich.progress import Task, TaskID

ShowProgress = Callable[[str, int, int | None], None]
"""Receives a stage, how much of it is done and, if known, of how much (``pipelines.usecases.context.Progress``)."""

NOUNS = {
    "list": "conversations",
    "fetch": "conversations",
    "flatten": "conversations",
    "tools": "tools",
    "prices": "agents",
    "agents": "agents",
    "batches": "batches",
    "tags": "tags",
    "bill": "days",
    "build": "models",
    "check": "checks",
    "access": "agents",
    "audio": "recordings",
    "send": "conversations",
    "publish": "tables",
}
"""What is counted in a stage."""

LINE_INTERVAL_SECS = 5.0
BAR_WIDTH = 20
BETWEEN_STAGES = "…"
"""The bar of work that belongs to no stage, so that a terminal never looks idle."""


@contextmanager
def show_progress(options: Options) -> Iterator[ShowProgress]:
    """Show the stages of a run on standard error while it lasts."""
    if options.is_json:
        yield lambda _stage, _done, _total: None
    elif sys.stderr.isatty():
        with _bars(sys.stderr) as show:
            yield show
    else:
        yield ProgressLines(lambda line: click.echo(line, err=True))


class ProgressLines:
    """A line every few seconds, and one when a stage ends."""

    def __init__(self, say: Callable[[str], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._monotonic = monotonic
        self._stage = ""
        self._stage_start = self._last_line_at = 0.0
        self._is_over = False

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Record the progress, and say it if a line is due."""
        now = self._monotonic()
        if stage != self._stage:
            self._stage, self._stage_start, self._last_line_at, self._is_over = stage, now, now, False
        was_over, self._is_over = self._is_over, done == total
        if not was_over if self._is_over else now - self._last_line_at >= LINE_INTERVAL_SECS:
            self._last_line_at = now
            self._say(f"{stage}: {amount(stage, done, total)}{self._rate(done, total, now - self._stage_start)}")

    @staticmethod
    def _rate(done: int, total: int | None, elapsed_secs: float) -> str:
        from warehouse.serve.value_format import duration

        if not done or not elapsed_secs or done == total:
            return ""
        per_sec = done / elapsed_secs
        left = f", {duration((total - done) / per_sec)} left" if total else ""
        return f", {per_sec:,.0f}/s{left}"


@contextmanager
def _bars(stream: TextIO) -> Iterator[ShowProgress]:
    """One bar for each stage, in the order in which the stages begin."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
    from rich.text import Text

    from warehouse.serve.value_format import duration

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            if task.finished or task.description == BETWEEN_STAGES:
                return Text(duration(task.elapsed or 0.0), style="dim")
            rate = f"{task.speed:,.0f}/s" if task.speed else ""
            left = f"{duration(task.time_remaining)} left" if task.time_remaining is not None else ""
            return Text("  ".join(filter(None, (rate, left))), style="dim")

    class Amount(ProgressColumn):
        def render(self, task: Task) -> Text:
            total = None if task.total is None else int(task.total)
            is_counted = task.description != BETWEEN_STAGES and (task.completed or total is not None)
            return Text(amount(task.description, int(task.completed), total) if is_counted else "", justify="right")

    tasks: dict[str, TaskID] = {}
    lock = Lock()  # models are built in threads
    columns = TextColumn("{task.description:<7}"), BarColumn(BAR_WIDTH), Amount(), Rate()
    with Progress(*columns, console=Console(file=stream, highlight=False)) as progress:
        waiting = progress.add_task(BETWEEN_STAGES, total=None)

        def show(stage: str, done: int, total: int | None) -> None:
            nonlocal waiting
            with lock:
                if stage not in tasks:
                    progress.remove_task(waiting)
                    tasks[stage] = progress.add_task(stage, total=None)
                    waiting = progress.add_task(BETWEEN_STAGES, total=None)
                progress.update(tasks[stage], completed=done, total=total)
                stages = [task for task in progress.tasks if task.id != waiting]
                progress.update(waiting, visible=all(task.finished for task in stages))

        try:
            yield show
        finally:
            progress.remove_task(waiting)


def amount(stage: str, done: int, total: int | None) -> str:
    """How much of a stage is done, with its unit: ``1,200 of 1,200 conversations``."""
    if total == 0:
        return "nothing to do"
    counts = f"{done:,}" if total is None else f"{done:,} of {total:,}"
    return f"{counts} {NOUNS.get(stage, '')}".rstrip()
