"""``convohouse drift``: fields and values of the API that the schema does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, help_epilog, pass_options, shared_options
from pipelines.cli.render import emit, print_all_rows, table

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("path", "kind", "value", "n_rows", "first_seen_at", "example_id")
BEFORE_ANY_RUN = "2024-01-01"


@click.command(
    epilog=help_epilog(
        {
            "convohouse drift": "what the last run saw for the first time",
            "convohouse drift --since 30d": "what is new in the last thirty days",
            f"convohouse --json drift --since {BEFORE_ANY_RUN}": "all of it, for programs",
        },
        {0: "listed, also if nothing is new", 2: "a date or a setting is wrong, or the folder cannot be a home"},
    )
)
@click.option("--since", metavar="WHEN", help="New since a date, a time, or days ago (7d) [default: the last run].")
@shared_options
@pass_options
def drift(options: Options, since: str | None) -> None:
    """List fields and values that the schema does not know.

    Lists keys without a column, values of another type than their column, and new words in fields with a known set of
    words, each with the JSON path, the number of rows, and a conversation as an example. Nothing is lost: the landing
    keeps every document unchanged.
    """
    from pipelines.extract.time_window import parse_moment
    from pipelines.transform.schema_drift import new_unknown
    from warehouse.errors import EmptyHomeError

    home = options.home_folder()
    home.check()
    since_at = None if since is None else parse_moment(since, options.now())
    new, n_before = new_unknown(home, since_at)
    if options.is_json:
        emit({"new": new.to_dicts(), "n_seen_before": n_before})
    elif not home.exists():
        options.say(str(EmptyHomeError(home.root)))
    else:
        if new.height:
            _print_table(options, new)
        options.say(_summary(new.height, n_before))


def _summary(n_new: int, n_before: int) -> str:
    from warehouse.serve.value_format import plural

    new = plural(n_new, "unknown field") if n_new else "no unknown field"
    before = f"; {n_before:,} seen before (`convohouse drift --since {BEFORE_ANY_RUN}` lists all)" if n_before else ""
    return f"New: {new}{before}."


def _print_table(options: Options, new: pl.DataFrame) -> None:
    rows = new.with_columns(first_seen_at=new["first_seen_at"].dt.strftime("%Y-%m-%d %H:%M")).rows(named=True)
    print_all_rows(options, table(rows, COLUMNS))
