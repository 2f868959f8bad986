"""``convohouse demo``: the whole way once, without a key: an emulated API, the Dagster job, and what comes of it."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from pipelines.cli.demo_summary import facts, numbers_of, what_was_read
from pipelines.cli.emulate import KEY
from pipelines.cli.interrupts import aside
from pipelines.cli.options import Options, aligned, emit, finish, pass_options, plural, shared, teach
from pipelines.cli.progress import duration, showing

if TYPE_CHECKING:
    from pipelines.emulator.generator.world import World
    from warehouse.storage.home import Home

HOME = Path("demo")
WORLD_FILE = "demo.json"
DAYS_BETWEEN = 7
"""Days between the two nights of a first demo: calls change, are rated and deleted meanwhile."""


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """The emulated calls that a demo's home holds: those of ``days`` days before its first run, and all since."""

    seed: int
    conversations: int
    days: int
    first_until: date

    @classmethod
    def read(cls, note: Path) -> DemoWorld:
        """The world that was noted.

        Raises:
            UsageError: the note cannot be read.
        """
        from pipelines.errors import UsageError

        try:
            noted = json.loads(note.read_text())
            return cls(noted["seed"], noted["conversations"], noted["days"], date.fromisoformat(noted["first_until"]))
        except (ValueError, KeyError, TypeError):
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
        )


class MovingClock:
    """The time of the demo: a night, and the seconds of the real clock since it was set."""

    def __init__(self, night: datetime) -> None:
        self.set(night)

    def set(self, night: datetime) -> None:
        """Begin a night."""
        self.night, self._began = night, monotonic()

    def __call__(self) -> datetime:
        """Now."""
        return self.night + timedelta(seconds=monotonic() - self._began)


@click.command(
    epilog=teach(
        {
            "convohouse demo": "1,200 calls of 30 days, into the folder demo",
            "convohouse demo --conversations 200 --days 7 --home /tmp/small": "fewer, elsewhere",
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
@shared
@pass_options
def demo(options: Options, conversations: int, days: int, seed: int) -> None:
    """Run the whole job on emulated calls: no key, no question.

    The emulated API runs on this machine, and the Dagster job copies it into the folder `demo` (or --home): as it
    was some nights ago, then as it is, with what was changed, rated and deleted since. A few numbers show what came
    of it. A second run shows how little is read again.
    """
    from pipelines.emulator.server.app import create_app
    from pipelines.emulator.server.serve import running
    from pipelines.extract import run_log
    from pipelines.usecases.context import Site

    root = options.home or HOME
    home = Site(options.settings(home=root, api_key=KEY)).home
    today = datetime.now(UTC).date()
    world = DemoWorld(seed, conversations, days, today)
    nights = [today] if home.exists() else world.nights()
    kept = _kept(home, world)
    options.say(f"Emulated API on this machine, {plural(days, 'day')} of calls; the Dagster job copies them to {root}.")
    from pipelines.orchestration.run_in_process import run_job  # takes seconds: not before the first line

    clock = MovingClock(_midnight(nights[0]))
    told = []
    with running(create_app(kept.until(today), clock=lambda: clock.night, key=KEY)) as url:
        site = Site(options.settings(home=root, base_url=url, api_key=KEY), clock=clock)
        for night in nights:
            clock.set(_midnight(night))
            options.say(f"\nThe night of {night}:")
            with showing(options) as show:
                outcome = aside(lambda: run_job(site, since=kept.since, until=clock.night, progress=show))
            if not outcome.is_success:
                _fail(options, outcome.errors)
                return
            told.append(run_log.row(site.home, outcome.run_id))
            options.say(f"{what_was_read(told[-1])} in {duration(told[-1]['elapsed_secs'])}")
    numbers = numbers_of(site.home)
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
        UsageError: the home holds other calls.
        HomeError: it cannot be used.
    """
    from pipelines.errors import UsageError

    note = home.root / WORLD_FILE
    if home.exists() and note.is_file():
        kept = DemoWorld.read(note)
        if (kept.seed, kept.conversations, kept.days) != (asked.seed, asked.conversations, asked.days):
            raise UsageError(
                f"{home.root} holds another demo.",
                f"Give --seed {kept.seed} --conversations {kept.conversations} --days {kept.days}, or another --home.",
            )
        return kept
    if home.exists() and any(home.documents.rglob("*.parquet")):
        raise UsageError(f"{home.root} holds calls that are no demo's.", "Give the demo a --home of its own.")
    home.open()
    asked.write(note)
    return asked


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
