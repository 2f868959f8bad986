"""``convohouse explain``: the meaning of a metric or column, how it is computed, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click
import msgspec

from pipelines.cli.options import Options, help_epilog, pass_options, shared_options
from pipelines.cli.render import echo, emit
from pipelines.cli.text_table import aligned, terminal_width

if TYPE_CHECKING:
    from warehouse.models.project import Project
    from warehouse.serve.explain import ColumnRef, Explanation, LineageColumn


@click.command(
    epilog=help_epilog(
        {
            "convohouse explain agent_daily.success_rate": "a metric, back to the API's JSON",
            "convohouse explain outcome": "what became of a conversation: every outcome, in the order of the rules",
            "convohouse explain outcome:voicemail": "one of them",
            "convohouse explain success_rate": "the models that have it",
            "convohouse explain agent_daily --sql": "the SQL of a model",
            "convohouse explain agent_daily.rating --json | jq .lineage": "for programs",
        },
        {0: "explained", 2: "there is no metric, model or column of that name"},
    )
)
@click.argument("name")
@click.option("--sql", "is_sql", is_flag=True, help="Print only the SQL of the model.")
@shared_options
@pass_options
def explain(options: Options, name: str, is_sql: bool) -> None:
    """Explain a metric, a column or a model.

    NAME is the id of a metric, a model with a column, a model, or a column, which several models may have. A column
    with a rule for each value can be followed by a colon and a value. Definition, SQL and lineage are read from sql/;
    no data is needed. The lineage goes back column by column to the lake, and from there to the JSON of the API.
    """
    from warehouse.models.project import read_project
    from warehouse.serve import explain as explain_query

    project = read_project()
    column_name, _, value = name.partition(":")
    targets = _find_targets(project, column_name)
    if len(targets) > 1:
        _list_targets(options, project, name, targets)
        return
    explained = explain_query.explain(project, targets[0])
    if value:
        explained = _with_one_value(explained, value)
    if options.is_json:
        emit(_as_data(explained))
    elif is_sql:
        click.echo(explained.sql.rstrip("\n"))
    else:
        echo("\n\n".join(_column(explained) if explained.lineage else _model(explained)))


def _find_targets(project: Project, name: str) -> tuple[ColumnRef, ...]:
    """The models and columns that the name can mean.

    Raises:
        UsageError: there is none.
    """
    from pipelines.errors import UsageError
    from warehouse.serve import explain as explain_query
    from warehouse.suggestions import did_you_mean

    targets = explain_query.targets(project, name)
    if not targets:
        meant = did_you_mean(explain_query.suggest(project, name))
        hint = f"{meant}`convohouse metrics` lists the metrics, `convohouse tables` lists the tables."
        raise UsageError(f"There is no metric, model or column {name!r}.", hint)
    return targets


def _with_one_value(explained: Explanation, value: str) -> Explanation:
    """The explanation with one of the values alone.

    Raises:
        UsageError: the column has no such value, or no rules.
    """
    from pipelines.errors import UsageError

    if value in explained.values:
        return replace(explained, values={value: explained.values[value]})
    hint = f"Its values: {', '.join(explained.values)}." if explained.values else "It has no values with a rule each."
    raise UsageError(f"{explained.name} has no value {value!r}.", hint)


def _list_targets(options: Options, project: Project, name: str, targets: Sequence[ColumnRef]) -> None:
    """List the columns that the name can mean."""
    columns = {str(target): project.by_key[target.model].header.columns[str(target.column)] for target in targets}
    if options.is_json:
        emit({"name": name, "several": [{"name": column, "about": about} for column, about in columns.items()]})
        return
    click.echo(aligned(((column.partition(".")[2], about) for column, about in columns.items()), terminal_width()))
    options.say(
        f"\n{name} is a column of {len(targets)} models: `convohouse explain {next(iter(columns))}` explains one."
    )


def _as_data(explained: Explanation) -> dict[str, Any]:
    """The explanation with the published JSON keys, which are older than the names of the fields."""
    data = asdict(explained)
    data["about"] = data.pop("description")
    for column in data["lineage"]:
        column["about"] = column.pop("description")
    data["values"] = [{"value": value, **msgspec.structs.asdict(rule)} for value, rule in explained.values.items()]
    return data | {"metric": explained.metric.published() if explained.metric else None}


def _model(explained: Explanation) -> Iterator[str]:
    facts = [("per", ", ".join(explained.grain)), ("reads", ", ".join(explained.reads)), ("file", explained.file)]
    yield f"{explained.name}\n{explained.description}"
    yield aligned(facts, terminal_width())
    yield f"Columns\n{aligned(explained.columns.items(), terminal_width())}"


def _column(explained: Explanation) -> Iterator[str]:
    title = f"{explained.metric.name}: {explained.name}" if explained.metric else explained.name
    yield f"{title}\n{explained.description}"
    yield aligned(_definition(explained), terminal_width())
    if explained.values:
        rules = ((value, f"{rule.holds_when} ({rule.reasons})") for value, rule in explained.values.items())
        title = "The first that holds (and its reason)" if len(explained.values) > 1 else "Holds when (and its reason)"
        yield f"{title}\n{aligned(rules, terminal_width())}"
    if any(origin.steps for origin in explained.lineage):
        yield "SQL\n" + "\n".join(_sql(explained))
    yield "Comes from\n" + "\n".join(_lineage(explained))


def _definition(explained: Explanation) -> Iterator[tuple[str, str]]:
    metric = explained.metric
    if metric is not None:
        divisor = f"({metric.denominator})" if " + " in (metric.denominator or "") else metric.denominator
        yield "formula", f"{metric.numerator} ÷ {divisor}" if divisor else metric.numerator
        yield "null", metric.null_when
        yield "good", metric.direction
        yield "source", metric.source
        yield "vendor", metric.differs_from_vendor
    if explained.unit:
        yield "unit", explained.unit
    yield "per", ", ".join(explained.grain)
    yield "file", explained.file


def _sql(explained: Explanation) -> Iterator[str]:
    """How each model on the way computes the column, CTE by CTE."""
    for origin in explained.lineage:
        if origin.steps:
            yield f"  {origin.column}"
        for step in origin.steps:
            yield f"    {step.cte}.{step.column} = {step.sql}"
            if step.where:
                yield f"      where {step.where}"


def _lineage(explained: Explanation) -> Iterator[str]:
    """The columns as a tree; the sources of each are listed once."""
    origins = {origin.column: origin for origin in explained.lineage}
    visited: set[str] = set()

    def subtree(origin: LineageColumn, depth: int) -> Iterator[str]:
        paths = f"  ◀ {' or '.join(origin.paths)}" if origin.paths else ""
        again = "  (see above)" if origin.column in visited and origin.sources else ""
        yield f"{'  ' * depth}{origin.column}{paths}{again}"
        if origin.column not in visited:
            visited.add(origin.column)
            for source in origin.sources:
                yield from subtree(origins[source], depth + 1)

    first = explained.lineage[0]
    yield from subtree(first, 1)
    if not first.sources:
        yield f"    rows of {', '.join(explained.reads)}"
