"""``convohouse build`` and ``convohouse check``: the warehouse from the lake, and whether what stands is right."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, emit, finish, pass_options, plural, shared, teach
from pipelines.cli.progress import duration, showing

if TYPE_CHECKING:
    from warehouse.models.checks import CheckResult

EXITS = {
    0: "every check passed",
    1: "a check failed: each is named, with a row that shows it",
    2: "there is nothing to look at, or a setting is wrong",
}


@click.command(
    epilog=teach({"convohouse build": "anew", "convohouse build --json | jq .models": "for programs"}, EXITS)
)
@shared
@pass_options
def build(options: Options) -> None:
    """Build the warehouse anew from the lake; no API, no key.

    The models of sql/ are built and checked. The new file takes the place of the old one only when every check
    passed; readers keep theirs meanwhile.
    """
    from pipelines.usecases import sync_steps

    context = options.context()
    began = time.monotonic()
    with context.write_lock("build"), showing(options) as show:
        built = sync_steps.build_models(context, show, full_refresh=True)
    secs = time.monotonic() - began
    if options.is_json:
        models = [{"model": model.key, "n_rows": model.n_rows, "secs": model.secs} for model in built.models]
        emit({"is_swapped": built.is_swapped, "secs": secs, "models": models, "failed": _as_data(built.failed)})
    else:
        tables = [model for model in built.models if model.key.startswith(("marts.", "metrics."))]
        options.say()
        options.say_facts((model.key, f"{plural(model.n_rows, 'row'):>14}") for model in tables)
        options.say(
            f"{plural(len(built.models), 'model')} in {duration(secs)}, "
            f"{len(built.checks) - len(built.failed):,} of {plural(len(built.checks), 'check')} passed"
        )
        if not built.is_swapped:
            options.say("The old warehouse stays; the new one is beside it as warehouse.duckdb.rejected.")
            click.echo(failing_table(built.failed))
    finish(0 if built.is_swapped else 1)


@click.command(
    epilog=teach({"convohouse check": "all of them", "convohouse check --json | jq .failed": "for programs"}, EXITS)
)
@shared
@pass_options
def check(options: Options) -> None:
    """Run every check on what stands there.

    They hold the lake to its schema, the models to their headers, and what was listed to what is in the lake. Nothing
    is changed. A check that fails is named with the first rows that show why.
    """
    from pipelines.usecases import sync

    results = sync.check(options.context())
    failed = [result for result in results if not result.is_passed]
    if options.is_json:
        emit({"n_checks": len(results), "failed": _as_data(failed)})
    else:
        if failed:
            click.echo(failing_table(failed))
        options.say(f"{len(results) - len(failed):,} of {plural(len(results), 'check')} passed")
    finish(1 if failed else 0)


def failing_table(failed: Sequence[CheckResult]) -> str:
    """The failing checks for people: what each promises, how many rows break it, and one of them."""
    from pipelines.cli.text_table import table_text

    rows = [(result.check.name, result.check.description, f"{result.n_failing:,}", _first(result)) for result in failed]
    return table_text(("check", "promises", "rows", "such as"), rows, right=("rows",))


def _first(result: CheckResult) -> str:
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
