"""What changed since a warehouse was built, and what stands on it: all else can be kept as it is.

The rows of a model follow from its text, from what it reads and from the code that builds it, and from nothing else:
the lint (``warehouse.models.lint``) refuses clocks, dice and rows that are taken by chance. So a model whose text and
whose sources, directly or through others, bear the same marks as at the last build would come out as it stands; and a
check of relations that all stand as they were would find what it found: nothing, or that warehouse would not stand.

A mark is a hash. That of a file of a day is of its size, time and inode: the lake never writes into a file but renames
a new one in, so another content is another inode or another time. Tables without days are small and written anew by
every run, mostly with the same rows, so theirs is of the bytes.

The rows that come from a conversation's document are merged into the files of its day together, ``conversations`` last.
So where only days have changed in which that table has as well, it says which calls changed
(``warehouse.build.incremental``).
"""

# ruff: noqa: S608 -- every name in these statements is from warehouse.schema, none from a user
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import duckdb
import polars as pl

from warehouse.connection import Limits, connect, sql_literal
from warehouse.models import build_tables
from warehouse.models.build_tables import METRIC_HEADERS, WORKSPACES, Generated, zone_rows
from warehouse.models.project import Model, Project
from warehouse.models.row_locality import KEY
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import DELETIONS
from warehouse.schema.registry import DOCUMENT_TABLES, TABLES
from warehouse.schema.types import Table
from warehouse.storage import landing
from warehouse.storage.home import Home

CODE, TESTS, REMOVED = "code", "tests", "removed"
REMOVED_CONVERSATIONS = f"lake.{DELETIONS.name}"
GLOBAL_INPUTS = (CODE, TESTS, REMOVED, REMOVED_CONVERSATIONS)
"""What all of a warehouse stands on: a change of one of these keeps nothing.

``removed`` is what was redacted or erased, as the landing knows it; the lake's deletions say it again. DuckDB does not
overwrite blocks that it frees, so a file that ever held the words of such a conversation may hold them for good; only a
file made from nothing cannot.
"""


@dataclass(frozen=True, slots=True)
class Change:
    """How a relation differs from the one that stood: in all ``columns`` (None), or in some of rows that stood.

    One that is ``by_call`` differs in the rows of calls that are known (``warehouse.build.incremental``), and in no
    others.
    """

    columns: frozenset[str] | None = None
    is_by_call: bool = False

    def affects(self, model: Model) -> bool:
        """Whether a model that reads the relation can differ by it."""
        return self.columns is None or model.mentions is None or not self.columns.isdisjoint(model.mentions)


FULL_CHANGE = Change()


def fingerprints(home: Home, project: Project, zones: Mapping[str, str]) -> dict[str, str]:
    """The mark of everything that a build reads: tables of the lake and their files, seeds, models, foundations."""
    files = {f"lake.{table.name}": _of_files(home, table) for table in TABLES}
    tests = (f"{singular.name}\n{singular.sql}" for singular in project.singulars)
    return {
        CODE: _hash([_code(), duckdb.__version__, str(home.root.resolve())]),
        TESTS: _hash(tests),
        REMOVED: _hash([landing.redactions_and_tombstones(home.all_workspaces).write_json()]),
        METRIC_HEADERS.key: _hash([build_tables.rows((m.key, m.header) for m in project.models).write_json()]),
        WORKSPACES.key: _hash([zone_rows(zones).write_json()]),
        **{name: _hash(f"{file} {mark}" for file, mark in of_table.items()) for name, of_table in files.items()},
        **{f"{name}/{file}": mark for name, of_table in files.items() for file, mark in of_table.items()},
        **{seed.key: _hash([repr(seed.header), seed.rows.write_json()]) for seed in project.seeds},
        **{model.key: _hash([model.sha256, repr(model.header)]) for model in project.models},
    }


def changed_relations(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, Change] | None:
    """Relations that bear another mark than in a warehouse with the marks ``before``: inputs, and models by their text.

    None where nothing can be kept: a foundation differs, or the relations are not the same ones.
    """
    known = relations(before)
    if known != relations(now) or any(before[each] != now[each] for each in GLOBAL_INPUTS):
        return None
    differing = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
    files = {name: {each.removeprefix(name) for each in differing if each.startswith(f"{name}/")} for name in _OF_CALLS}
    explained = files[_CALLS]
    return {name: Change(is_by_call=name in files and files[name] <= explained) for name in sorted(differing & known)}


