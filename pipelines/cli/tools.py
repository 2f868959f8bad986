"""``convohouse tools``: the tools of the workspaces, their configuration and their reliability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import Options, exit_with, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.render import emit, print_all_rows, table

if TYPE_CHECKING:
    from pipelines.usecases.context import Context

COLUMNS = {
    "tool_name": "tool",
    "tool_type": "type",
    "n_tool_calls": "calls",
    "error_rate": "errors",
    "state": "state",
    "changed_at": "changed",
    "response_timeout_secs": "timeout",
    "vendor_n_calls": "vendor's count",
}
UNITS = {"response_timeout_secs": "seconds", "vendor_n_calls": "count"}


@click.command(
    epilog=help_epilog(
        {
            "convohouse tools": "as of the last sync",
            "convohouse tools --sync": "list them at the API first, and build the warehouse",
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
@shared_options
@pass_options
def tools(options: Options, is_sync: bool) -> None:
    """List the tools: type, timeout, calls, error rate, last change.

    Calls are the tool calls in the conversations of the home folder; the vendor's count is of all time. The state says
    whether no conversation used the tool (never used), whether the API no longer lists it (deleted), or whether it
    never did (not listed), as with the tools of MCP servers.
    """
    from warehouse.serve.query import query
    from warehouse.serve.value_format import plural

    context = options.context()
    problems = _sync_tools(options, context) if is_sync else ()
    rows = query(context.home, "select * from marts.dim_tools order by n_tool_calls desc, tool_name").to_dicts()
    if options.is_json:
        emit({"tools": rows, "problems": list(problems)})
    else:
        _print_table(options, rows)
        n_unused = sum(row["is_never_used"] for row in rows)
        options.say(f"\n{plural(len(rows), 'tool')}, {n_unused} never used.")
        for problem in problems:
            options.say(f"  - {problem}")
    exit_with(1 if problems else 0)


def _sync_tools(options: Options, context: Context) -> tuple[str, ...]:
    """List the tools at the API of each workspace, and build; gives the failed checks."""
    from pipelines.usecases.reference_data import ToolsCopy
    from pipelines.usecases.sync_reference_data import copy_and_build
    from warehouse.serve.value_format import plural

    def copy(workspace: Context) -> tuple[str, ...]:
        result = ToolsCopy(workspace, show).fetch_and_land()
        counts = f"{result.n_changed} new or changed, {result.n_gone} deleted"
        options.say(f"{workspace.settings.workspace}: {plural(result.n_listed, 'tool')} listed, {counts}")
        return ()

    with show_progress(options) as show:
        return copy_and_build(context, "tools", copy, show)


def _print_table(options: Options, rows: list[dict[str, Any]]) -> None:
    is_one_workspace = len({row["workspace"] for row in rows}) < 2  # noqa: PLR2004 - several
    columns = COLUMNS if is_one_workspace else {"workspace": "workspace"} | COLUMNS
    cells = [
        row | {"state": _state(row), "changed_at": row["changed_at"].date() if row["changed_at"] else None}
        for row in rows
    ]
    layout = table(cells, columns, units=UNITS)
    print_all_rows(options, layout)


def _state(row: dict[str, Any]) -> str:
    states = (("not listed", not row["is_listed"]), ("deleted", row["is_gone"]), ("never used", row["is_never_used"]))
    return ", ".join(state for state, is_so in states if is_so)
