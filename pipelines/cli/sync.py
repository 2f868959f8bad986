"""``convohouse sync``: copy new and changed conversations, and build the warehouse from them."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import AGENT_HELP, SINCE_HELP, Options, exit_with, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.render import emit
from pipelines.cli.text_table import aligned, terminal_width

if TYPE_CHECKING:
    from pipelines.extract.fetch_plan import FetchPlan
    from pipelines.usecases.sync import SyncResult

WHY = {
    "new": "never fetched",
    "open": "not finished when last fetched",
    "changed": "its list row has changed since the last fetch",
    "missing": "no longer in the list: deleted?",
    "due": "finished, and fetched again for late changes",
    "asked": "quarantined before, or feedback was sent since",
}
"""The reasons of ``pipelines.extract.fetch_policy``, for people."""


@click.command(
    epilog=help_epilog(
        {
            "convohouse sync": "what is new, open, changed or due since the last run",
            "convohouse sync --since 7d": "the conversations of the last seven days",
            "convohouse sync --since 2026-01-01 --until 2026-02-01": "a backfill of January",
            "convohouse sync --plan": "what it would fetch, and why",
        },
        {
            0: "everything listed is in the warehouse",
            1: "incomplete, a check failed, or too much would be removed: each problem is named",
            2: "a date, the agent, a setting or the home folder is wrong",
            3: "the API or its key",
        },
    )
)
@click.option("--since", metavar="WHEN", help=SINCE_HELP)
@click.option("--until", metavar="WHEN", help="Only conversations that started before [default: now].")
@click.option("--agent", metavar="AGENT", help=AGENT_HELP)
@click.option(
    "--plan", "is_plan", is_flag=True, help="Only list, and show what would be fetched and why; write nothing."
)
@click.option(
    "--allow-removals",
    is_flag=True,
    help="Redact or erase however many conversations were deleted at the API, and accept a workspace in which nothing "
    "known is found.",
)
@shared_options
@pass_options
def sync(
    options: Options, *, since: str | None, until: str | None, agent: str | None, is_plan: bool, allow_removals: bool
) -> None:
    """Copy what is new, open, changed or due into the warehouse.

    Lists, fetches and flattens conversations into the lake, and builds the warehouse from it. Without options, a run
    continues from the last complete one, looking back a few days. You can stop it at any time: what was fetched is
    kept, and the next run fetches only what is missing.
    """
    from pipelines.extract.time_window import Window, parse_moments
    from pipelines.usecases import sync as sync_usecase
    from pipelines.usecases.agents import resolve_agent

    context = options.context()
    now = context.clock()
    since_at, until_at = parse_moments(since, until, now)
    agent_id = resolve_agent(context.home, agent, allow_unseen=True)
    Window(since_at, until_at or now, agent_id)  # refuses an empty window before anything is written
    workspaces = context.settings.workspace_settings()
    if len(workspaces) == 1:  # of several workspaces, those with a key are synced even if one has none
        workspaces[0].key()
    if is_plan:
        with show_progress(options) as show:
            plans = sync_usecase.plan(context, since=since_at, until=until_at, agent_id=agent_id, progress=show)
        _print_plans(options, plans)
        return
    with show_progress(options) as show:
        result = sync_usecase.sync(
            context,
            run_id=new_run_id(now),
            since=since_at,
            until=until_at,
            agent_id=agent_id,
            allow_removals=allow_removals,
            progress=show,
        )
    report(options, result, "complete: everything listed is in the warehouse", run_facts(result.run))


def _print_plans(options: Options, plans: dict[str, FetchPlan]) -> None:
    """Say what a run would do; the JSON has every conversation and why it would be fetched."""
    from warehouse.serve.value_format import plural

    if options.is_json:
        emit({"workspaces": {name: _plan_data(plan) for name, plan in plans.items()}})
        return
    for name, plan in plans.items():
        facts = [
            *([("workspace", name)] if len(plans) > 1 else []),
            ("would list", f"{plan.window}: {plural(plan.n_listed, 'conversation')}"),
            ("would fetch", plural(plan.to_fetch.height, "conversation")),
            *(("", f"{count:,} {reason}: {WHY[reason]}") for reason, count in _count_reasons(plan).items() if count),
        ]
        click.echo(aligned(facts, terminal_width()))


def _count_reasons(plan: FetchPlan) -> dict[str, int]:
    return {reason: plan.to_fetch.filter(reason=reason).height for reason in WHY}


def _plan_data(plan: FetchPlan) -> dict[str, Any]:
    window = {"since": plan.window.since, "until": plan.window.until, "agent_id": plan.window.agent_id}
    conversations = plan.to_fetch.select("conversation_id", "start_time_at", "reason").to_dicts()
    return {
        "window": window,
        "n_listed": plan.n_listed,
        "wanted": _count_reasons(plan),
        "conversations": conversations,
    }


def new_run_id(now: datetime) -> str:
    """An id that sorts by time and that no other run has."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def run_facts(run: dict[str, Any]) -> list[tuple[str, str]]:
    """The counts of a row of ``sync_runs``, for people."""
    from warehouse.serve.value_format import duration, plural

    fetched = f"{_counts(run, 'landed', 'unchanged')}, {run['n_gone']:,} deleted"
    return [
        ("listed", plural(run["n_listed"], "conversation")),
        ("to fetch", _counts(run, *WHY)),
        ("fetched", f"{run['n_fetched']:,}: {fetched}"),
        ("quarantined", f"{run['n_quarantined']:,}"),
        ("time", duration(run["elapsed_secs"])),
    ]


def describe_fetched(run: dict[str, Any]) -> str:
    """What a run fetched, in one sentence."""
    from warehouse.serve.value_format import plural

    new = f"{plural(run['n_new'], 'new conversation')} fetched" if run["n_new"] else "nothing new"
    again = [
        f"{plural(run[f'n_{reason}'], f'{reason} conversation')} fetched again"
        for reason in ("open", "changed", "due")
        if run[f"n_{reason}"]
    ]
    deleted = [f"{plural(run['n_gone'], 'conversation')} found deleted"] if run["n_gone"] else []
    return "; ".join((new, *again, *deleted))


def _counts(run: dict[str, Any], *names: str) -> str:
    return ", ".join(f"{run[f'n_{name}']:,} {name}" for name in names)


def report(options: Options, result: SyncResult, when_complete: str, facts: list[tuple[str, str]]) -> None:
    """Say how a run ended, and end the command with its exit code."""
    if options.is_json:
        emit(
            {
                "run": result.run,
                "workspaces": list(result.runs),
                "problems": list(result.problems),
                "warnings": list(result.warnings),
            }
        )
    else:
        _say_result(options, result, when_complete, facts)
    exit_with(0 if result.is_complete else 1)


def _say_result(options: Options, result: SyncResult, when_complete: str, facts: list[tuple[str, str]]) -> None:
    options.say()
    options.say(when_complete if result.is_complete else "incomplete:")
    for problem in result.problems:
        options.say(f"  - {' '.join(problem.split())}")
    options.say_facts(facts)
    for warning in result.warnings:
        options.say(f"  warning: {' '.join(warning.split())}")
    if len(result.runs) > 1:
        options.say_facts((run["workspace"], f"{run['outcome']}: {run['n_fetched']:,} fetched") for run in result.runs)
    if not result.build_result.is_swapped:
        options.say("The warehouse is unchanged: `convohouse build` builds it again.")