def stale_models(project: Project, found: Mapping[str, Change]) -> frozenset[str]:
    """The models that can differ where those relations have changed: these, and all that reads one of them."""
    reached = dict(found)
    for model in project.models:
        if any(read in reached and reached[read].affects(model) for read in model.reads):
            reached[model.key] = FULL_CHANGE
    return frozenset(model.key for model in project.models if model.key in reached)


_CALLS = f"lake.{CONVERSATIONS.name}"
_OF_CALLS = tuple(f"lake.{table.name}" for table in DOCUMENT_TABLES)


def relations(names: Iterable[str]) -> set[str]:
    """The names that are no file's, as ``lake.turns/start_date=2026-11-20/main.parquet`` is."""
    return {name for name in names if "/" not in name}


def _of_files(home: Home, table: Table) -> dict[str, str]:
    """Marks of a table's files by name."""
    folder = home.table(table)
    return dict(_of_file(folder, file, table) for file in sorted(folder.rglob("*.parquet")))


def _of_file(folder: Path, file: Path, table: Table) -> tuple[str, str]:
    name = file.relative_to(folder).as_posix()
    if not table.is_daily:
        return name, hashlib.sha256(file.read_bytes()).hexdigest()
    stat = file.stat()
    return name, f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"


@cache
def _code() -> str:
    """Hash of this package: schema of the lake, comments, checks, and how all of it is built."""
    return _hash(file.read_text(encoding="utf-8") for file in sorted(Path(__file__).parents[1].rglob("*.py")))


def _hash(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


MAX_FREE_BLOCK_SHARE = 0.5
"""Free blocks for each one in use, above which the next build keeps nothing: DuckDB hardly ever shrinks a file."""


FILE_MTIME = "file"


MTIME_RESOLUTION = 10**9
"""Nanoseconds."""


BUILD_INPUTS = Generated(
    "build_inputs",
    "What this warehouse was built from: one row per thing that the build reads; the next one sees what changed.",
    {
        "name": "Lake table or file of one, seed or model; code, tests, removed (redacted or erased), file (this one).",
        "mark": "Hash of it as it was at the build; of the file, its time of modification in seconds of Unix time.",
        "n_rows": "Rows of a model.",
    },
)


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model as it stands; ``types`` are DuckDB's by column, in order.

    One that ``is_kept`` was taken over from the warehouse before, in no time, as nothing that it is made of changed; of
    one that ``is_patched``, the rows of calls that changed were made again.
    """

    key: str
    n_rows: int
    secs: float
    types: dict[str, str]
    is_reused: bool = False
    is_incremental: bool = False


@dataclass(frozen=True, slots=True)
class BuildState:
    """The marks that a warehouse was built from, by name, and its models by key."""

    fingerprints: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, ModelState] = field(default_factory=dict)


def write(
    connection: duckdb.DuckDBPyConnection, marks: Mapping[str, str], models: Iterable[ModelState], written: int
) -> None:
    """Write the record into the connection's database; its file will get the time of modification ``written``."""
    n_rows = {model.key: str(model.n_rows) for model in models}
    rows: list[dict[str, str | None]] = [
        {"name": name, "mark": mark, "n_rows": n_rows.get(name)} for name, mark in sorted(marks.items())
    ]
    BUILD_INPUTS.load(
        connection, BUILD_INPUTS.frame([*rows, {"name": FILE_MTIME, "mark": str(written), "n_rows": None}])
    )


def read(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> BuildState | None:
    """The record of the warehouse; None where it cannot be built upon.

    That is: there is none, it cannot be read, is from before there were records, was written into since it was built,
    or has too many free blocks.
    """
    if not warehouse.exists():
        return None
    try:
        connection.execute(f"attach {sql_literal(str(warehouse))} as standing (read_only)")
    except duckdb.Error:
        return None
    try:
        return _read(connection, warehouse)
    except (duckdb.Error, KeyError):
        return None
    finally:
        connection.execute("detach standing")


def _read(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> BuildState | None:
    used, free = connection.execute(
        "select used_blocks, free_blocks from pragma_database_size() where database_name = 'standing'"
    ).fetchall()[0]
    rows = connection.execute(f"select name, mark, n_rows from standing.{BUILD_INPUTS.key}").fetchall()
    marks = {name: mark for name, mark, _ in rows}
    if (
        free > MAX_FREE_BLOCK_SHARE * used
        or int(marks.pop(FILE_MTIME)) * MTIME_RESOLUTION != warehouse.stat().st_mtime_ns
    ):
        return None
    types: dict[str, dict[str, str]] = {}
    for key, column, data_type in connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where database_name = 'standing' order by column_index"
    ).fetchall():
        types.setdefault(key, {})[column] = data_type
    models = {name: ModelState(name, int(n), 0.0, types[name], is_reused=True) for name, _, n in rows if n is not None}
    return BuildState(marks, models)


BASELINE = "standing"
"""Name under which the file that stands is attached."""


MAX_STALE_SHARE = 0.5
"""Share of the models that may be stale: if more are, all is made anew, which leaves a tighter file."""


MAX_CHANGED_SHARE = 0.1
"""Share of the calls that may have changed for models to be made again call by call. Measured: 1 % takes an eighth."""


CALLS = Generated(
    "build_calls",
    "The calls that this warehouse was built from: one row per call; the next build sees which of them changed.",
    {KEY: "Id of the conversation.", "mark": "Hash of what its rows follow from: content, parser, readings; a number."},
)


_MADE = ", ".join(column.name for column in CONVERSATIONS.columns if column.source is None)


CALL_MARKS = f"select {KEY}, hash({_MADE}) as mark from {{source}}"
"""A call's rows follow from its content, the version of the flattening and when it was read: columns that it makes."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What stood, by name, and how it differs by now; ``calls`` are the ids of those that changed.

    ``changed`` says it of what the models are made from, and of models with another text.
    """

    names: frozenset[str] = frozenset()
    models: Mapping[str, ModelState] = field(default_factory=dict)
    changed: dict[str, Change] = field(default_factory=dict)
    calls: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={KEY: pl.String}))

    def is_unchanged(self, name: str) -> bool:
        """Whether a relation is as it was."""
        return name in self.names and name not in self.changed

    @property
    def is_partial(self) -> bool:
        """Whether anything changed in some calls alone."""
        return any(change.is_by_call for change in self.changed.values())


