"""The graph of SQL models: what ``sql/`` holds, what each model reads, and the order in which to build.

The folder is the schema, the file is the model, one SELECT a file. Dependencies are read from the SQL and never
declared: a table with a schema is a model, a seed or a table of the lake; without one it must be a CTE.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import msgspec
import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from warehouse.errors import ModelError
from warehouse.generated import GENERATED
from warehouse.headers import Header, SingularHeader, check_names, line_of, parse, split
from warehouse.seeds import Seed, read_seeds
from warehouse.tables import BY_NAME

SQL_DIR = Path(__file__).parent.parent / "sql"
SCHEMAS = ("staging", "intermediate", "marts", "metrics")
VIEWS = ("staging",)
"""Schemas whose models are views: staging follows the lake. All others are read more than once."""


@dataclass(frozen=True, slots=True)
class Model:
    """One SQL file; ``reads`` are the qualified names of all that it selects from, sorted."""

    schema: str
    name: str
    path: Path
    header: Header
    sql: str
    tree: exp.Query
    reads: tuple[str, ...]
    sha256: str

    @property
    def key(self) -> str:
        """Qualified name, such as ``marts.fct_turns``."""
        return f"{self.schema}.{self.name}"

    @property
    def is_view(self) -> bool:
        """Whether the model is built as a view."""
        return self.schema in VIEWS


@dataclass(frozen=True, slots=True)
class Singular:
    """A test of its own: a SELECT that returns the rows that should not be."""

    name: str
    path: Path
    header: SingularHeader
    sql: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """All of ``sql/``, models in an order in which they can be built."""

    models: tuple[Model, ...]
    seeds: tuple[Seed, ...]
    singulars: tuple[Singular, ...]

    @property
    def by_key(self) -> dict[str, Model]:
        """Models by qualified name."""
        return {model.key: model for model in self.models}

    def upstream(self, *keys: str) -> Project:
        """The part that the models ``keys`` need, themselves included, without singular tests."""
        needed, found = set(keys), self.by_key
        for model in reversed(self.models):
            if model.key in needed:
                needed |= {read for read in model.reads if read in found}
        return Project(tuple(model for model in self.models if model.key in needed), self.seeds, ())


def read_project(sql_dir: Path = SQL_DIR, own_seeds: Path | None = None) -> Project:
    """Read every model, seed and singular test below ``sql_dir``; a seed that the folder ``own_seeds`` has, from there.

    Raises:
        ModelError: a bad header, SQL or seed (named by file and line), an unknown dependency, or a cycle (named by its
            path).
    """
    read = [
        _read_model(path, schema, path.read_text(encoding="utf-8"))
        for schema in SCHEMAS
        for path in sorted((sql_dir / schema).glob("*.sql"))
    ]
    listed = {model.key: model for model in read}
    models = {key: _with_measures(model, listed) for key, model in listed.items()}
    seeds = read_seeds(sql_dir / "seeds", own_seeds)
    ordered = ordered_models(models, {seed.key for seed in seeds})
    known = {*models} | {seed.key for seed in seeds}
    singulars = [
        _read_singular(path, path.read_text(encoding="utf-8")) for path in sorted((sql_dir / "tests").glob("*.sql"))
    ]
    for singular in singulars:
        _check_known(singular.path, singular.reads, known)
    return Project(ordered, seeds, tuple(singulars))


def ordered_models(models: Mapping[str, Model], seeds: Iterable[str]) -> tuple[Model, ...]:
    """Models, each after all that it reads; the same for the same files.

    Raises:
        ModelError: a model reads what does not exist, or reads itself through others.
    """
    known = {*models, *seeds}
    for model in models.values():
        _check_known(model.path, model.reads, known)
    graph = {key: [read for read in models[key].reads if read in models] for key in models}
    try:
        return tuple(models[key] for key in TopologicalSorter(graph).static_order())
    except CycleError as error:
        path = " reads ".join(reversed(error.args[1]))
        raise ModelError(f"Models read each other in a circle: {path}.", "Take one of these steps out.") from error


def _check_known(path: Path, reads: Iterable[str], known: set[str]) -> None:
    given = {f"lake.{name}" for name in BY_NAME} | {generated.key for generated in GENERATED}
    for read in reads:
        if read not in known and read not in given:
            raise ModelError(f"{path}: {read} is no model, no seed and no table of the lake.", "Check its name.")


@lru_cache(maxsize=256)  # a process that builds more than once reads the same text
def _read_model(path: Path, schema: str, text: str) -> Model:
    toml, sql = split(path, text)
    header = parse(path, toml, Header)
    tree = _parse_sql(path, sql, toml.count("\n"))
    if header.columns_as:
        header = msgspec.structs.replace(header, columns=_described_by_schema(path, header.columns_as, tree))
        check_names(path, toml, header)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Model(schema, path.stem, path, header, sql, tree, _reads(path, tree), sha256)


def _described_by_schema(path: Path, source: str, tree: exp.Query) -> dict[str, str]:
    """Descriptions of a thin model's columns: each is a column of the lake, perhaps under another name."""
    table = BY_NAME.get(source.removeprefix("lake."))
    selects = _final_selects(tree)
    if table is None or not selects:
        raise ModelError(f"{path}: columns_as needs a table of the lake and a CTE final.", "Or list every [columns].")
    described = {}
    for column in selects:
        read = column.find(exp.Column)
        if read is None or read.name not in table.names:
            raise ModelError(f"{path}: {column.alias_or_name} is no column of {source}.", "List every [columns].")
        described[column.alias_or_name] = table.column(read.name).about
    return described


