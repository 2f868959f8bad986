"""``convohouse explain``: what a metric or a column means, how it is computed, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, aligned, emit, pass_options, shared, teach

if TYPE_CHECKING:
    from warehouse.models.project import Project
    from warehouse.serve.explain import ColumnRef, Explanation, LineageColumn


@click.command(
    epilog=teach(
        {
            "convohouse explain agent_daily.success_rate": "a metric, back to the API's JSON",
            "convohouse explain fct_conversations.cost_usd": "a column of a mart",
            "convohouse explain success_rate": "which models have it",
            "convohouse explain agent_daily --sql": "the SQL of a model",
            "convohouse explain agent_daily.rating --json | jq .lineage": "for programs",
        },
        {0: "explained", 2: "there is no metric, model or column of that name"},
    )
)
@click.argument("name")
@click.option("--sql", "is_sql", is_flag=True, help="Print the SQL of the model, and nothing else.")
@shared
@pass_options
def explain(options: Options, name: str, is_sql: bool) -> None:
    """Tell what a metric, a column or a model is and how it is made.

    NAME is the id of a metric, a model with a column, a model, or a column alone, which several models may have.
    Definition, SQL and lineage are read from sql/; there need be no data. The lineage goes back column by column to
    the lake, and from there to the JSON of the API.
    """
    from msgspec import structs

    from warehouse.models.project import read_project
    from warehouse.serve import explain as explaining

    project = read_project()
    found = _found(project, name)
    if len(found) > 1:
        _choose(options, project, name, found)
        return
    explained = explaining.explain(project, found[0])
    if options.is_json:
        emit(asdict(explained) | {"metric": structs.asdict(explained.metric) if explained.metric else None})
    elif is_sql:
        click.echo(explained.sql.rstrip("\n"))
    else:
        click.echo("\n\n".join(_column(explained) if explained.lineage else _model(explained)))


def _found(project: Project, name: str) -> tuple[ColumnRef, ...]:
    """What the name can mean, one or several.

    Raises:
        UsageError: nothing.
    """
    from pipelines.errors import UsageError
    from warehouse.serve import explain as explaining
    from warehouse.suggestions import did_you_mean

    found = explaining.targets(project, name)
    if not found:
        meant = did_you_mean(explaining.suggest(project, name))
        hint = f"{meant}`convohouse metrics` lists the metrics, `convohouse tables` tells of all tables."
        raise UsageError(f"There is no metric, model or column {name!r}.", hint)
    return found


def _choose(options: Options, project: Project, name: str, found: Sequence[ColumnRef]) -> None:
    """List what the name can mean."""
    columns = {str(each): project.by_key[each.model].header.columns[str(each.column)] for each in found}
    if options.is_json:
        emit({"name": name, "several": [{"name": target, "about": about} for target, about in columns.items()]})
        return
    click.echo(aligned((target.partition(".")[2], about) for target, about in columns.items()))
    options.say(
        f"\n{name} is a column of {len(found)} models: `convohouse explain {next(iter(columns))}` tells of one."
    )


def _model(explained: Explanation) -> Iterator[str]:
    facts = [("per", ", ".join(explained.grain)), ("reads", ", ".join(explained.reads)), ("file", explained.file)]
    yield f"{explained.name}\n{explained.description}"
    yield aligned(facts)
    yield f"Columns\n{aligned(explained.columns.items())}"


def _column(explained: Explanation) -> Iterator[str]:
    title = f"{explained.metric.name}: {explained.name}" if explained.metric else explained.name
    yield f"{title}\n{explained.description}"
    yield aligned(_definition(explained))
    if any(origin.steps for origin in explained.lineage):
        yield "SQL\n" + "\n".join(_sql(explained))
    yield "Comes from\n" + "\n".join(_lineage(explained))


def _definition(explained: Explanation) -> Iterator[tuple[str, str]]:
    metric = explained.metric
    if metric is not None:
        below = f"({metric.denominator})" if " + " in (metric.denominator or "") else metric.denominator
        yield "formula", f"{metric.numerator} ÷ {below}" if below else metric.numerator
        yield "null", metric.null_when
        yield "good", metric.direction
        yield "vendor", metric.differs_from_vendor
    if explained.unit:
        yield "unit", explained.unit
    yield "per", ", ".join(explained.grain)
    yield "file", explained.file


def _sql(explained: Explanation) -> Iterator[str]:
    """What each model on the way makes of the column, CTE by CTE."""
    for origin in explained.lineage:
        if origin.steps:
            yield f"  {origin.column}"
        for step in origin.steps:
            yield f"    {step.cte}.{step.column} = {step.sql}"
            if step.where:
                yield f"      where {step.where}"


def _lineage(explained: Explanation) -> Iterator[str]:
    """The columns as a tree, each told once."""
    origins = {origin.column: origin for origin in explained.lineage}
    told: set[str] = set()

    def below(origin: LineageColumn, depth: int) -> Iterator[str]:
        paths = f"  ◀ {' or '.join(origin.paths)}" if origin.paths else ""
        again = "  (see above)" if origin.column in told and origin.sources else ""
        yield f"{'  ' * depth}{origin.column}{paths}{again}"
        if origin.column not in told:
            told.add(origin.column)
            for source in origin.sources:
                yield from below(origins[source], depth + 1)

    first = explained.lineage[0]
    yield from below(first, 1)
    if not first.sources:
        yield f"    rows of {', '.join(explained.reads)}"
