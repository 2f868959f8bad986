"""``convohouse bill``: the vendor's bill by day, beside the cost of the conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import Options, exit_with, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.render import emit, print_all_rows, table

if TYPE_CHECKING:
    from pipelines.usecases.context import Context

COLUMNS = {
    "start_date": "day",
    "bill_unit": "unit",
    "billed_amount": "billed",
    "billed_other_amount": "other products",
    "billed_agents_amount": "for agents",
    "conversations_amount": "conversations",
    "unexplained_amount": "difference",
    "bill_explanation": "explanation",
}
UNITS = {name: "credits" for name in COLUMNS if name.endswith("_amount")}
"""How amounts are grouped; what they are of is in a column of its own."""
ROWS = """
    select * from metrics.cost_reconciliation
    where bill_unit is not null
    qualify dense_rank() over (partition by workspace order by start_date desc) <= ?
    order by workspace, start_date
"""


@click.command(
    epilog=help_epilog(
        {
            "convohouse bill": "the last 14 days, as of the last sync",
            "convohouse bill --days 60 --sync": "ask the API first, and build the warehouse",
            'convohouse query "from lake.billed_usage"': "the bill by product",
        },
        {
            0: "shown",
            1: "a check failed: the warehouse stays as it was",
            2: "there is no warehouse yet, or a setting is wrong",
            3: "the API or its key",
        },
    )
)
@click.option("--days", type=click.IntRange(1), default=14, show_default=True, metavar="N", help="Days to show.")
@click.option(
    "--sync",
    "is_sync",
    is_flag=True,
    help="Fetch the bill from the API first; the key needs the scope for workspace analytics.",
)
@shared_options
@pass_options
def bill(options: Options, days: int, is_sync: bool) -> None:
    """Compare the vendor's bill with the cost of conversations, by day.

    Days are UTC days. The difference is what the vendor bills for agents minus the cost of the conversations that
    started on that day. The explanation names possible causes: a day that was not over, surcharges for voices, and
    conversations that are not finished, were deleted or erased, or have an unknown cost.
    """
    from warehouse.serve.query import query
    from warehouse.serve.value_format import plural

    context = options.context()
    problems = _sync(options, context) if is_sync else ()
    rows = query(context.home, ROWS.replace("?", str(days))).to_dicts()
    if options.is_json:
        emit({"days": rows, "problems": list(problems)})
    elif rows:
        several = {"workspace": "workspace"} if len({row["workspace"] for row in rows}) > 1 else {}
        layout = table(map(_whole_credits, rows), several | COLUMNS, units=UNITS)
        print_all_rows(options, layout)
        n_equal = sum(row["bill_explanation"] is None for row in rows)
        options.say(f"\n{plural(len(rows), 'day')}, {n_equal} without a difference.")
    else:
        options.say("There is no bill yet: `convohouse bill --sync` asks for it.")
    for problem in problems:
        options.say(f"  - {problem}")
    exit_with(1 if problems else 0)


def _whole_credits(row: dict[str, Any]) -> dict[str, Any]:
    """The row with amounts of whole credits as integers, which are shown without decimals."""
    amounts = {name: row[name] for name in UNITS if row["bill_unit"] == "credits" and row[name] is not None}
    return row | {name: int(amount) for name, amount in amounts.items() if amount.is_integer()}


def _sync(options: Options, context: Context) -> tuple[str, ...]:
    """Ask for the bill of each workspace, and build; gives the failed checks."""
    from pipelines.usecases.bill import BillCopy
    from pipelines.usecases.sync_reference_data import copy_and_build
    from warehouse.serve.value_format import plural

    def copy(workspace: Context) -> tuple[str, ...]:
        result = BillCopy(workspace, show).fetch_and_land()
        units = ", ".join(result.units) or "an empty bill"
        options.say(f"{workspace.settings.workspace}: {plural(result.n_days, 'day')} requested, {units}")
        return ()

    with show_progress(options) as show:
        return copy_and_build(context, "bill", copy, show)
