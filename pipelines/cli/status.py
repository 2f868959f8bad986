"""``convohouse status``: what the home folder holds, how fresh it is, and what the last runs did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import Options, help_epilog, pass_options, shared_options
from pipelines.cli.render import emit, table
from pipelines.cli.text_table import aligned, terminal_width

if TYPE_CHECKING:
    from pipelines.usecases.status import Status
    from pipelines.usecases.target_status import TargetStatus

MAX_QUARANTINED = 5
"""Quarantined documents that are shown."""

RUN_COLUMNS = {
    "started_at": "started",
    "outcome": "outcome",
    "n_listed": "listed",
    "n_fetched": "fetched",
    "n_landed": "landed",
    "n_gone": "deleted",
    "elapsed": "time",
    "error": "",
}
TARGET_COLUMNS = {"target": "published to", "format": "format", "published_at": "last published", "state": "state"}


@click.command(
    epilog=help_epilog(
        {
            "convohouse status": "of the home folder",
            "convohouse --home demo status": "of the demo's",
            "convohouse status --json | jq .workspaces[].states": "for programs",
        },
        {0: "printed, also if the home folder is empty", 2: "a setting is wrong, or the folder cannot be a home"},
    )
)
@shared_options
@pass_options
def status(options: Options) -> None:
    """Show what is stored, how fresh it is, and the last runs.

    Only reads, so it can run during a sync. A conversation is open until it has ended, then settling while it is
    fetched again for late changes, then settled. For each target of `publish`, shows the result of the last
    publication.
    """
    from pipelines.usecases.status import read_status
    from pipelines.usecases.target_status import read_target_statuses
    from warehouse.errors import EmptyHomeError

    context = options.context()
    context.home.check()
    now = context.clock()
    statuses = [
        read_status(
            workspace.home,
            now=now,
            reread_days=workspace.settings.reread_days,
            confirm_after=workspace.settings.confirm_after,
        )
        for workspace in context.workspaces_with_data()
    ]
    targets = read_target_statuses(context.home, context.settings) if context.home.exists() else ()
    if options.is_json:
        emit(
            {
                "home": context.home.root,
                "exists": context.home.exists(),
                "workspaces": [workspace.to_json() for workspace in statuses],
                "targets": [asdict(target) for target in targets],
            }
        )
    elif not context.home.exists():
        click.echo(EmptyHomeError(context.home.root))
    else:
        sections = [section for workspace in statuses for section in _sections(workspace, is_named=len(statuses) > 1)]
        if targets:
            sections.append(f"Publications:\n{table(map(_target_row, targets), TARGET_COLUMNS, prose=('state',)).text}")
        click.echo("\n\n".join(sections))


def _sections(workspace: Status, *, is_named: bool) -> Iterator[str]:
    name = f", workspace {workspace.workspace}" if is_named else ""
    yield f"{workspace.home}{name}\n{aligned(_facts(workspace), terminal_width())}"
    if workspace.quarantine:
        columns = {"conversation_id": "conversation", "reason": "reason", "error": "error"}
        quarantine = table(workspace.quarantine[:MAX_QUARANTINED], columns, prose=("error",))
        yield f"Quarantined ({len(workspace.quarantine):,}):\n{quarantine.text}"
    if workspace.runs:
        yield f"Last runs:\n{table(map(_run_row, workspace.runs), RUN_COLUMNS, prose=('error',)).text}"


def _facts(workspace: Status) -> Iterator[tuple[str, str]]:
    from warehouse.serve.value_format import moment, plural, size

    dates = f", {workspace.first_date} to {workspace.last_date}" if workspace.first_date else ""
    agents = f" with {plural(workspace.n_agents, 'agent')}" if workspace.n_agents else ""
    yield "conversations", f"{workspace.n_in_lake:,}{agents}{dates}"
    yield "", ", ".join(f"{number:,} {state}" for state, number in workspace.states.items())
    if workspace.n_deleted:
        yield "", f"{workspace.n_deleted:,} deleted at the API"
    yield "last listed", f"{moment(workspace.listed_at)}: {workspace.n_listed:,} known"
    full_listing_at = workspace.last_full_listing_at
    yield "listed until", f"{moment(full_listing_at)}, all agents" if full_listing_at else "not all agents yet"
    yield "last fetched", f"{moment(workspace.read_at)}: {workspace.n_landed:,} landed"
    yield "warehouse", _describe_build(workspace)
    due = ", ".join(f"{number:,} {reason}" for reason, number in workspace.to_fetch.items() if number)
    yield "next sync", f"fetches {f'{due}, and' if due else 'only'} what is new"
    yield "quarantine", plural(len(workspace.quarantine), "item")
    yield "on disk", ", ".join(f"{part} {size(n_bytes)}" for part, n_bytes in workspace.sizes.items())


def _describe_build(workspace: Status) -> str:
    from warehouse.serve.value_format import moment, plural

    if workspace.built_at is None:
        return "not built yet: `convohouse build`"
    n_behind = workspace.n_behind
    behind = f"; {plural(n_behind, 'conversation')} landed since: `convohouse sync`" if n_behind else ""
    return f"built {moment(workspace.built_at)}{behind}"


def _target_row(target: TargetStatus) -> dict[str, Any]:
    from warehouse.serve.value_format import moment

    states = [
        "no longer in published.json: publish to it by name, or --forget it" if target.is_lost else "",
        "behind: `convohouse publish`" if target.is_behind and not target.is_lost else "",
        "may still have what was erased or redacted" if target.is_pending else "",
        f"failed {moment(target.failed_at)}: {target.problem}" if target.problem else "",
    ]
    state = "; ".join(filter(None, states)) or "current"
    return asdict(target) | {"published_at": moment(target.published_at), "state": state}


def _run_row(run: dict[str, Any]) -> dict[str, Any]:
    from warehouse.serve.value_format import duration, moment

    return run | {"started_at": moment(run["started_at"]), "elapsed": duration(run["elapsed_secs"])}