EMPTY_BASELINE = Baseline()
"""What stood where all is made anew: nothing."""


def load_baseline(home: Home, project: Project, marks: Mapping[str, str], limits: Limits) -> Baseline:
    """What the warehouse that stands can give to one with these marks; nothing where most of it is stale."""
    with connect(limits=limits) as connection:
        standing = read(connection, home.warehouse)
        if standing is None:
            return EMPTY_BASELINE
        changes = changed_relations(standing.fingerprints, marks)
        if changes is None:
            return EMPTY_BASELINE
        found = Baseline(frozenset(relations(standing.fingerprints)), standing.models, changes)
        if found.is_partial:
            found = _with_calls(connection, home, found)
    rest = {name: change for name, change in found.changed.items() if not change.is_by_call}
    is_kept = len(stale_models(project, rest)) <= MAX_STALE_SHARE * len(project.models)
    return found if is_kept else EMPTY_BASELINE


def _with_calls(connection: duckdb.DuckDBPyConnection, home: Home, found: Baseline) -> Baseline:
    """The same with the calls that changed; of very many, each table that they are in counts as changed wholly."""
    connection.execute(f"attach {sql_literal(str(home.warehouse))} as {BASELINE} (read_only)")
    before, now = f"from {BASELINE}.{CALLS.key}", CALL_MARKS.format(source=f"{BASELINE}.lake.{CONVERSATIONS.name}")
    calls = connection.sql(
        f"select distinct {KEY} from (({before} except all {now}) union all ({now} except all {before}))"
    ).pl()
    total = connection.execute(f"select count(*) {before}").fetchall()[0][0]
    connection.execute(f"detach {BASELINE}")
    if calls.height <= MAX_CHANGED_SHARE * total:
        return replace(found, calls=calls)
    return replace(found, changed=dict.fromkeys(found.changed, FULL_CHANGE))


def write_calls(connection: duckdb.DuckDBPyConnection) -> None:
    """Write the marks of all calls into the connection's database."""
    marks = CALL_MARKS.format(source=f"lake.{CONVERSATIONS.name}")
    connection.execute(f"create or replace table {CALLS.key} as {marks}")