def _with_measures(model: Model, others: Mapping[str, Model]) -> Model:
    """The model with what it takes over by ``measures_as``, in the order of its SELECT; its own words win."""
    own, path = model.header, model.path
    if own.measures_as is None:
        return model
    toml, _ = split(path, path.read_text(encoding="utf-8"))
    at, other = f"{path}:{line_of(toml, 'measures_as')}", others.get(own.measures_as)
    if other is None or other.header.measures_as:
        raise ModelError(f"{at}: {own.measures_as} is no model that says its measures itself.", "Check its name.")
    names = [column.alias_or_name for column in _final_selects(model.tree)]
    if not other.header.metrics.keys() & set(names):
        raise ModelError(f"{at}: {other.key} has no metric that final selects.", "Take measures_as out.")
    columns, metrics = other.header.columns | own.columns, other.header.metrics | own.metrics
    header = msgspec.structs.replace(
        own,
        columns={name: columns[name] for name in names if name in columns} | own.columns,
        metrics={name: metrics[name] for name in names if name in metrics} | own.metrics,
    )
    check_names(path, toml, header)
    return replace(model, header=header)


def _final_selects(tree: exp.Query) -> Sequence[exp.Expr]:
    """What the CTE ``final`` selects; nothing when there is none."""
    final = next((cte.this for cte in tree.find_all(exp.CTE) if cte.alias == "final"), None)
    return final.selects if isinstance(final, exp.Select) else []


@lru_cache(maxsize=256)
def _read_singular(path: Path, text: str) -> Singular:
    toml, sql = split(path, text)
    tree = _parse_sql(path, sql, toml.count("\n"))
    return Singular(path.stem, path, parse(path, toml, SingularHeader), sql, _reads(path, tree))


def _parse_sql(path: Path, sql: str, offset: int) -> exp.Query:
    try:
        statements = sqlglot.parse(sql, dialect="duckdb")
    except ParseError as error:
        line = offset + 1 + (error.errors[0].get("line") or 1)
        what = error.errors[0].get("description")
        raise ModelError(f"{path}:{line}: the SQL cannot be read: {what}", "Try the SELECT in DuckDB.") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ModelError(f"{path}: a model is one SELECT and nothing else.", "Split it.")
    return statements[0]


def _reads(path: Path, tree: exp.Query) -> tuple[str, ...]:
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    names = {(table.db, table.name) for table in tree.find_all(exp.Table)}
    bare = sorted(name for schema, name in names if not schema and name not in ctes)
    if bare:
        raise ModelError(f"{path}: {bare[0]} has no schema and is no CTE.", f"Write it as marts.{bare[0]} or the like.")
    return tuple(sorted(f"{schema}.{name}" for schema, name in names if schema))
