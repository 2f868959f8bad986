"""The project of SQL models: reads ``sql/``, finds what each model reads, and orders the models for a build.

The folder is the schema, the file is the model, and a file is one SELECT. Dependencies are read from the SQL and never
declared: a relation with a schema is a model, a seed, a generated table or a table of the lake; without a schema it has
to be a CTE.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from warehouse.errors import ModelError
from warehouse.models.build_tables import GENERATED_TABLES
from warehouse.models.headers import Header, SingularHeader, line_of, parse_header, split_header
from warehouse.models.inheritance import read_header
from warehouse.models.seeds import Seed, read_seeds
from warehouse.models.select_parser import Select, UnsupportedSqlError, read_selects
from warehouse.schema.registry import BY_NAME, TABLES

SQL_DIR = Path(__file__).parents[2] / "sql"
SCHEMAS = ("staging", "intermediate", "marts", "metrics")
ALL_SCHEMAS = ("lake", "seeds", *SCHEMAS)
"""Schemas of the models and of their sources."""
PUBLIC_SCHEMAS = ("marts", "metrics")
"""Schemas that users read; others are steps on the way. A tool can name their models without a schema, too, so no name
is in both."""
DAY = "start_date"
"""Column with the day of a row, by which relations are compared and models are built incrementally."""
VIEWS = ("staging",)
"""Schemas whose models are views, unless they are incremental: staging only renames the lake.

``stg_conversations`` is a table, as a dozen models read it: to open a file of 231 columns for each day takes longer
than what they do with the rows.
"""


@dataclass(frozen=True, slots=True)
class Model:
    """A model: one SQL file.

    Attributes:
        reads: Qualified names of the relations that it selects from, sorted.
        keeps_lake_key: It returns rows of one table of the lake with their key, so they are as unique as there.
    """

    schema: str
    name: str
    path: Path
    header: Header
    sql: str
    reads: tuple[str, ...]
    sha256: str
    keeps_lake_key: bool = False

    @property
    def key(self) -> str:
        """Qualified name, such as ``marts.fct_turns``."""
        return f"{self.schema}.{self.name}"

    @property
    def is_view(self) -> bool:
        """Whether the model is built as a view."""
        return self.schema in VIEWS and not self.header.incremental_by


@dataclass(frozen=True, slots=True)
class SingularTest:
    """A singular test, as in dbt: a SELECT that returns the failing rows."""

    name: str
    path: Path
    header: SingularHeader
    sql: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """The content of ``sql/``, with the models in build order."""

    models: tuple[Model, ...]
    seeds: tuple[Seed, ...]
    singular_tests: tuple[SingularTest, ...]

    @property
    def by_key(self) -> dict[str, Model]:
        """Models by qualified name."""
        return {model.key: model for model in self.models}

    def upstream(self, *keys: str) -> Project:
        """The models ``keys`` and all that they depend on, with all seeds and without singular tests."""
        needed, models = set(keys), self.by_key
        for model in reversed(self.models):
            if model.key in needed:
                needed |= {name for name in model.reads if name in models}
        return Project(tuple(model for model in self.models if model.key in needed), self.seeds, ())


def read_project(sql_dir: Path = SQL_DIR, user_seeds: Path | None = None) -> Project:
    """Read all models, seeds and singular tests below ``sql_dir``; files in ``user_seeds`` replace seeds.

    Raises:
        ModelError: a header, SQL file or seed is wrong (named by file and line), a dependency is unknown, or models
            depend on each other in a cycle (named by its path).
    """
    paths = [path for folder in (*SCHEMAS, "tests") for path in sorted((sql_dir / folder).glob("*.sql"))]
    models, singular_tests = _read(tuple((path, path.read_text(encoding="utf-8")) for path in paths))
    seeds = read_seeds(sql_dir / "seeds", user_seeds)
    _check_short_names(models)
    ordered = ordered_models({model.key: model for model in models}, {seed.key for seed in seeds})
    keys = {model.key for model in models} | {seed.key for seed in seeds}
    for test in singular_tests:
        _check_reads(test.path, test.reads, keys)
    return Project(ordered, seeds, singular_tests)


def _check_short_names(models: Iterable[Model]) -> None:
    """Refuse two models of one name in schemas whose models are named without a schema.

    Raises:
        ModelError: there are two.
    """
    by_name: dict[str, Model] = {}
    for model in models:
        if model.schema in PUBLIC_SCHEMAS and (other := by_name.setdefault(model.name, model)) is not model:
            raise ModelError(f"{model.path}: {model.key} has the name of {other.key}.", "Give it another name.")


def relations_with_days(models: Iterable[Model]) -> frozenset[str]:
    """Names of the daily tables of the lake, of the views on them, and of all tables of models with the column."""
    names = {f"lake.{table.name}" for table in TABLES if table.is_daily}
    for model in models:  # in build order
        if DAY in model.header.columns and (not model.is_view or names.issuperset(model.reads)):
            names.add(model.key)
    return frozenset(names)


def ordered_models(models: Mapping[str, Model], seeds: Iterable[str]) -> tuple[Model, ...]:
    """The models, each after all that it reads; the same order for the same files.

    Raises:
        ModelError: a model reads a relation that does not exist, or itself through others.
    """
    keys = {*models, *seeds}
    for model in models.values():
        _check_reads(model.path, model.reads, keys)
    return tuple(models[key] for key in _build_order({key: model.reads for key, model in models.items()}))


def _build_order(reads: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The keys, each after those of its reads that are keys as well."""
    graph = {key: [name for name in relations if name in reads] for key, relations in reads.items()}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        path = " reads ".join(reversed(error.args[1]))
        raise ModelError(f"Models read each other in a cycle: {path}.", "Remove one of these steps.") from error


