"""``convohouse metrics``: the list of metrics, and the rows of one model or of one metric."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.agents import agent_labels
from pipelines.cli.options import Options, help_epilog, pass_options, shared_options
from pipelines.cli.query import chosen_format, format_options, print_answer, print_layout, run_query
from pipelines.cli.render import MAX_ROWS, echo, emit, table
from pipelines.cli.text_table import MAX_CELL

if TYPE_CHECKING:
    import polars as pl

    from warehouse.serve.metrics import MetricModel
    from warehouse.storage.home import Home

LISTED_COLUMNS = ("id", "name", "unit", "good")


@click.command(
    epilog=help_epilog(
        {
            "convohouse metrics": "all metrics, by model",
            "convohouse metrics agent_daily --since 7d": "the rows of a model",
            "convohouse metrics agent_daily.success_rate --agent NAME": "one metric of one agent",
            "convohouse metrics cost_daily --format csv > cost.csv": "all columns, raw values",
            "convohouse metrics --json | jq '.models[].metrics[].id'": "for programs",
        },
        {0: "answered", 2: "no such metric or agent, no warehouse yet, or a wrong option"},
    )
)
@click.argument("name", required=False)
@click.option("--agent", metavar="AGENT", help="Only rows of this agent: its name or its id.")
@click.option("--since", metavar="WHEN", help="Only days, weeks or months that begin at or after: 2026-01-01, or 7d.")
@click.option("--until", metavar="WHEN", help="Only days, weeks or months that begin before.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N rows.")
@format_options
@shared_options
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

    NAME is a model, or the id of a metric. A metric is printed with the keys of its rows and the counts that it is
    computed from. The newest rows come first. A table shows agents by name and hides the workspace if there is only
    one; csv, json and parquet have every column. `convohouse explain` shows how a metric is computed.
    """
    from pipelines.extract.time_window import parse_moments
    from pipelines.usecases.agents import resolve_agent
    from pipelines.usecases.metric_lookup import check_filter, find_metric
    from warehouse.serve.metrics import RowFilter, read_models, read_rows

    since_at, until_at = parse_moments(since, until, options.now())
    is_list = form is None and output is None
    form = chosen_format(options, form, output)
    home = options.home_folder()
    models = read_models(home)
    if name is not None:
        model, column = find_metric(models, name)
        check_filter(models, model, has_agent=agent is not None, has_dates=bool(since_at or until_at))
        frame = read_rows(home, model, column, RowFilter(resolve_agent(home, agent), since_at, until_at, limit))
        if form == "table" and output is None:
            _print_table(options, home, model, column, frame)
        else:
            print_answer(options, frame, form, output)
    elif (agent, since, until, limit) != (None, None, None, None):
        raise click.UsageError("--agent, --since, --until and --limit need the NAME of a model.")
    elif is_list:
        _print_list(options, models)
    else:
        print_answer(options, run_query(options, "select * from metrics.catalog order by id"), form, output)


def _print_table(options: Options, home: Home, model: MetricModel, column: str | None, frame: pl.DataFrame) -> None:
    """The rows for people: keys, then the requested metric, then the other columns; agents by name."""
    agent_columns = [name for name in frame.columns if name.endswith("agent_id")]
    hidden_columns = {name for name in frame.columns if name.endswith("agent_name")} if agent_columns else set()
    if len(home.workspaces()) == 1:
        hidden_columns.add("workspace")
    names = dict.fromkeys((*model.keys, *([column] if column else ()), *frame.columns))
    headings = {
        name: name.removesuffix("_id") if name in agent_columns else name
        for name in names
        if name not in hidden_columns
    }
    labels = agent_labels(home) if agent_columns else {}
    rows: list[dict[str, Any]] = frame.head(MAX_ROWS).rows(named=True)
    for row in rows:
        row |= {name: labels.get(row[name], row[name]) for name in agent_columns}
    units = {metric["column_name"]: metric["unit"] for metric in model.metrics}
    print_layout(options, table(rows, headings, units=units, max_cell=MAX_CELL), frame.height)


def _print_list(options: Options, models: dict[str, MetricModel]) -> None:
    from warehouse.serve.value_format import plural

    if options.is_json:
        data = [
            {"model": model.name, "n_rows": model.n_rows, "grain": model.keys, "metrics": model.metrics}
            for model in models.values()
        ]
        emit({"models": data})
        return
    for model in models.values():
        echo(f"{model.name}: {plural(model.n_rows, 'row')}, one per {', '.join(model.keys)}")
        click.echo(f"{table(model.metrics, LISTED_COLUMNS, prose=('name', 'unit')).text}\n")
    options.say(
        "`convohouse metrics MODEL` prints one, `convohouse explain ID` shows how a metric is computed.\n"
        "What became of a conversation is its outcome: `convohouse explain fct_conversations.outcome`."
    )
