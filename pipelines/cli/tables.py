"""``convohouse tables``: the tables of the lake and the warehouse, and what each column means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, help_epilog, pass_options, shared_options
from pipelines.cli.render import echo, emit, table

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.models.headers import Header, SeedHeader
    from warehouse.models.project import Project
    from warehouse.schema.types import Table
    from warehouse.storage.home import Home


@dataclass(frozen=True, slots=True)
class Field:
    """A column; ``type`` is None before the first build, ``path`` is the JSON path in a conversation detail."""

    name: str
    type: str | None
    unit: str | None
    path: str | None
    about: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A table of the lake, a seed or a model; ``n_rows`` is None for a view and before the first build."""

    name: str
    grain: str
    about: str
    n_rows: int | None
    columns: tuple[Field, ...]


@click.command(
    epilog=help_epilog(
        {
            "convohouse tables": "all of them",
            "convohouse tables fct_conversations": "the columns of one",
            "convohouse tables lake.turns --json | jq '.columns[].name'": "for programs",
        },
        {0: "listed", 2: "there is no table of that name, or a setting is wrong"},
    )
)
@click.argument("name", required=False)
@shared_options
@pass_options
def tables(options: Options, name: str | None) -> None:
    """List the tables, or the columns of the table NAME.

    These are the tables of the lake, the seeds and the models of the warehouse. NAME may be given without its schema.
    The list also works before the first build; row counts are shown after it.
    """
    from warehouse.models.project import read_project

    relations = tuple(_relations(options.home_folder(), read_project()))
    if name is not None:
        relation = _find(relations, name)
        if options.is_json:
            emit(asdict(relation))
        else:
            _print_columns(relation)
    elif options.is_json:
        emit({"tables": [{k: v for k, v in asdict(relation).items() if k != "columns"} for relation in relations]})
    else:
        _print_list(relations)
        options.say("\n`convohouse tables NAME` shows the columns of one.")


def _relations(home: Home, project: Project) -> Iterator[Relation]:
    """The lake first, then seeds, then the models from staging to metrics."""
    from warehouse.models.project import SCHEMAS
    from warehouse.schema.registry import TABLES
    from warehouse.schema.types import unit_of

    n_rows, types = _read_catalog(home)
    for lake_table in TABLES:
        yield _lake_relation(home, lake_table)
    models = sorted(project.models, key=lambda model: (SCHEMAS.index(model.schema), model.name))
    headers: list[tuple[str, Header | SeedHeader]] = [(seed.key, seed.header) for seed in project.seeds]
    headers += [(model.key, model.header) for model in models]
    for key, header in headers:
        fields = tuple(
            Field(name, types.get((key, name)), unit_of(name), None, description)
            for name, description in header.columns.items()
        )
        yield Relation(key, ", ".join(header.grain), header.description, n_rows.get(key), fields)


def _lake_relation(home: Home, lake_table: Table) -> Relation:
    import polars as pl

    from warehouse.storage.parquet import read_consistently

    def count(files: list[Path]) -> int | None:
        return pl.scan_parquet(files, glob=False).select(pl.len()).collect().item() if files else None

    n_rows = read_consistently(lambda: sorted(home.table(lake_table).glob("**/*.parquet")), count)
    fields = tuple(
        Field(
            column.name,
            column.type.value.removesuffix(" from milliseconds"),
            column.unit,
            " or ".join(lake_table.paths(column)) or None,
            column.description,
        )
        for column in lake_table.columns
    )
    name = f"lake.{lake_table.name}"
    return Relation(name, ", ".join(lake_table.key), f"One row per {lake_table.grain}.", n_rows, fields)


def _read_catalog(home: Home) -> tuple[dict[str, int], dict[tuple[str, str], str]]:
    """Rows by table, and types by table and column, of the current warehouse; empty before the first build."""
    from warehouse.connection import open_warehouse

    if not home.warehouse.exists():
        return {}, {}
    with open_warehouse(home) as connection:
        # counted, as duckdb_tables().estimated_size also has rows that an incremental build has deleted
        names = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        n_rows = {name: connection.table(name).count("*").fetchall()[0][0] for (name,) in names}
        columns = connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal"
        ).fetchall()
    types = {(f"{schema}.{name}", column): type_.lower() for schema, name, column, type_ in columns}
    return n_rows, types


def _find(relations: tuple[Relation, ...], name: str) -> Relation:
    """The relation called ``name``, with its schema or without; of several the last, which is nearest to the marts.

    Raises:
        UsageError: there is none.
    """
    from pipelines.errors import UsageError
    from warehouse.suggestions import did_you_mean, suggest

    key = name.lower()
    matches = [relation for relation in relations if key in _spellings(relation)]
    if matches:
        return matches[-1]
    names = [spelling for relation in relations for spelling in _spellings(relation)]
    hint = did_you_mean(suggest(name, names))
    raise UsageError(f"There is no table {name!r}.", f"{hint}`convohouse tables` lists them.")


def _spellings(relation: Relation) -> tuple[str, str]:
    return relation.name, relation.name.partition(".")[2]


def _print_list(relations: tuple[Relation, ...]) -> None:
    rows = [
        {"name": relation.name, "n_rows": relation.n_rows, "about": relation.about.split(". ")[0].rstrip(".")}
        for relation in relations
    ]
    headings = {"name": "table", "n_rows": "rows", "about": "what it holds"}
    click.echo(table(rows, headings, prose=("about",)).text)


def _print_columns(relation: Relation) -> None:
    from warehouse.serve.value_format import plural

    about = relation.about if relation.n_rows is None else f"{relation.about} {plural(relation.n_rows, 'row')}."
    headings = {"name": "column", "type": "type", "unit": "unit", "path": "JSON path", "about": "meaning"}
    rows = [asdict(field) for field in relation.columns]
    used_headings = {name: heading for name, heading in headings.items() if any(row[name] for row in rows)}
    echo(f"{relation.name}\n{about}\n")
    click.echo(table(rows, used_headings, prose=("about",) if "about" in used_headings else ()).text)
