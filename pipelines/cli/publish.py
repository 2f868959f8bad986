"""``convohouse publish``: copy tables to Delta Lake, PostgreSQL or files."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, exit_with, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.render import emit
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.usecases.publish import TargetResult

CHANGES = ("written", "restored", "removed", "unchanged")


@click.command(
    epilog=help_epilog(
        {
            "convohouse publish s3://bucket/convohouse": "Delta Lake: lake, marts and metrics",
            "convohouse publish postgresql://user@host/bi": "marts and metrics, with keys and comments",
            "convohouse publish /srv/tables --format csv --tables metrics": "files, a table each",
            "convohouse publish": "to every target again",
        },
        {
            0: "every target is up to date",
            1: "one is not: it is pending until the next publish",
            2: "the target, a table or a setting is wrong, a package is missing, or nothing was built yet",
        },
    )
)
@click.argument("target", required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["delta", "parquet", "csv"]),
    help="Format in a folder on this machine [default: delta].",
)
@click.option(
    "--tables",
    multiple=True,
    metavar="NAME",
    help="Only this schema or table; may be repeated, or a list with commas [default: as before, else marts and "
    "metrics, for Delta Lake also lake].",
)
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--forget", is_flag=True, help="Stop publishing to TARGET; its tables stay, even after an erasure.")
@shared_options
@pass_options
def publish(
    options: Options, *, target: str | None, format_: str | None, tables: tuple[str, ...], dry_run: bool, forget: bool
) -> None:
    """Copy tables to Delta Lake, PostgreSQL or files.

    TARGET is a folder, s3://, gs:// or az:// for Delta Lake, postgresql:// for a database, or the name of a table
    [publish.NAME] in convohouse.toml. Without TARGET, publishes to all of these and all earlier targets. Brings lake
    and warehouse up to date first, without the API.

    A table that has not changed is not written again. Readers see the old or the new table, never a part of it.
    Credentials come from CONVOHOUSE_PUBLISH_CREDENTIALS, or from the usual sources of the AWS, Google, Azure and
    PostgreSQL libraries. Later erasures and redactions update every target; a target that cannot be reached is named,
    and is tried again.
    """
    from pipelines.usecases.publish import choose_jobs
    from pipelines.usecases.publish import forget as forget_target
    from pipelines.usecases.publish import publish as publish_jobs

    context = options.context_with_data()
    if forget:
        if target is None:
            raise UsageError("--forget needs a TARGET.", "Name the one to forget.")
        was_there = forget_target(context, target, format_)
        options.say("forgotten" if was_there else "it was not published to")
        if options.is_json:
            emit({"is_forgotten": was_there})
        exit_with(0)
    selection = [name.strip() for text in tables for name in text.split(",") if name.strip()]
    jobs = choose_jobs(context, target, format_=format_, selection=selection)
    with show_progress(options) as show:
        results = publish_jobs(context, jobs, is_dry_run=dry_run, progress=show)
    if options.is_json:
        emit({"is_dry_run": dry_run, "targets": [asdict(result) for result in results]})
    _say(options, results, is_dry_run=dry_run)
    exit_with(max((result.exit_code for result in results), default=0))


def _say(options: Options, results: Sequence[TargetResult], *, is_dry_run: bool) -> None:
    from warehouse.serve.value_format import plural

    for result in results:
        if result.problem:
            options.say(f"{result.target}: pending: {result.problem}")
            continue
        by_change = {change: [table for table in result.tables if table.change == change] for change in CHANGES}
        counts = ", ".join(f"{len(tables):,} {change}" for change, tables in by_change.items() if tables)
        n_files = sum(table.n_files for table in result.tables)
        files = f"; {plural(n_files, 'file')} written" if n_files and not is_dry_run else ""
        prefix = "a dry run: " if is_dry_run else ""
        options.say(f"{result.target}: {prefix}{plural(len(result.tables), 'table')}: {counts or 'none'}{files}")
        changed_tables = [table for table in result.tables if table.change != "unchanged"]
        if changed_tables:
            options.say_facts(
                (table.table, f"{plural(table.n_rows, 'row'):>14}  {table.change}") for table in changed_tables
            )
