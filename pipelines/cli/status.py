"""``convohouse status``: what is in the warehouse, how fresh it is, and what the last runs did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import Options, aligned, emit, moment, pass_options, plural, shared, size, teach

if TYPE_CHECKING:
    from pipelines.usecases.status import Status

QUARANTINE_SHOWN = 5


@click.command(
    epilog=teach(
        {
            "convohouse status": "of the home folder",
            "convohouse --home demo status": "of the demo's",
            "convohouse status --json | jq .workspaces[].states": "for programs",
        },
        {0: "also where nothing is there yet", 2: "a setting is wrong"},
    )
)
@shared
@pass_options
def status(options: Options) -> None:
    """Say what is there, how fresh it is, and what runs did.

    Reads only, also while a run is writing. A call is open until it is finished, settling while it will be read again
    for late changes, then settled.
    """
    from pipelines.usecases.status import read_status as look

    context = options.context()
    now = context.clock()
    every = [look(each.home, now=now, reread_days=each.settings.reread_days) for each in context.workspaces_with_data()]
    if options.is_json:
        emit(
            {
                "home": context.home.root,
                "exists": context.home.exists(),
                "workspaces": [found.to_json() for found in every],
            }
        )
    elif not context.home.exists():
        click.echo(f"{context.home.root} holds nothing yet: `convohouse sync` fills it, `convohouse demo` shows how.")
    else:
        click.echo("\n\n".join(part for found in every for part in _parts(found, is_named=len(every) > 1)))


def _parts(found: Status, *, is_named: bool) -> Iterator[str]:
    name = f", workspace {found.workspace}" if is_named else ""
    yield f"{found.home}{name}\n{aligned(_facts(found))}"
    if found.quarantine:
        rows = [(row["conversation_id"], row["reason"], row["error"]) for row in found.quarantine[:QUARANTINE_SHOWN]]
        yield _section(f"Set aside ({len(found.quarantine):,}):", ("conversation", "reason", "error"), rows)
    if found.runs:
        names = ("started", "outcome", "listed", "fetched", "landed", "gone", "time", "")
        numbers = names[2:7]
        yield _section("Last runs:", names, [_run(row) for row in found.runs], numbers)


def _facts(found: Status) -> Iterator[tuple[str, str]]:
    span = f", {found.first_date} to {found.last_date}" if found.first_date else ""
    of = f" with {plural(found.n_agents, 'agent')}" if found.n_agents else ""
    yield "conversations", f"{found.n_in_lake:,}{of}{span}"
    yield "", ", ".join(f"{number:,} {state}" for state, number in found.states.items())
    if found.n_deleted:
        yield "", f"{found.n_deleted:,} deleted at the API"
    yield "last listed", f"{moment(found.listed_at)}: {found.n_listed:,} known"
    yield "last read", f"{moment(found.read_at)}: {found.n_landed:,} landed"
    yield "warehouse", _built(found)
    wanted = ", ".join(f"{number:,} {reason}" for reason, number in found.to_fetch.items() if number)
    yield "next sync reads", f"{wanted or 'nothing of those known'}, and what is new"
    yield "quarantine", plural(len(found.quarantine), "document")
    yield "on disk", ", ".join(f"{part} {size(n_bytes)}" for part, n_bytes in found.sizes.items())


def _built(found: Status) -> str:
    if found.built_at is None:
        return "not built yet: `convohouse build`"
    behind = f"; {plural(found.n_behind, 'conversation')} landed since: `convohouse sync`" if found.n_behind else ""
    return f"built {moment(found.built_at)}{behind}"


def _run(row: dict[str, Any]) -> tuple[str, ...]:
    from pipelines.cli.progress import duration

    counts = (f"{row[name]:,}" for name in ("n_listed", "n_fetched", "n_landed", "n_gone"))
    return moment(row["started_at"]), row["outcome"], *counts, duration(row["elapsed_secs"]), row["error"] or ""


def _section(title: str, names: tuple[str, ...], rows: Sequence[tuple[str, ...]], right: tuple[str, ...] = ()) -> str:
    from pipelines.cli.text_table import table_text

    return f"{title}\n{table_text(names, rows, right=right)}"
