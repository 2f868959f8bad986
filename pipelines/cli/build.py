"""``convohouse build`` and ``convohouse check``: build the warehouse from the lake, and run its checks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, exit_with, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.render import emit, table

if TYPE_CHECKING:
    from pipelines.usecases.context import Context
    from pipelines.usecases.engine_build import EngineTarget
    from warehouse.models.checks import CheckResult

EXIT_CODES = {
    0: "every check passed",
    1: "a check failed, with a failing row, or a seed or a model is wrong: each is named",
    2: "there is no warehouse yet, or a setting is wrong",
}


@click.command(
    epilog=help_epilog(
        {
            "convohouse build": "a full refresh",
            "convohouse build --json | jq .models": "for programs",
            "convohouse build --into /srv/tables": "Parquet tables instead of warehouse.duckdb",
            "convohouse build --engine sail --into s3://bucket/tables": "by Sail, in this process",
            "convohouse build --engine spark --remote sc://host:15002 --into URL": "by a cluster",
        },
        EXIT_CODES | {2: f"{EXIT_CODES[2]}, or the package of the engine is missing"},
    )
)
@click.option("--engine", type=click.Choice(["duckdb", "sail", "spark"]), help="Where the models run, with --into.")
@click.option(
    "--remote",
    metavar="URL",
    help="Address of the engine's Spark Connect server: sc://host:15002. With a token: CONVOHOUSE_ENGINE_REMOTE.",
)
@click.option(
    "--lake", "lakes", multiple=True, metavar="URL", help="Lake to read [default: the home's]; may be repeated."
)
@click.option("--into", metavar="URL", help="Write Parquet tables into this folder or object store.")
@click.option("--full-refresh", is_flag=True, help="Reuse nothing from the previous build, with --into.")
@shared_options
@pass_options
def build(
    options: Options,
    engine: str | None,
    remote: str | None,
    lakes: tuple[str, ...],
    into: str | None,
    *,
    full_refresh: bool,
) -> None:
    """Rebuild the warehouse from the lake: a full refresh.

    Builds and checks all models of sql/, without the API and without a key. The new file replaces the old one only if
    every check passes. Programs that have the old file open can keep reading it.

    With --into, the models run on an engine and are written as Parquet tables, from one lake or from several with
    different conversations. current.json in the target names the tables to read, once every check has passed. Tables
    and days that cannot have changed since the previous build are reused.
    """
    from pipelines.usecases import sync_steps
    from pipelines.usecases.engine_build import EngineTarget
    from warehouse.serve.value_format import duration, plural

    context = options.context()
    target = EngineTarget.of(context, engine=engine, remote=remote, lakes=lakes, into=into)
    if target is None or target.reads(context.home):
        context.home.require_data()
    if target:
        _build_on_engine(options, context, target, full_refresh=full_refresh)
        return
    started = time.monotonic()
    with context.write_lock("build"), show_progress(options) as show:
        sync_steps.flatten_after_update(context.workspaces_with_data(), show)
        result = sync_steps.build_models(context, show, full_refresh=True)
    failed = (*_damage(context), *result.failed)
    secs = time.monotonic() - started
    if options.is_json:
        models = [{"model": model.key, "n_rows": model.n_rows, "secs": model.secs} for model in result.models]
        emit({"is_swapped": result.is_swapped, "secs": secs, "models": models, "failed": _as_data(failed)})
    else:
        tables = [model for model in result.models if model.key.startswith(("marts.", "metrics."))]
        options.say()
        options.say_facts((model.key, f"{plural(model.n_rows or 0, 'row'):>14}") for model in tables)
        options.say(
            f"{plural(len(result.models), 'model')} in {duration(secs)}, "
            f"{len(result.checks) - len(result.failed):,} of {plural(len(result.checks), 'check')} passed"
        )
        if not result.is_swapped:
            options.say("The old warehouse is unchanged; the new one is beside it as warehouse.duckdb.rejected.")
        if failed:
            click.echo(failed_checks_table(failed))
    exit_with(1 if failed else 0)


def _damage(context: Context) -> tuple[CheckResult, ...]:
    """The failed checks of the files that a build was made from: it can be right by all others, and lack rows."""
    from warehouse.models.file_checks import check_files

    results = check_files(workspace.home for workspace in context.workspaces_with_data())
    return tuple(result for result in results if not result.is_passed)


def _build_on_engine(options: Options, context: Context, target: EngineTarget, *, full_refresh: bool) -> None:
    from pipelines.usecases.engine_build import build_on_engine
    from warehouse.serve.value_format import duration, plural

    started = time.monotonic()
    with show_progress(options) as show:
        result = build_on_engine(context, target, show, full_refresh=full_refresh)
    failed = (*(_damage(context) if target.reads(context.home) else ()), *result.failed)
    secs = time.monotonic() - started
    if options.is_json:
        emit(
            {
                "engine": target.engine,
                "into": target.into,
                "build": result.build_id,
                "is_current": result.is_current,
                "secs": secs,
                "tables": result.folders,
                "reused_tables": list(result.reused),
                "failed": _as_data(failed),
            }
        )
    else:
        n_reused = "all " * (len(result.reused) == len(result.folders)) + f"{len(result.reused):,}"
        options.say(
            f"{plural(len(result.folders), 'table')} by {target.engine} in {duration(secs)}, {n_reused} as before, "
            f"{len(result.checks) - len(result.failed):,} of {plural(len(result.checks), 'check')} passed"
        )
        if result.is_current:
            options.say(f"{target.into}/current.json names them.")
        else:
            options.say(f"The tables before stay current; the new ones are in {target.into}/builds/{result.build_id}.")
        if failed:
            click.echo(failed_checks_table(failed))
    exit_with(1 if failed else 0)


@click.command(
    epilog=help_epilog(
        {
            "convohouse check": "all of them",
            "convohouse check --deep": "read every file from end to end as well",
            "convohouse check --json | jq .failed": "for programs",
        },
        EXIT_CODES,
    )
)
@click.option("--deep", "is_deep", is_flag=True, help="Read every value of the landing, the lake and the warehouse.")
@shared_options
@pass_options
def check(options: Options, is_deep: bool) -> None:
    """Run every check on the current warehouse.

    The lake is checked against its schema and its recorded row counts, the models against their headers, and the
    listings against the lake. Nothing is changed. A check that fails is named, with a failing row.
    """
    from pipelines.usecases import sync
    from warehouse.serve.value_format import plural

    results = sync.check(options.context(), is_deep=is_deep)
    failed = [result for result in results if not result.is_passed]
    if options.is_json:
        emit({"n_checks": len(results), "failed": _as_data(failed)})
    else:
        if failed:
            click.echo(failed_checks_table(failed))
        options.say(f"{len(results) - len(failed):,} of {plural(len(results), 'check')} passed")
    exit_with(1 if failed else 0)


def failed_checks_table(failed: Sequence[CheckResult]) -> str:
    """The failed checks for people: what each one asserts, how many rows fail it, and one of them."""
    rows = [
        {
            "check": result.check.name,
            "about": result.check.description,
            "n_failing": result.n_failing,
            "sample": _first_row(result),
        }
        for result in failed
    ]
    headings = {"check": "check", "about": "asserts", "n_failing": "rows", "sample": "for example"}
    return table(rows, headings, prose=("about", "sample")).text


def _first_row(result: CheckResult) -> str:
    return ", ".join(f"{name} {value}" for name, value in result.sample_rows[0].items()) if result.sample_rows else ""


def _as_data(failed: Sequence[CheckResult]) -> list[dict[str, object]]:
    return [
        {
            "check": result.check.name,
            "model": result.check.model,
            "about": result.check.description,
            "n_failing": result.n_failing,
            "sample": list(result.sample_rows),
        }
        for result in failed
    ]
