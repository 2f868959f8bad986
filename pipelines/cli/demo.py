"""``convohouse demo``: the whole way once, without a key: an emulated API, the Dagster job, the numbers that come of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.emulate import KEY
from pipelines.cli.options import Options, aligned, emit, finish, pass_options, plural, shared, teach
from pipelines.cli.progress import duration, showing

if TYPE_CHECKING:
    from pipelines.emulator.world import World
    from warehouse.home import Home

HOME = Path("demo")
WORLD_FILE = "demo.json"


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """The emulated calls that a demo's home holds: those of ``days`` days before its first run, and all since."""

    seed: int
    conversations: int
    days: int
    first_until: date

    @property
    def since(self) -> datetime:
        """Start of its first day."""
        return _midnight(self.first_until) - timedelta(days=self.days)

    def until(self, until: date) -> World:
        """The world as it stands at a midnight: it grows by whole lengths, so that each day keeps its calls."""
        from pipelines.emulator.world import World

        lengths = 1 + max(0, -((self.first_until - until).days // self.days))
        return World(
            seed=self.seed,
            conversations=self.conversations * lengths,
            days=self.days * lengths,
            until=_midnight(until),
        )


@click.command(
    epilog=teach(
        "convohouse demo",
        "convohouse demo --conversations 200 --days 7 --home /tmp/small",
        exits="0  everything is there and every check passed;1  the job failed: the reasons are named;"
        "2  the folder holds something else",
    )
)
@click.option("--conversations", default=1200, show_default=True, type=click.IntRange(1), help="Calls, about.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1), help="Days that they are spread over.")
@click.option("--seed", default=7, show_default=True, type=click.IntRange(0), help="Another seed is another world.")
@shared
@pass_options
def demo(options: Options, conversations: int, days: int, seed: int) -> None:
    """Run the whole job on emulated calls and show what comes of it: no key, no service, no question.

    The emulated API runs on this machine, the Dagster job copies it into the folder `demo` (or --home). A second run
    shows how little is read again.
    """
    from pipelines.emulator.app import create_app
    from pipelines.emulator.server import running
    from pipelines.orchestration.run import run_job
    from pipelines.steps import Site

    root = options.home or HOME
    site = Site(options.settings(home=root, api_key=KEY))
    today = site.clock().astimezone(UTC).date()
    kept = _kept(site.home, DemoWorld(seed, conversations, days, today))
    until = _midnight(today)
    options.say(f"Emulated API on this machine, {plural(days, 'day')} of calls; the Dagster job copies them to {root}.")
    with running(create_app(kept.until(today), clock=lambda: until, key=KEY)) as url, showing(options) as show:
        site = Site(options.settings(home=root, base_url=url, api_key=KEY))
        outcome = run_job(site, since=kept.since, until=until, progress=show)
    if not outcome.is_success:
        _fail(options, outcome.errors)
        return
    run, numbers = _last_run(site.home), _numbers(site.home)
    if options.is_json:
        emit({"run": run, "summary": numbers, "problems": []})
        return
    options.say(f"\n{_what_was_read(run)} in {duration(run['elapsed_secs'])}\n")
    click.echo(aligned(_facts(numbers)))
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
        kept = DemoWorld(**(json.loads(note.read_text()) | {"first_until": _noted_day(note)}))
        if (kept.seed, kept.conversations, kept.days) != (asked.seed, asked.conversations, asked.days):
            raise UsageError(
                f"{home.root} holds another demo.",
                f"Give --seed {kept.seed} --conversations {kept.conversations} --days {kept.days}, or another --home.",
            )
        return kept
    if home.exists() and any(home.documents.rglob("*.parquet")):
        raise UsageError(f"{home.root} holds calls that are no demo's.", "Give the demo a --home of its own.")
    home.open()
    note.write_text(json.dumps(asdict(asked), default=str) + "\n")
    return asked


def _noted_day(note: Path) -> date:
    return date.fromisoformat(json.loads(note.read_text())["first_until"])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _fail(options: Options, errors: tuple[str, ...]) -> None:
    click.echo("error: the job failed:", err=True)
    for error in errors:
        click.echo(f"  - {' '.join(error.split())}", err=True)
    if options.is_json:
        emit({"problems": list(errors)})
    finish(1)


def _last_run(home: Home) -> dict[str, Any]:
    from warehouse import lake
    from warehouse.tables import SYNC_RUNS

    return lake.read(home, SYNC_RUNS).sort("started_at").row(-1, named=True)


def _numbers(home: Home) -> dict[str, Any]:
    """The summary, one row: rates are sums over sums, percentiles are over turns and tool calls."""
    from warehouse import duck

    return duck.query(home, SUMMARY).row(0, named=True)


SUMMARY = """
with days as (
    select
        min(start_date) as first_date,
        max(start_date) as last_date,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(n_open) as bigint) as n_open,
        sum(n_success) / nullif(sum(n_success + n_failure), 0) as success_rate,
        sum(n_success + n_failure) / nullif(sum(n_calls), 0) as success_coverage,
        cast(sum(cost_credits) as bigint) as cost_credits,
        sum(cost_usd) as cost_usd,
        sum(cost_usd) / nullif(sum(n_success), 0) as cost_usd_per_success
    from metrics.agent_daily
),

waits as (
    select
        quantile_cont(wait_secs, 0.5) as wait_p50_secs,
        quantile_cont(wait_secs, 0.95) as wait_p95_secs
    from marts.fct_turns
    where is_finished
),

tools as (
    select
        tool_name as slowest_tool,
        quantile_cont(latency_secs, 0.95) as slowest_tool_p95_secs,
        count(latency_secs) as slowest_tool_n_answered
    from marts.fct_tool_calls
    where is_finished
    group by tool_name
    having count(latency_secs) > 0
    order by slowest_tool_p95_secs desc, tool_name
    limit 1
)

select * from days cross join waits left join tools on true
"""


def _what_was_read(run: dict[str, Any]) -> str:
    """What the run read, in words."""
    new = f"{plural(run['n_new'], 'new call')} read" if run["n_new"] else "nothing new"
    again = [
        f"{plural(run[f'n_{why}'], f'{why} call')} read again" for why in ("open", "changed", "due") if run[f"n_{why}"]
    ]
    return "; ".join((new, *again))


def _facts(n: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("calls", f"{n['n_calls'] or 0:,} finished, {n['n_open'] or 0:,} open, {n['first_date']} to {n['last_date']}"),
        ("success rate", f"{_share(n['success_rate'])}, with {_share(n['success_coverage'])} of the calls judged"),
        ("cost", f"{_number(n['cost_credits'], ',')} credits, ${_number(n['cost_usd'], ',.2f')}"),
        ("cost per successful call", f"${_number(n['cost_usd_per_success'], ',.3f')}"),
        ("wait, 95th percentile", f"{_number(n['wait_p95_secs'], '.2f')} s, half are within "
                                  f"{_number(n['wait_p50_secs'], '.2f')} s"),
        ("slowest tool", _slowest(n)),
    ]  # fmt: skip


def _slowest(n: dict[str, Any]) -> str:
    if n["slowest_tool"] is None:
        return "no tool was called"
    over = plural(n["slowest_tool_n_answered"], "answered call")
    return f"{n['slowest_tool']}, 95th percentile {n['slowest_tool_p95_secs']:.2f} s over {over}"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"


def _number(value: float | None, form: str) -> str:
    return "unknown" if value is None else f"{value:{form}}"


def _next(root: Path) -> str:
    return "\n".join(
        (
            f'  convohouse --home {root} query "from metrics.agent_daily order by start_date desc"',
            f"  convohouse --home {root} status",
            f"  CONVOHOUSE_HOME={root} make dev",
        )
    )
