"""``convohouse tools``: the tools of the workspaces, how they are set up and how they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import Options, emit, pass_options, plural, shared, teach
from pipelines.cli.progress import showing

if TYPE_CHECKING:
    from pipelines.usecases.context import Context

COLUMNS = (
    "tool_name",
    "tool_type",
    "response_timeout_secs",
    "n_tool_calls",
    "error_rate",
    "vendor_n_calls",
    "changed_at",
    "state",
)
NUMBERS = frozenset({"response_timeout_secs", "n_tool_calls", "error_rate", "vendor_n_calls"})


@click.command(
    epilog=teach(
        {
            "convohouse tools": "as the last sync found them",
            "convohouse tools --sync": "asks the API first, and builds the warehouse anew",
            'convohouse query "from lake.tool_versions"': "what was changed in a tool, and when",
        },
        {
            0: "listed",
            1: "a check failed: the warehouse stays as it was",
            2: "there is no warehouse yet, or a setting is wrong",
            3: "the API or its key",
        },
    )
)
@click.option("--sync", "is_sync", is_flag=True, help="List the tools at the API first; the key needs convai_read.")
@shared
@pass_options
def tools(options: Options, is_sync: bool) -> None:
    """List the tools: type, time-out, calls, error rate, last change.

    Calls are those of the conversations here, the vendor's own count is of all time. The state says of a tool that no
    conversation used it (never used), that the API no longer lists it (gone), or that it never did (not listed), as the
    tools of MCP servers.
    """
    from warehouse.serve.query import query

    context = options.context()
    problems = _copy(options, context) if is_sync else ()
    found = query(context.home, "select * from marts.dim_tools order by n_tool_calls desc, tool_name").to_dicts()
    if options.is_json:
        emit({"tools": found, "problems": list(problems)})
    else:
        click.echo(_text(found))
        n_idle = sum(row["is_never_used"] for row in found)
        options.say(f"\n{plural(len(found), 'tool')}, {n_idle} never used.")
        for problem in problems:
            options.say(f"  - {problem}")
    click.get_current_context().exit(1 if problems else 0)


def _copy(options: Options, context: Context) -> tuple[str, ...]:
    """Ask the API of each workspace, and build; what is amiss then."""
    from pipelines.transform.schema_drift import refresh_unknown
    from pipelines.usecases.reference_data import fetch_and_land_tools
    from pipelines.usecases.run_session import describe_failed_check
    from pipelines.usecases.sync_steps import build_models

    with context.write_lock("tools"), showing(options) as show:
        for each in context.workspaces():
            copied = fetch_and_land_tools(each, show)
            refresh_unknown(each.home)
            counts = f"{copied.n_changed} new or changed, {copied.n_gone} gone"
            options.say(f"{each.settings.workspace}: {plural(copied.n_listed, 'tool')} listed, {counts}")
        built = build_models(context, show)
    return tuple(describe_failed_check(result) for result in built.failed)


def _text(found: list[dict[str, Any]]) -> str:
    from pipelines.cli.text_table import table_text

    names = ("workspace", *COLUMNS) if len({row["workspace"] for row in found}) > 1 else COLUMNS
    rows = [[_cell(name, row) for name in names] for row in found]
    return table_text(names, rows, right=NUMBERS)


def _cell(name: str, row: dict[str, Any]) -> object:
    if name == "state":
        return _state(row)
    if name == "error_rate":
        return None if row[name] is None else f"{row[name]:.1%}"
    return f"{row[name]:%Y-%m-%d}" if name == "changed_at" and row[name] else row[name]


def _state(row: dict[str, Any]) -> str:
    states = (("not listed", not row["is_listed"]), ("gone", row["is_gone"]), ("never used", row["is_never_used"]))
    return ", ".join(state for state, is_so in states if is_so)
