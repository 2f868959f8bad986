"""``convohouse sync``: copy what is new or has changed, and build the warehouse from it."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import Options, aligned, emit, finish, pass_options, plural, shared, teach
from pipelines.cli.progress import duration, showing

if TYPE_CHECKING:
    from pipelines.extract.fetch_plan import FetchPlan
    from pipelines.usecases.sync import SyncResult

WHY = {
    "new": "never read",
    "open": "not finished when last read",
    "changed": "another list row than at the last reading",
    "missing": "no longer in the list: deleted?",
    "due": "finished, and to be read again for late changes",
    "asked": "set aside before, or feedback was sent since",
}
"""The reasons of ``pipelines.extract.fetch_policy``, for people."""


@click.command(
    epilog=teach(
        {
            "convohouse sync": "what is new, open, changed or due since the last run",
            "convohouse sync --since 7d": "the calls of the last seven days",
            "convohouse sync --since 2026-01-01 --until 2026-02-01": "a backfill of January",
            "convohouse sync --plan": "what it would read, and why",
        },
        {
            0: "everything listed is in the warehouse",
            1: "incomplete, or a check failed: each problem is named",
            2: "a date, a setting or the home folder is wrong",
            3: "the API or its key",
        },
    )
)
@click.option("--since", metavar="WHEN", help="Only calls that started at or after: 2026-01-01, an ISO time, or 7d.")
@click.option("--until", metavar="WHEN", help="Only calls that started before [default: now].")
@click.option("--agent", metavar="ID", help="Only calls of this agent.")
@click.option("--plan", "is_plan", is_flag=True, help="List only, and say what would be read and why; write nothing.")
@shared
@pass_options
def sync(options: Options, since: str | None, until: str | None, agent: str | None, is_plan: bool) -> None:
    """Copy what is new, open, changed or due into the warehouse.

    Calls are listed, read, flattened into the lake, and the warehouse is built from it. Without options a run goes
    on from the last complete one, looking back a few days. It can be stopped at any moment: what was read is kept,
    and the next run reads only what is missing.
    """
    from pipelines.extract.time_window import Window, parse_moment
    from pipelines.usecases import sync as sync_usecase

    context = options.context()
    now = context.clock()
    since_at, until_at = (None if text is None else parse_moment(text, now) for text in (since, until))
    Window(since_at, until_at or now, agent)  # refuses what makes no sense before anything is touched
    each = context.settings.workspace_settings()
    if len(each) == 1:  # of several workspaces, one without a key does not keep the others from theirs
        each[0].key()
    if is_plan:
        with showing(options) as show:
            planned = sync_usecase.plan(context, since=since_at, until=until_at, agent_id=agent, progress=show)
        _show(options, planned)
        return
    with showing(options) as show:
        done = sync_usecase.sync(
            context, run_id=new_run_id(now), since=since_at, until=until_at, agent_id=agent, progress=show
        )
    report(options, done, "complete: all that was listed is in the warehouse", run_facts(done.run))


def _show(options: Options, plans: dict[str, FetchPlan]) -> None:
    """Say what a run would do; as data, with every call and why it would be read."""
    if options.is_json:
        emit({"workspaces": {name: _data(planned) for name, planned in plans.items()}})
        return
    for name, planned in plans.items():
        counts = _reasons(planned)
        facts = [
            *([("workspace", name)] if len(plans) > 1 else []),
            ("would list", f"{planned.window}: {plural(planned.n_listed, 'call')}"),
            ("would read", f"{planned.to_fetch.height:,}"),
            *(("", f"{count:,} {reason}: {WHY[reason]}") for reason, count in counts.items() if count),
        ]
        click.echo(aligned(facts))


def _reasons(planned: FetchPlan) -> dict[str, int]:
    return {reason: planned.to_fetch.filter(reason=reason).height for reason in WHY}


def _data(planned: FetchPlan) -> dict[str, Any]:
    window = {"since": planned.window.since, "until": planned.window.until, "agent_id": planned.window.agent_id}
    calls = planned.to_fetch.select("conversation_id", "start_time_at", "reason").to_dicts()
    return {"window": window, "n_listed": planned.n_listed, "wanted": _reasons(planned), "conversations": calls}


def new_run_id(now: datetime) -> str:
    """An id that sorts by time and that no other run has."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def run_facts(run: dict[str, Any]) -> list[tuple[str, str]]:
    """The counts of a row of ``sync_runs``, for people."""
    return [
        ("listed", f"{run['n_listed']:,}"),
        ("wanted", _counts(run, "new", "open", "changed", "missing", "due", "asked")),
        ("fetched", f"{run['n_fetched']:,}: {_counts(run, 'landed', 'unchanged', 'gone')}"),
        ("quarantined", f"{run['n_quarantined']:,}"),
        ("time", duration(run["elapsed_secs"])),
    ]


def _counts(run: dict[str, Any], *names: str) -> str:
    return ", ".join(f"{run[f'n_{name}']:,} {name}" for name in names)


def report(options: Options, done: SyncResult, when_complete: str, facts: list[tuple[str, str]]) -> None:
    """Say how a run ended, and leave with its exit code."""
    if options.is_json:
        emit(
            {
                "run": done.run,
                "workspaces": list(done.runs),
                "problems": list(done.problems),
                "warnings": list(done.warnings),
            }
        )
    else:
        _summarise(options, done, when_complete, facts)
    finish(0 if done.is_complete else 1)


def _summarise(options: Options, done: SyncResult, when_complete: str, facts: list[tuple[str, str]]) -> None:
    options.say()
    options.say(when_complete if done.is_complete else "incomplete:")
    for problem in done.problems:
        options.say(f"  - {' '.join(problem.split())}")
    options.say_facts(facts)
    for warning in done.warnings:
        options.say(f"  warning: {' '.join(warning.split())}")
    if len(done.runs) > 1:
        options.say_facts((run["workspace"], f"{run['outcome']}: {run['n_fetched']:,} fetched") for run in done.runs)
    if not done.build_result.is_swapped:
        options.say("The warehouse stays as it was before: `convohouse build` builds it again.")
