"""``convohouse drift``: what the API sends that the schema does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, emit, pass_options, plural, shared, teach

if TYPE_CHECKING:
    import polars as pl

NAMES = ("path", "kind", "value", "n_rows", "first_seen_at", "example_id")


@click.command(
    epilog=teach(
        {
            "convohouse drift": "what the last run saw for the first time",
            "convohouse drift --since 30d": "what is new in the last thirty days",
            "convohouse --json drift --since 2024-01-01": "all of it, for programs",
        },
        {0: "the question was answered, whatever the answer", 2: "a date or the home folder is wrong"},
    )
)
@click.option("--since", metavar="WHEN", help="New since a date, a time, or days ago (7d) [default: the last run].")
@shared
@pass_options
def drift(options: Options, since: str | None) -> None:
    """List keys, types and words that are new and unknown; each is kept, in `extra` or in its column.

    A key that no column knows, a value of another type than its column's, and a word that a closed field never
    took before: each with its JSON path, how many rows have it, and a conversation to look at.
    """
    from pipelines.sync.drift import new_unknown
    from pipelines.sync.window import parse_moment

    home = options.data()
    since_at = parse_moment(since, options.site().clock()) if since else None
    new, n_known = new_unknown(home, since_at)
    if options.is_json:
        emit({"new": new.to_dicts(), "n_seen_before": n_known})
        return
    if new.is_empty():
        options.say("Nothing new and unknown.")
    else:
        click.echo(_listed(new))
    if n_known:
        options.say(f"{plural(n_known, 'unknown')} seen before; `convohouse drift --since 2024-01-01` lists all.")


def _listed(new: pl.DataFrame) -> str:
    from pipelines.cli.tabular import table_text

    rows = new.with_columns(first_seen_at=new["first_seen_at"].dt.strftime("%Y-%m-%d %H:%M")).select(NAMES)
    return table_text(NAMES, rows.rows(), right={"n_rows"})
