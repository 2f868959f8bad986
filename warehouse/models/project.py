"""The graph of SQL models: what ``sql/`` holds, what each model reads, and the order in which to build.

The folder is the schema, the file is the model, one SELECT a file. Dependencies are read from the SQL and never
declared: a table with a schema is a model, a seed or a table of the lake; without one it must be a CTE.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import msgspec

from warehouse.errors import ModelError
from warehouse.models import row_locality
from warehouse.models.build_tables import GENERATED_TABLES
from warehouse.models.headers import Header, SingularHeader, check_names, line_of, parse_header, split_header
from warehouse.models.seeds import Seed, read_seeds
from warehouse.models.select_parser import Select, UnsupportedSqlError, read_selects
from warehouse.schema.registry import BY_NAME, TABLES

SQL_DIR = Path(__file__).parents[2] / "sql"
SCHEMAS = ("staging", "intermediate", "marts", "metrics")
ALL_SCHEMAS = ("lake", "seeds", *SCHEMAS)
"""Schemas of the models, and of what they are made from."""
CONVERSATION_TABLES = frozenset(f"lake.{table.name}" for table in TABLES if row_locality.KEY in table.column_names)
"""Tables of the lake with rows of conversations."""
VIEWS = ("staging",)
"""Schemas whose models are views: staging follows the lake. All others are read more than once."""


@dataclass(frozen=True, slots=True)
class Model:
    """One SQL file; ``reads`` are the qualified names of all that it selects from, sorted.

    ``mentions`` are the columns that can matter of what it reads, None for all. Where it ``is_by_call``, its rows of a
    conversation follow from that conversation's rows in what it reads (``warehouse.models.row_locality``). Where it
    ``is_keyed_as_read``, it gives rows of a table of the lake under its key, unique as they are there.
    """

    schema: str
    name: str
    path: Path
    header: Header
    sql: str
    reads: tuple[str, ...]
    sha256: str
    used_columns: frozenset[str] | None = None
    is_conversation_local: bool = False
    keeps_lake_key: bool = False

    @property
    def key(self) -> str:
        """Qualified name, such as ``marts.fct_turns``."""
        return f"{self.schema}.{self.name}"

    @property
    def is_view(self) -> bool:
        """Whether the model is built as a view."""
        return self.schema in VIEWS


@dataclass(frozen=True, slots=True)
class SingularTest:
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
    singular_tests: tuple[SingularTest, ...]

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


def read_project(sql_dir: Path = SQL_DIR, user_seeds: Path | None = None) -> Project:
    """Read every model, seed and singular test below ``sql_dir``; a seed that the folder ``own_seeds`` has, from there.

    Raises:
        ModelError: a bad header, SQL or seed (named by file and line), an unknown dependency, or a cycle (named by its
            path).
    """
    paths = [path for folder in (*SCHEMAS, "tests") for path in sorted((sql_dir / folder).glob("*.sql"))]
    models, singulars = _read(tuple((path, path.read_text(encoding="utf-8")) for path in paths))
    seeds = read_seeds(sql_dir / "seeds", user_seeds)
    ordered = ordered_models({model.key: model for model in models}, {seed.key for seed in seeds})
    known = {model.key for model in models} | {seed.key for seed in seeds}
    for singular in singulars:
        _check_known(singular.path, singular.reads, known)
    return Project(ordered, seeds, singulars)


def conversation_relations(models: Iterable[Model]) -> frozenset[str]:
    """Names of the relations that have rows of conversations: models and tables of the lake."""
    return CONVERSATION_TABLES | {model.key for model in models if row_locality.KEY in model.header.columns}


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
    given = {f"lake.{name}" for name in BY_NAME} | {generated.key for generated in GENERATED_TABLES}
    for read in reads:
        if read not in known and read not in given:
            raise ModelError(f"{path}: {read} is no model, no seed and no table of the lake.", "Check its name.")


@dataclass(frozen=True, slots=True)
class _Source:
    """A SQL file in its parts; ``toml`` has the line numbers of the file."""

    path: Path
    text: str
    toml: str
    sql: str
    select: Select


@lru_cache(maxsize=8)  # a process that builds more than once reads the same texts
def _read(files: tuple[tuple[Path, str], ...]) -> tuple[tuple[Model, ...], tuple[SingularTest, ...]]:
    sources = _sources(files)
    ours = [source for source in sources if source.path.parent.name in SCHEMAS]
    listed = {model.key: model for model in map(_model, ours)}
    with_measures = [_with_measures(model, source, listed) for model, source in zip(listed.values(), ours, strict=True)]
    keyed = conversation_relations(with_measures)
    models = tuple(_as_read(model, source, keyed) for model, source in zip(with_measures, ours, strict=True))
    return models, tuple(_singular(source) for source in sources if source not in ours)


def _sources(files: Iterable[tuple[Path, str]]) -> list[_Source]:
    parts = [(path, text, *split_header(path, text)) for path, text in files]
    selects = read_selects([sql for *_, sql in parts])
    return [_Source(*part, _readable(*part, select)) for part, select in zip(parts, selects, strict=True)]


def _readable(path: Path, text: str, _toml: str, sql: str, select: Select | UnsupportedSqlError) -> Select:
    if isinstance(select, UnsupportedSqlError) and select.line is not None:
        line = text[: len(text) - len(sql)].count("\n") + select.line
        raise ModelError(f"{path}:{line}: the SQL cannot be read: {select.why}.", "Try the SELECT in DuckDB.")
    if isinstance(select, UnsupportedSqlError):
        raise ModelError(f"{path}: a model is one SELECT and nothing else.", "Split it.")
    if select.unqualified:
        bare = select.unqualified[0]
        raise ModelError(f"{path}: {bare} has no schema and is no CTE.", f"Write it as marts.{bare} or the like.")
    return select


def _model(source: _Source) -> Model:
    path, header = source.path, parse_header(source.path, source.toml, Header)
    if header.inherits_columns_from:
        header = msgspec.structs.replace(header, columns=_described_by_schema(source, header.inherits_columns_from))
        check_names(path, source.toml, header)
    sha256 = hashlib.sha256(source.text.encode()).hexdigest()
    return Model(path.parent.name, path.stem, path, header, source.sql, source.select.reads, sha256)


def _described_by_schema(source: _Source, relation: str) -> dict[str, str]:
    """Descriptions of a thin model's columns: each is a column of the lake, perhaps under another name."""
    path, table, selects = source.path, BY_NAME.get(relation.removeprefix("lake.")), source.select.final
    if table is None or not selects:
        raise ModelError(
            f"{path}: inherits_columns_from needs a table of the lake and a CTE final.", "Or list every [columns]."
        )
    described = {}
    for column in selects:
        if column.source is None or column.source not in table.column_names:
            raise ModelError(f"{path}: {column.name} is no column of {relation}.", "List every [columns].")
        described[column.name] = table.column(column.source).description
    return described


