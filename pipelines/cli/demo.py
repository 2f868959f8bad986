"""``convohouse demo``: the Dagster job on an emulated API, without a key, and a summary of the result."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.emulate import KEY
from pipelines.cli.interrupts import run_in_thread
from pipelines.cli.options import Options, exit_with, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.render import emit
from pipelines.cli.sync import describe_fetched
from pipelines.cli.text_table import aligned, terminal_width
from pipelines.clock import MovingClock

if TYPE_CHECKING:
    from pipelines.emulator.generator.world import World
    from warehouse.storage.home import Home

HOME = Path("demo")
WORLD_FILE = "demo.json"
DAYS_BETWEEN = 7
"""Days between the two nights of a first demo: conversations change, are rated and deleted meanwhile."""
NIGHT_BEGINS = timedelta(minutes=30)
"""How long after midnight a night begins; the API shows its state of midnight. By then, conversations that were open at
a midnight have ended, so which of them are due does not depend on how long a night takes."""
DRAWN_UNTIL = date(2026, 11, 26)
"""The last day of the conversations that every demo shows, shifted to end with its own first run."""
YEARS = range(2000, 2100)
BUDGET_USD = 250
"""Of each month of a demo."""


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """The emulated conversations in a demo's home: those of ``days`` days before its first run, and all since.

    On any day of the first run they are the same conversations, shifted by ``shift_days``.
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
    def read(cls, file: Path) -> DemoWorld:
        """Read the world from the demo's file; an earlier version wrote no ``shift_days``: it shifted nothing.

        Raises:
            UsageError: the file cannot be read.
        """
        from pipelines.errors import UsageError

        try:
            data = json.loads(file.read_text())
            first_until = date.fromisoformat(data["first_until"])
            return cls(data["seed"], data["conversations"], data["days"], first_until, data.get("shift_days", 0))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UsageError(f"{file} is not a file of a demo.", "Give the demo another --home.") from None

    def write(self, file: Path) -> None:
        """Write the world to the demo's file, for the next run."""
        file.write_text(json.dumps(asdict(self), default=str) + "\n")

    def nights(self) -> list[date]:
        """The nights that a first demo copies: one some days ago and the last one, so that there are late changes."""
        between = min(DAYS_BETWEEN, self.days // 2)
        return sorted({self.first_until - timedelta(days=between), self.first_until})

    @property
    def since(self) -> datetime:
        """Start of its first day."""
        return _midnight(self.first_until) - timedelta(days=self.days)

    def until(self, until: date) -> World:
        """The world at a midnight; it grows by multiples of ``days``, so that each day keeps its conversations."""
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
    epilog=help_epilog(
        {
            "convohouse demo": "1,200 conversations of 42 days, into the folder demo",
            "convohouse demo --conversations 200 --days 7 --home /tmp/small": "fewer, elsewhere",
            "convohouse demo --until 2026-11-26": "the same conversations, as of that night",
        },
        {
            0: "everything was copied and every check passed",
            1: "the job failed: the reasons are shown",
            2: "the folder holds something else",
        },
    )
)
@click.option(
    "--conversations", default=1200, show_default=True, type=click.IntRange(1), help="About how many conversations."
)
@click.option("--days", default=42, show_default=True, type=click.IntRange(1), help="Days over which they are spread.")
@click.option(
    "--seed", default=7, show_default=True, type=click.IntRange(0), help="Another seed gives other conversations."
)
@click.option("--until", "last", metavar="DATE", help="The last night [default: today's].")
@shared_options
@pass_options
def demo(options: Options, *, conversations: int, days: int, seed: int, last: str | None) -> None:
    """Run the whole job on emulated conversations, without a key.

    An emulated API runs on this machine, and the Dagster job copies it into the folder `demo` (or --home): first its
    state of some nights ago, then its current state, with everything that was changed, rated and deleted in between. A
    summary comes last (`convohouse summary` shows it at any time). A second run shows how little is fetched again. The
    conversations are the same on every day; only their dates move.
    """
    from pipelines.emulator.server.app import create_app
    from pipelines.emulator.server.serve import running
    from pipelines.extract import run_log
    from pipelines.orchestration.instance_folder import named_folder
    from pipelines.usecases.context import Context
    from warehouse.serve.summary import read_summary, summary_facts
    from warehouse.serve.value_format import duration, plural

    root = options.home or HOME
    home = Context(options.settings(home=root, api_key=KEY)).home
    until = options.now().date() if last is None else _day(last)
    world = DemoWorld.begin(seed, conversations, days, until)
    nights = [until] if home.exists() else world.nights()
    named_folder()  # a wrong DAGSTER_HOME is an error before the home folder is begun
    world = _stored_world(home, world)
    options.say(f"Emulated API: {plural(days, 'day')} of conversations. The Dagster job copies them to {root}.")
    options.say("Loading Dagster …")
    from pipelines.orchestration.run_in_process import run_job  # takes seconds: not before the first line

    clock = MovingClock(_midnight(nights[0]) + NIGHT_BEGINS)
    runs = []
    with running(create_app(world.until(until), clock=lambda: clock.start - NIGHT_BEGINS, key=KEY)) as url:
        context = Context(options.settings(home=root, base_url=url, api_key=KEY), clock=clock)
        for night in nights:
            clock.set(_midnight(night) + NIGHT_BEGINS)
            options.say(f"\nThe night of {night}:")
            with show_progress(options) as show:
                run = partial(run_job, context, since=world.since, until=_midnight(night), progress=show)
                outcome = run_in_thread(run)
            if not outcome.is_success:
                _fail(options, outcome.errors)
                return
            runs.append(run_log.row(context.home, outcome.run_id))
            options.say(f"{describe_fetched(runs[-1])} in {duration(runs[-1]['elapsed_secs'])}")
    summary = read_summary(context.home)
    if options.is_json:
        emit({"runs": runs, "summary": summary, "problems": []})
        return
    options.say()
    click.echo(aligned(summary_facts(summary), terminal_width()))
    options.say(f"\nWhere to look next:\n{_next(root)}")


