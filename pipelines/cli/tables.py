"""``convohouse tables``: what there is to ask about, and what each column means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, emit, pass_options, shared, teach

if TYPE_CHECKING:
    from warehouse.models.headers import Header, SeedHeader
    from warehouse.models.project import Project
    from warehouse.schema.types import Table
    from warehouse.storage.home import Home


@dataclass(frozen=True, slots=True)
class Field:
    """A column; ``type`` is None where the warehouse is not built, ``path`` the JSON path in a conversation detail."""

    name: str
    type: str | None
    unit: str | None
    path: str | None
    about: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A table of the lake, a seed or a model; ``n_rows`` is None for a view and for what is not built."""

    name: str
    grain: str
    about: str
    n_rows: int | None
    columns: tuple[Field, ...]


@click.command(
    epilog=teach(
        {
            "convohouse tables": "all of them",
            "convohouse tables fct_conversations": "the columns of one",
            "convohouse tables lake.turns --json | jq '.columns[].name'": "for programs",
        },
        {0: "listed", 2: "there is no table of that name, or a setting is wrong"},
    )
)
@click.argument("name", required=False)
@shared
@pass_options
def tables(options: Options, name: str | None) -> None:
    """List the tables, or the columns of the one called NAME.

    They are those of the lake and the models of the warehouse. NAME may be without its schema. The list also works
    before the first build; row counts come with it.
    """
    from warehouse.models.project import read_project

    relations = tuple(_relations(options.data(), read_project()))
    if name is not None:
        found = _find(relations, name)
        if options.is_json:
            emit(asdict(found))
        else:
            click.echo(_columns_text(found))
    elif options.is_json:
        emit({"tables": [{k: v for k, v in asdict(each).items() if k != "columns"} for each in relations]})
    else:
        click.echo(_list_text(relations))
        options.say("\n`convohouse tables NAME` shows the columns of one.")


def _relations(home: Home, project: Project) -> Iterator[Relation]:
    """The lake first, then seeds, then the models from staging to metrics."""
    from warehouse.models.project import SCHEMAS
    from warehouse.schema.registry import TABLES
    from warehouse.schema.types import unit_of

    built, types = _built(home)
    for table in TABLES:
        yield _of_lake(home, table)
    models = sorted(project.models, key=lambda model: (SCHEMAS.index(model.schema), model.name))
    described: list[tuple[str, Header | SeedHeader]] = [(seed.key, seed.header) for seed in project.seeds]
    described += [(model.key, model.header) for model in models]
    for key, header in described:
        about = header.columns.items()
        fields = tuple(Field(name, types.get((key, name)), unit_of(name), None, text) for name, text in about)
        yield Relation(key, ", ".join(header.grain), header.description, built.get(key), fields)


def _of_lake(home: Home, table: Table) -> Relation:
    import polars as pl

    files = sorted(home.table(table).glob("**/*.parquet"))
    n_rows = pl.scan_parquet(files, glob=False).select(pl.len()).collect().item() if files else None
    fields = tuple(
        Field(
            column.name,
            column.type.value.removesuffix(" from milliseconds"),
            column.unit,
            " or ".join(table.paths(column)) or None,
            column.description,
        )
        for column in table.columns
    )
    return Relation(f"lake.{table.name}", ", ".join(table.key), f"One row per {table.grain}.", n_rows, fields)


def _built(home: Home) -> tuple[dict[str, int], dict[tuple[str, str], str]]:
    """Rows by table and types by table and column, of the warehouse as it stands; nothing where there is none."""
    from warehouse.connection import open_warehouse

    if not home.warehouse.exists():
        return {}, {}
    with open_warehouse(home) as connection:
        rows = connection.execute("select schema_name, table_name, estimated_size from duckdb_tables()").fetchall()
        columns = connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal"
        ).fetchall()
    types = {(f"{schema}.{table}", column): type_.lower() for schema, table, column, type_ in columns}
    return {f"{schema}.{table}": number for schema, table, number in rows}, types


def _find(relations: tuple[Relation, ...], name: str) -> Relation:
    """The relation called ``name``, with its schema or without; of several the one nearest to the reader.

    Raises:
        UsageError: there is none.
    """
    from pipelines.errors import UsageError
    from warehouse.suggestions import did_you_mean, suggest

    wanted = name.lower()
    found = [each for each in relations if wanted in (each.name, each.name.partition(".")[2])]
    if found:
        return found[-1]
    names = [relation.name if "." in name else relation.name.partition(".")[2] for relation in relations]
    meant = did_you_mean(suggest(name, names))
    raise UsageError(f"There is no table {name!r}.", f"{meant}`convohouse tables` lists them.")


def _list_text(relations: tuple[Relation, ...]) -> str:
    from pipelines.cli.text_table import table_text

    rows = [(each.name, "" if each.n_rows is None else f"{each.n_rows:,}", _first_sentence(each)) for each in relations]
    return table_text(("table", "rows", "what it holds"), rows, right=("rows",))


def _first_sentence(relation: Relation) -> str:
    return relation.about.split(". ")[0].rstrip(".")


def _columns_text(relation: Relation) -> str:
    from pipelines.cli.text_table import table_text

    about = relation.about if relation.n_rows is None else f"{relation.about} {relation.n_rows:,} rows."
    names = ["column", "type", "unit", "JSON path", "meaning"]
    rows = [(each.name, each.type, each.unit, each.path, each.about) for each in relation.columns]
    kept = [place for place in range(len(names)) if any(row[place] for row in rows)]
    cells = [[row[place] for place in kept] for row in rows]
    return f"{relation.name}\n{about}\n\n{table_text([names[place] for place in kept], cells)}"
