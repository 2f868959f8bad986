"""``convohouse demo``: the whole way once, without a key: an emulated API, the Dagster job, and what comes of it."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.demo_summary import facts, numbers_of, what_was_read
from pipelines.cli.emulate import KEY
from pipelines.cli.interrupts import aside
from pipelines.cli.options import Options, aligned, emit, finish, pass_options, plural, shared, teach
from pipelines.cli.progress import duration, showing
from pipelines.clock import MovingClock

if TYPE_CHECKING:
    from pipelines.emulator.generator.world import World
    from warehouse.storage.home import Home

HOME = Path("demo")
WORLD_FILE = "demo.json"
DAYS_BETWEEN = 7
"""Days between the two nights of a first demo: calls change, are rated and deleted meanwhile."""
DRAWN_UNTIL = date(2026, 11, 26)
"""The end of the days whose calls every demo shows, moved to end with its own first run."""
YEARS = range(2000, 2100)


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """The emulated calls that a demo's home holds: those of ``days`` days before its first run, and all since.

    Whatever the day of the first run, they are the same calls, moved by ``shift_days``.
    """

    seed: int
    conversations: int
    days: int
    first_until: date
    shift_days: int = 0

    @classmethod
    def begin(cls, seed: int, conversations: int, days: int, first_until: date) -> DemoWorld:
        """The world of a new home."""
        return cls(seed, conversations, days, first_until, (first_until - DRAWN_UNTIL).days)

    @classmethod
    def read(cls, note: Path) -> DemoWorld:
        """The world that was noted; a note of an earlier version has no ``shift_days``: its calls were not moved.

        Raises:
            UsageError: the note cannot be read.
        """
        from pipelines.errors import UsageError

        try:
            noted = json.loads(note.read_text())
            first_until = date.fromisoformat(noted["first_until"])
            return cls(noted["seed"], noted["conversations"], noted["days"], first_until, noted.get("shift_days", 0))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UsageError(f"{note} is no note of a demo.", "Give the demo another --home.") from None

    def write(self, note: Path) -> None:
        """Note the world for the next run."""
        note.write_text(json.dumps(asdict(self), default=str) + "\n")

    def nights(self) -> list[date]:
        """The nights that a first demo copies: one some days ago, and this one, so that there are late changes."""
        between = min(DAYS_BETWEEN, self.days // 2)
        return sorted({self.first_until - timedelta(days=between), self.first_until})

    @property
    def since(self) -> datetime:
        """Start of its first day."""
        return _midnight(self.first_until) - timedelta(days=self.days)

    def until(self, until: date) -> World:
        """The world as it stands at a midnight: it grows by whole lengths, so that each day keeps its calls."""
        from pipelines.emulator.generator.world import World

        lengths = 1 + max(0, -((self.first_until - until).days // self.days))
        return World(
            seed=self.seed,
            conversations=self.conversations * lengths,
            days=self.days * lengths,
            until=_midnight(until),
            shift_days=self.shift_days,
        )


@click.command(
    epilog=teach(
        {
            "convohouse demo": "1,200 calls of 30 days, into the folder demo",
            "convohouse demo --conversations 200 --days 7 --home /tmp/small": "fewer, elsewhere",
            "convohouse demo --until 2026-11-26": "the same calls, as of that night",
        },
        {
            0: "everything is there and every check passed",
            1: "the job failed: the reasons are named",
            2: "the folder holds something else",
        },
    )
)
@click.option("--conversations", default=1200, show_default=True, type=click.IntRange(1), help="Calls, about.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1), help="Days that they are spread over.")
@click.option("--seed", default=7, show_default=True, type=click.IntRange(0), help="Another seed is another world.")
@click.option("--until", "last", metavar="DATE", help="The last night [default: today's].")
@shared
@pass_options
def demo(options: Options, *, conversations: int, days: int, seed: int, last: str | None) -> None:
    """Run the whole job on emulated calls: no key, no question.

    The emulated API runs on this machine, and the Dagster job copies it into the folder `demo` (or --home): as it
    was some nights ago, then as it is, with what was changed, rated and deleted since. A few numbers show what came
    of it. A second run shows how little is read again. The calls are the same on any day, moved to end with it.
    """
    from pipelines.emulator.server.app import create_app
    from pipelines.emulator.server.serve import running
    from pipelines.extract import run_log
    from pipelines.usecases.context import Context

    root = options.home or HOME
    home = Context(options.settings(home=root, api_key=KEY)).home
    until = options.now().date() if last is None else _day(last)
    world = DemoWorld.begin(seed, conversations, days, until)
    nights = [until] if home.exists() else world.nights()
    kept = _kept(home, world)
    options.say(f"Emulated API on this machine, {plural(days, 'day')} of calls; the Dagster job copies them to {root}.")
    from pipelines.orchestration.run_in_process import run_job  # takes seconds: not before the first line

    clock = MovingClock(_midnight(nights[0]))
    told = []
    with running(create_app(kept.until(until), clock=lambda: clock.begin, key=KEY)) as url:
        context = Context(options.settings(home=root, base_url=url, api_key=KEY), clock=clock)
        for night in nights:
            clock.set(_midnight(night))
            options.say(f"\nThe night of {night}:")
            with showing(options) as show:
                outcome = aside(lambda: run_job(context, since=kept.since, until=clock.begin, progress=show))
            if not outcome.is_success:
                _fail(options, outcome.errors)
                return
            told.append(run_log.row(context.home, outcome.run_id))
            options.say(f"{what_was_read(told[-1])} in {duration(told[-1]['elapsed_secs'])}")
    numbers = numbers_of(context.home)
    if options.is_json:
        emit({"runs": told, "summary": numbers, "problems": []})
        return
    options.say()
    click.echo(aligned(facts(numbers)))
    options.say(f"\nWhere to look next:\n{_next(root)}")


def _kept(home: Home, asked: DemoWorld) -> DemoWorld:
    """The world that the home holds, which must be the one asked for; it is noted in a new home.

    Calls that an API does not know are taken for deleted there: a demo in a home of real calls would blank them.

    Raises:
        UsageError: the home holds other calls, or a later night.
        HomeError: it cannot be used.
    """
    from pipelines.errors import UsageError
    from warehouse.storage.landing import listings

    note = home.root / WORLD_FILE
    if home.exists() and note.is_file():
        kept = DemoWorld.read(note)
        if (kept.seed, kept.conversations, kept.days) != (asked.seed, asked.conversations, asked.days):
            raise UsageError(
                f"{home.root} holds another demo.",
                f"Give --seed {kept.seed} --conversations {kept.conversations} --days {kept.days}, or another --home.",
            )
        latest = max([kept.first_until, *(listing.until.date() for listing in listings(home) if listing.until)])
        if asked.first_until < latest:
            raise UsageError(
                f"{home.root} holds the night of {latest}: a demo goes forward only.",
                f"Give --until {latest} or a later date, or another --home.",
            )
        return kept
    if home.exists() and any(home.landing.rglob("*.parquet")):
        raise UsageError(f"{home.root} holds calls that are no demo's.", "Give the demo a --home of its own.")
    home.open()
    asked.write(note)
    return asked


def _day(text: str) -> date:
    """Read the date of ``--until``.

    Raises:
        UsageError: it is none, or one of another age.
    """
    from pipelines.errors import UsageError

    hint = "Write it as 2026-11-21."
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until {text!r} is no date.", hint) from None
    if day.year not in YEARS:
        raise UsageError(f"--until {text!r} is not in the years {YEARS[0]} to {YEARS[-1]}.", hint)
    return day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _fail(options: Options, errors: tuple[str, ...]) -> None:
    click.echo("error: the job failed:", err=True)
    for error in errors:
        click.echo(f"  - {' '.join(error.split())}", err=True)
    if options.is_json:
        emit({"problems": list(errors)})
    finish(1)


def _next(root: Path) -> str:
    called = Path(sys.argv[0])  # .venv/bin/convohouse, where that is not on the path
    program = called if called.name == "convohouse" and not shutil.which("convohouse") else "convohouse"
    return "\n".join(
        (
            f'  {program} --home {root} query "from metrics.agent_daily order by start_date desc"',
            f"  {program} --home {root} status",
            f"  CONVOHOUSE_HOME={root} make dev",
        )
    )