def _with_measures(model: Model, source: _Source, others: Mapping[str, Model]) -> Model:
    """The model with what it takes over by ``inherits_metrics_from``, in the order of its SELECT; its own words win."""
    own, path = model.header, model.path
    if own.inherits_metrics_from is None:
        return model
    at, other = f"{path}:{line_of(source.toml, 'inherits_metrics_from')}", others.get(own.inherits_metrics_from)
    if other is None or other.header.inherits_metrics_from:
        raise ModelError(
            f"{at}: {own.inherits_metrics_from} is no model that says its measures itself.", "Check its name."
        )
    names = [column.name for column in source.select.final]
    if not other.header.metrics.keys() & set(names):
        raise ModelError(f"{at}: {other.key} has no metric that final selects.", "Take inherits_metrics_from out.")
    columns, metrics = other.header.columns | own.columns, other.header.metrics | own.metrics
    header = msgspec.structs.replace(
        own,
        columns={name: columns[name] for name in names if name in columns} | own.columns,
        metrics={name: metrics[name] for name in names if name in metrics} | own.metrics,
    )
    check_names(path, source.toml, header)
    return replace(model, header=header)


def _as_read(model: Model, source: _Source, keyed: Collection[str]) -> Model:
    """The model with what its SELECT shows; relations that are ``keyed`` have rows of conversations."""
    select, grain = source.select, model.header.grain
    mentions = None if select.used_columns is None else select.used_columns | model.header.columns.keys()
    table = BY_NAME.get((select.row_source or "").removeprefix("lake."))
    sources = {column.source for column in select.final if column.name in grain and column.is_plain}
    is_by_call = row_locality.is_conversation_local(select.tree, keyed)
    if model.header.batch_by and (model.is_view or not is_by_call):
        at = f"{model.path}:{line_of(source.toml, 'batch_by')}"
        raise ModelError(f"{at}: {model.key} is no table whose rows follow call by call.", "Take batch_by out.")
    return replace(
        model,
        used_columns=mentions,
        is_conversation_local=is_by_call,
        keeps_lake_key=table is not None
        and model.header.inherits_columns_from is not None
        and sources.issuperset(table.key),
    )


def _singular(source: _Source) -> SingularTest:
    header = parse_header(source.path, source.toml, SingularHeader)
    return SingularTest(source.path.stem, source.path, header, source.sql, source.select.reads)