def _stored_world(home: Home, new_world: DemoWorld) -> DemoWorld:
    """The world that the home holds, which must be the requested one; it is written into a new home.

    A conversation that an API does not have counts as deleted there: a demo in a home of real conversations would
    redact them.

    Raises:
        UsageError: the home holds other conversations, or a later night.
        HomeError: it cannot be used.
    """
    from pipelines.errors import UsageError
    from warehouse.storage.landing import listings

    file = home.root / WORLD_FILE
    if home.exists() and file.is_file():
        world = DemoWorld.read(file)
        if (world.seed, world.conversations, world.days) != (new_world.seed, new_world.conversations, new_world.days):
            parameters = f"--seed {world.seed} --conversations {world.conversations} --days {world.days}"
            raise UsageError(f"{home.root} holds another demo.", f"Give {parameters}, or another --home.")
        latest = max([world.first_until, *(listing.until.date() for listing in listings(home) if listing.until)])
        if new_world.first_until < latest:
            raise UsageError(
                f"{home.root} has the night of {latest}: a demo only moves forward in time.",
                f"Give --until {latest} or a later date, or another --home.",
            )
        return world
    if home.exists() and any(home.landing.rglob("*.parquet")):
        raise UsageError(
            f"{home.root} holds conversations that are not a demo's.", "Choose another --home for the demo."
        )
    home.open()
    _write_budgets(home, new_world)
    new_world.write(file)
    return new_world


def _write_budgets(home: Home, world: DemoWorld) -> None:
    """Write a budget for all agents of each month of a new demo, as a user would: without it no budget is spent."""
    days = (world.first_until - timedelta(days=number) for number in range(world.days + 1))
    lines = [f"{month},*,{BUDGET_USD}\n" for month in sorted({day.replace(day=1) for day in days})]
    home.seeds.mkdir(exist_ok=True)
    (home.seeds / "budgets.csv").write_text("".join(["month_start_date,agent_id,budget_usd\n", *lines]))


def _day(text: str) -> date:
    """Parse the date of ``--until``.

    Raises:
        UsageError: it is not a date, or out of range.
    """
    from pipelines.errors import UsageError

    hint = "Write it as 2026-11-21."
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until {text!r} is not a date.", hint) from None
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
    exit_with(1)


def _next(root: Path) -> str:
    script = Path(sys.argv[0])  # .venv/bin/convohouse, where that is not on the path
    program = script if script.name == "convohouse" and not shutil.which("convohouse") else "convohouse"
    return "\n".join(
        (
            f'  {program} --home {root} query "from metrics.agent_daily order by start_date desc"',
            f"  {program} --home {root} status",
            f"  {program} --home {root} dev",
            f"  {program} --home {root} serve",
        )
    )
