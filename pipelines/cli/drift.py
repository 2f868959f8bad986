"""``convohouse drift``: what the API sends that the schema does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, emit, pass_options, plural, shared, teach

if TYPE_CHECKING:
    import polars as pl

NAMES = ("path", "kind", "value", "n_rows", "first_seen_at", "example_id")
EVER = "2024-01-01"
"""A time before any run."""


@click.command(
    epilog=teach(
        {
            "convohouse drift": "what the last run saw for the first time",
            "convohouse drift --since 30d": "what is new in the last thirty days",
            f"convohouse --json drift --since {EVER}": "all of it, for programs",
        },
        {0: "the question was answered, whatever the answer", 2: "a date or a setting is wrong"},
    )
)
@click.option("--since", metavar="WHEN", help="New since a date, a time, or days ago (7d) [default: the last run].")
@shared
@pass_options
def drift(options: Options, since: str | None) -> None:
    """List what is new and unknown to the schema; all of it is kept.

    A key that no column knows, a value of another type than its column's, and a word that a closed field never
    took before: each with its JSON path, how many rows have it, and a conversation to look at.
    """
    from pipelines.extract.time_window import parse_moment
    from pipelines.transform.schema_drift import new_unknown

    home = options.data()
    since_at = None if since is None else parse_moment(since, options.now())
    new, n_before = new_unknown(home, since_at)
    if options.is_json:
        emit({"new": new.to_dicts(), "n_seen_before": n_before})
    elif not home.exists():
        options.say(f"{home.root} holds nothing yet: `convohouse sync` fills it, `convohouse demo` shows how.")
    else:
        if new.height:
            click.echo(_listed(new))
        options.say(_summary(new.height, n_before))


def _summary(n_new: int, n_before: int) -> str:
    new = plural(n_new, "unknown field") if n_new else "no unknown field"
    before = f"; {n_before:,} seen before (`convohouse drift --since {EVER}` lists all)" if n_before else ""
    return f"New: {new}{before}."


def _listed(new: pl.DataFrame) -> str:
    from pipelines.cli.text_table import table_text

    rows = new.with_columns(first_seen_at=new["first_seen_at"].dt.strftime("%Y-%m-%d %H:%M")).select(NAMES)
    return table_text(NAMES, rows.rows(), right={"n_rows"})