def _check_reads(path: Path, reads: Iterable[str], keys: set[str]) -> None:
    tables = {f"lake.{name}" for name in BY_NAME} | {table.key for table in GENERATED_TABLES}
    for relation in reads:
        if relation not in keys and relation not in tables:
            raise ModelError(f"{path}: {relation} is not a model, a seed or a table of the lake.", "Check its name.")


@dataclass(frozen=True, slots=True)
class _Source:
    """The parts of a SQL file; line n of ``toml`` is line n of the file."""

    path: Path
    text: str
    toml: str
    sql: str
    select: Select

    @property
    def key(self) -> str:
        return f"{self.path.parent.name}.{self.path.stem}"


@lru_cache(maxsize=8)  # a process that builds more than once reads the same texts
def _read(files: tuple[tuple[Path, str], ...]) -> tuple[tuple[Model, ...], tuple[SingularTest, ...]]:
    sources = _sources(files)
    of_models = [source for source in sources if source.path.parent.name in SCHEMAS]
    headers = _headers({source.key: source for source in of_models})
    models = tuple(_model(source, headers[source.key]) for source in of_models)
    return models, tuple(_singular_test(source) for source in sources if source not in of_models)


def _sources(files: Iterable[tuple[Path, str]]) -> list[_Source]:
    parts = [(path, text, *split_header(path, text)) for path, text in files]
    selects = read_selects([sql for *_, sql in parts])
    return [_Source(*part, _check_select(*part, select)) for part, select in zip(parts, selects, strict=True)]


def _check_select(path: Path, text: str, _toml: str, sql: str, select: Select | UnsupportedSqlError) -> Select:
    if isinstance(select, UnsupportedSqlError) and select.line is not None:
        line = text[: len(text) - len(sql)].count("\n") + select.line
        raise ModelError(f"{path}:{line}: the SQL cannot be read: {select.reason}.", "Try the SELECT in DuckDB.")
    if isinstance(select, UnsupportedSqlError):
        raise ModelError(f"{path}: a model is one SELECT and nothing else.", "Split it.")
    if select.unqualified:
        name = select.unqualified[0]
        raise ModelError(f"{path}: {name} has no schema and is not a CTE.", f"Write it with one: marts.{name}.")
    return select


def _headers(sources: Mapping[str, _Source]) -> dict[str, Header]:
    """Header of each model, with what it inherits from the models that it reads."""
    headers: dict[str, Header] = {}
    for key in _build_order({key: source.select.reads for key, source in sources.items()}):
        source = sources[key]
        headers[key] = read_header(source.path, source.toml, source.select, headers)
    return headers


def _model(source: _Source, header: Header) -> Model:
    path, select = source.path, source.select
    if header.incremental_by and DAY not in header.columns:
        at = f"{path}:{line_of(source.toml, 'incremental_by')}"
        raise ModelError(f"{at}: {source.key} is not a table with a column {DAY}.", "Remove incremental_by.")
    sha256 = hashlib.sha256(source.text.encode()).hexdigest()
    table = BY_NAME.get((select.row_source or "").removeprefix("lake."))
    keys = {column.source for column in select.final if column.name in header.grain and column.is_plain}
    return Model(
        path.parent.name,
        path.stem,
        path,
        header,
        source.sql,
        select.reads,
        sha256,
        keeps_lake_key=table is not None and header.inherits_columns_from is not None and keys.issuperset(table.key),
    )


def _singular_test(source: _Source) -> SingularTest:
    header = parse_header(source.path, source.toml, SingularHeader)
    return SingularTest(source.path.stem, source.path, header, source.sql, source.select.reads)
