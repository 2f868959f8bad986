"""``convohouse metrics``: the metrics that there are, and the rows of one model or of one metric."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, emit, pass_options, plural, shared, teach
from pipelines.cli.query import answer, answering, ask, chosen_form

if TYPE_CHECKING:
    from warehouse.serve.metrics import MetricModel, RowFilter

SHOWN = ("id", "name", "unit", "good")


@click.command(
    epilog=teach(
        {
            "convohouse metrics": "all of them, by model",
            "convohouse metrics agent_daily --since 7d": "the rows of a model",
            "convohouse metrics agent_daily.success_rate --agent ID": "one metric, with its n",
            "convohouse metrics cost_daily --format csv > cost.csv": "whole and exact",
            "convohouse metrics --json | jq '.models[].metrics[].id'": "for programs",
        },
        {0: "answered", 2: "there is no such metric, no warehouse yet, or an option is wrong"},
    )
)
@click.argument("name", required=False)
@click.option("--agent", metavar="ID", help="Only rows of this agent.")
@click.option("--since", metavar="WHEN", help="Only days, weeks or months that begin at or after: 2026-01-01, or 7d.")
@click.option("--until", metavar="WHEN", help="Only days, weeks or months that begin before.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N rows.")
@answering
@shared
@pass_options
def metrics(
    options: Options,
    name: str | None,
    *,
    agent: str | None,
    since: str | None,
    until: str | None,
    limit: int | None,
    form: str | None,
    output: Path | None,
) -> None:
    """List the metrics, or print the model or the metric NAME.

    NAME is a model, or the id of a metric, which comes with the keys of its rows and with the numbers that it is told
    of. The newest rows come first. `convohouse explain` tells how each is computed.
    """
    from warehouse.serve.metrics import RowFilter, read_models, read_rows

    part = RowFilter(agent, *_window(options, since, until), limit)
    is_listed = form is None and output is None
    form = chosen_form(options, form, output)
    home = options.data()
    models = read_models(home)
    if name is not None:
        model, column = _found(models, name)
        _check(models, model, part)
        answer(options, read_rows(home, model, column, part), form, output)
    elif part != RowFilter():
        raise click.UsageError("--agent, --since, --until and --limit need the NAME of a model.")
    elif is_listed:
        _list(options, models)
    else:
        answer(options, ask(options, "select * from metrics.catalog order by id"), form, output)


def _window(options: Options, since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """The two times.

    Raises:
        UsageError: one is no time, or they exclude each other.
    """
    from pipelines.extract.time_window import Window, parse_moment

    if since is None and until is None:
        return None, None
    now = options.now()
    since_at, until_at = (None if text is None else parse_moment(text, now) for text in (since, until))
    if until_at is not None:
        Window(since_at, until_at)
    return since_at, until_at


def _found(models: dict[str, MetricModel], name: str) -> tuple[MetricModel, str | None]:
    """The model of that name, and the column of a metric's id.

    Raises:
        UsageError: there is none.
    """
    from pipelines.errors import UsageError
    from warehouse.suggestions import did_you_mean, suggest_column

    front, _, column = name.lower().removeprefix("metrics.").partition(".")
    if front in models and (not column or column in models[front].columns):
        return models[front], column or None
    holders = [each.name for each in models.values() if front in each.columns and not column]
    if holders:
        hint = f"It is a column of {', '.join(holders)}: write {holders[0]}.{front} or the like."
        raise UsageError(f"{name!r} needs its model.", hint)
    meant = did_you_mean(
        suggest_column(name.removeprefix("metrics."), {each.name: each.columns for each in models.values()})
    )
    raise UsageError(f"There is no model or metric {name!r}.", f"{meant}`convohouse metrics` lists them.")


def _check(models: dict[str, MetricModel], model: MetricModel, part: RowFilter) -> None:
    """Refuse an option for which the model has no column.

    Raises:
        UsageError: it has none.
    """
    from pipelines.errors import UsageError

    if part.agent_id is not None and "agent_id" not in model.columns:
        having = ", ".join(each.name for each in models.values() if "agent_id" in each.columns)
        raise UsageError(f"{model.name} has no agent_id for --agent.", f"These models have it: {having}.")
    if (part.since or part.until) and model.date is None:
        having = ", ".join(each.name for each in models.values() if each.date)
        raise UsageError(f"{model.name} has no date for --since and --until.", f"These models have one: {having}.")


def _list(options: Options, models: dict[str, MetricModel]) -> None:
    from pipelines.cli.text_table import table_text

    if options.is_json:
        listed = [
            {"model": each.name, "n_rows": each.n_rows, "grain": each.keys, "metrics": each.metrics}
            for each in models.values()
        ]
        emit({"models": listed})
        return
    for each in models.values():
        click.echo(f"{each.name}: {plural(each.n_rows, 'row')}, one per {', '.join(each.keys)}")
        click.echo(f"{table_text(SHOWN, [[metric[name] for name in SHOWN] for metric in each.metrics])}\n")
    options.say("`convohouse metrics MODEL` prints one, `convohouse explain ID` tells how a metric is computed.")
