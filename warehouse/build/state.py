"""What a warehouse was built from, what has changed since, and so which relations the next build can reuse.

**Fingerprints.** The rows of a model follow from its text, from what it reads and from the code that builds it, and
from nothing else: the lint (``warehouse.models.lint``) refuses clocks, random values and arbitrary rows. If all of
these have the same fingerprints as at the last build, the model would come out the same. A check whose relations are
all unchanged would pass again; otherwise that warehouse would not have been put in place. The fingerprint of a day's
file is its size, time and inode: the lake never writes into a file but renames a new one in, so new content has another
inode or time. Tables without days are small, and every run rewrites them, mostly with the same rows, so their
fingerprint is a hash of the bytes.

**Partial changes.** All rows that come from a conversation's document are merged into the files of its day together,
``conversations`` last. So if a table changed only on days on which ``conversations`` changed as well, the latter says
which conversations changed (``warehouse.build.incremental``).

**Where it is stored.** A build writes its fingerprints into the warehouse (``seeds.build_inputs``,
``seeds.build_calls``); the next build reads them and compares (``load_baseline``).
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
from warehouse.models.build_tables import METRIC_HEADERS, WORKSPACES, GeneratedTable, workspace_rows
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
"""Inputs of the whole warehouse: if one of them changes, nothing is reused.

``removed`` are the redacted and erased conversations of the landing; the lake's deletions repeat them. DuckDB does not
overwrite blocks that it frees, so a file that ever held the text of such a conversation may hold it for good. Only a
file written from nothing cannot.
"""

MAX_STALE_SHARE = 0.5
"""If a larger share of the models is stale, everything is rebuilt, which also leaves a more compact file."""

MAX_CHANGED_SHARE = 0.1
"""If a larger share of the conversations changed, models are rebuilt as a whole. Measured: 1 % takes an eighth of the
time."""

MAX_FREE_BLOCK_SHARE = 0.5
"""Free blocks per used block above which the next build reuses nothing: DuckDB hardly ever shrinks a file."""

MTIME_RESOLUTION = 10**9
"""Nanoseconds per second: the warehouse's time of modification is set to a whole second, which any disk can store."""

FILE_MTIME = "file"
"""Name under which ``seeds.build_inputs`` stores that time."""

BASELINE_DATABASE = "baseline"
"""Name under which the current warehouse is attached."""

BUILD_INPUTS = GeneratedTable(
    "build_inputs",
    "What this warehouse was built from: one row per input of the build. The next build sees what changed.",
    {
        "name": "Lake table or file of one, seed or model; code, tests, removed (redacted or erased), file (this one).",
        "mark": "Fingerprint at the time of the build; of the file, its time of modification as Unix time in seconds.",
        "n_rows": "Rows of a model.",
    },
)

BUILD_CALLS = GeneratedTable(
    "build_calls",
    "Conversations that this warehouse was built from: one row per conversation. The next build sees which changed.",
    {
        KEY: "Id of the conversation.",
        "mark": "Fingerprint: a number, hashed from content, parser version and times of the snapshots.",
    },
)

_DERIVED_COLUMNS = ", ".join(column.name for column in CONVERSATIONS.columns if column.source is None)
CONVERSATION_FINGERPRINTS = f"select {KEY}, hash({_DERIVED_COLUMNS}) as mark from {{source}}"
"""A conversation's rows follow from its content, the parser version and the times of its snapshots. These are the
columns of ``conversations`` without a JSON path."""

_CONVERSATIONS = f"lake.{CONVERSATIONS.name}"
_DOCUMENT_RELATIONS = tuple(f"lake.{table.name}" for table in DOCUMENT_TABLES)


@dataclass(frozen=True, slots=True)
class Change:
    """How a relation differs from the current warehouse: in ``columns`` of existing rows, or in any way (None).

    One that ``is_partial`` differs only in rows of conversations that are known (``Baseline.changed_ids``).
    """

    columns: frozenset[str] | None = None
    is_partial: bool = False

    def affects(self, model: Model) -> bool:
        """Whether the change can reach a model that reads the relation."""
        return self.columns is None or model.used_columns is None or not self.columns.isdisjoint(model.used_columns)


FULL_CHANGE = Change()


@dataclass(frozen=True, slots=True)
class ModelState:
    """A built model; ``types`` are DuckDB's by column, in order.

    One that ``is_reused`` was taken over from the warehouse before, in no time. Of one that ``is_incremental``, only
    the rows of changed conversations were rebuilt.
    """

    key: str
    n_rows: int
    secs: float
    types: dict[str, str]
    is_reused: bool = False
    is_incremental: bool = False


@dataclass(frozen=True, slots=True)
class BuildState:
    """What a warehouse says of its build: fingerprints by input, and its models by key."""

    fingerprints: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, ModelState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The current warehouse, as far as a build can reuse it.

    ``names`` are its relations, ``changed`` those of them that differ by now: inputs, and models by their text. If
    changes are partial, ``changed_ids`` (one column, ``conversation_id``) are the conversations that changed.
    """

    names: frozenset[str] = frozenset()
    models: Mapping[str, ModelState] = field(default_factory=dict)
    changed: dict[str, Change] = field(default_factory=dict)
    changed_ids: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={KEY: pl.String}))

    def is_unchanged(self, name: str) -> bool:
        """Whether the relation exists in the current warehouse and has not changed."""
        return name in self.names and name not in self.changed

    @property
    def has_partial_changes(self) -> bool:
        """Whether any relation changed only in some conversations."""
        return any(change.is_partial for change in self.changed.values())


EMPTY_BASELINE = Baseline()
"""Baseline of a full refresh: nothing to reuse."""


def load_baseline(home: Home, project: Project, inputs: Mapping[str, str], limits: Limits) -> Baseline:
    """What a build with these fingerprints can reuse; empty if that is little or nothing."""
    with connect(limits=limits) as connection:
        current = read_state(connection, home.warehouse)
        if current is None:
            return EMPTY_BASELINE
        changes = changed_relations(current.fingerprints, inputs)
        if changes is None:
            return EMPTY_BASELINE
        baseline = Baseline(frozenset(relation_names(current.fingerprints)), current.models, changes)
        if baseline.has_partial_changes:
            baseline = _with_changed_ids(connection, home, baseline)
    full_changes = {name: change for name, change in baseline.changed.items() if not change.is_partial}
    is_reusable = len(stale_models(project, full_changes)) <= MAX_STALE_SHARE * len(project.models)
    return baseline if is_reusable else EMPTY_BASELINE


def _with_changed_ids(connection: duckdb.DuckDBPyConnection, home: Home, baseline: Baseline) -> Baseline:
    """The baseline with the conversations that changed; if there are too many, its changes are no longer partial."""
    connection.execute(f"attach {sql_literal(str(home.warehouse))} as {BASELINE_DATABASE} (read_only)")
    # the views of the attached warehouse read the lake as it is now
    source = f"{BASELINE_DATABASE}.{_CONVERSATIONS}"
    before, now = f"from {BASELINE_DATABASE}.{BUILD_CALLS.key}", CONVERSATION_FINGERPRINTS.format(source=source)
    changed_ids = connection.sql(
        f"select distinct {KEY} from (({before} except all {now}) union all ({now} except all {before}))"
    ).pl()
    total = connection.execute(f"select count(*) {before}").fetchall()[0][0]
    connection.execute(f"detach {BASELINE_DATABASE}")
    if changed_ids.height <= MAX_CHANGED_SHARE * total:
        return replace(baseline, changed_ids=changed_ids)
    return replace(baseline, changed=dict.fromkeys(baseline.changed, FULL_CHANGE))


def changed_relations(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, Change] | None:
    """Relations whose fingerprint differs: inputs, and models by their text.

    None if nothing can be reused: a global input differs, or there are other relations than before.
    """
    names = relation_names(before)
    if names != relation_names(now) or any(before[name] != now[name] for name in GLOBAL_INPUTS):
        return None
    differing = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
    files = {
        relation: {name.removeprefix(relation) for name in differing if name.startswith(f"{relation}/")}
        for relation in _DOCUMENT_RELATIONS
    }
    explained = files[_CONVERSATIONS]
    return {name: Change(is_partial=name in files and files[name] <= explained) for name in sorted(differing & names)}


def stale_models(project: Project, changed: Mapping[str, Change]) -> frozenset[str]:
    """Keys of the models that can differ: the changed ones, and all that read a stale model or changed relation."""
    stale = dict(changed)
    for model in project.models:
        if any(read in stale and stale[read].affects(model) for read in model.reads):
            stale[model.key] = FULL_CHANGE
    return frozenset(model.key for model in project.models if model.key in stale)


def relation_names(names: Iterable[str]) -> set[str]:
    """The names of inputs that are not files, as ``lake.turns/day=2026-11-20/main.parquet`` is."""
    return {name for name in names if "/" not in name}


def fingerprints(home: Home, project: Project, zones: Mapping[str, str]) -> dict[str, str]:
    """The fingerprint of each input of a build: lake tables and their files, seeds, models, global inputs."""
    files = {f"lake.{table.name}": _file_fingerprints(home, table) for table in TABLES}
    tests = (f"{test.name}\n{test.sql}" for test in project.singular_tests)
    metric_headers = build_tables.metric_header_rows((model.key, model.header) for model in project.models)
    return {
        CODE: _hash([_code_hash(), duckdb.__version__, str(home.root.resolve())]),
        TESTS: _hash(tests),
        REMOVED: _hash([landing.redactions_and_tombstones(home.all_workspaces).write_json()]),
        METRIC_HEADERS.key: _hash([metric_headers.write_json()]),
        WORKSPACES.key: _hash([workspace_rows(zones).write_json()]),
        **{name: _hash(f"{file} {value}" for file, value in by_file.items()) for name, by_file in files.items()},
        **{f"{name}/{file}": value for name, by_file in files.items() for file, value in by_file.items()},
        **{seed.key: _hash([repr(seed.header), seed.rows.write_json()]) for seed in project.seeds},
        **{model.key: _hash([model.sha256, repr(model.header)]) for model in project.models},
    }


def _file_fingerprints(home: Home, table: Table) -> dict[str, str]:
    """Fingerprints of a table's files by their path below the table's folder."""
    folder = home.table(table)
    return {
        file.relative_to(folder).as_posix(): _file_fingerprint(file, is_daily=table.is_daily)
        for file in sorted(folder.rglob("*.parquet"))
    }


def _file_fingerprint(file: Path, *, is_daily: bool) -> str:
    if not is_daily:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    stat = file.stat()
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"


@cache
def _code_hash() -> str:
    """Hash of package ``warehouse``: schema, comments, checks and how everything is built."""
    return _hash(file.read_text(encoding="utf-8") for file in sorted(Path(__file__).parents[1].rglob("*.py")))


def _hash(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


def write_state(
    connection: duckdb.DuckDBPyConnection, inputs: Mapping[str, str], models: Iterable[ModelState], mtime: int
) -> None:
    """Write ``seeds.build_inputs``; the caller sets the file's time of modification to ``mtime`` (seconds)."""
    n_rows = {model.key: str(model.n_rows) for model in models}
    rows: list[dict[str, str | None]] = [
        {"name": name, "mark": value, "n_rows": n_rows.get(name)} for name, value in sorted(inputs.items())
    ]
    rows.append({"name": FILE_MTIME, "mark": str(mtime), "n_rows": None})
    BUILD_INPUTS.load(connection, BUILD_INPUTS.frame(rows))


def write_conversation_fingerprints(connection: duckdb.DuckDBPyConnection) -> None:
    """Write ``seeds.build_calls`` from the lake as it is now."""
    source = CONVERSATION_FINGERPRINTS.format(source=_CONVERSATIONS)
    connection.execute(f"create or replace table {BUILD_CALLS.key} as {source}")


def read_state(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> BuildState | None:
    """The state stored in a warehouse file; None if no build can start from that file.

    That is: it is missing, unreadable, older than the state tables, was written to since its build, or has too many
    free blocks.
    """
    if not warehouse.exists():
        return None
    try:
        connection.execute(f"attach {sql_literal(str(warehouse))} as {BASELINE_DATABASE} (read_only)")
    except duckdb.Error:
        return None
    try:
        return _read_attached_state(connection, warehouse)
    except (duckdb.Error, KeyError):
        return None
    finally:
        connection.execute(f"detach {BASELINE_DATABASE}")


def _read_attached_state(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> BuildState | None:
    used_blocks, free_blocks = connection.execute(
        f"select used_blocks, free_blocks from pragma_database_size() where database_name = '{BASELINE_DATABASE}'"
    ).fetchall()[0]
    rows = connection.execute(f"select name, mark, n_rows from {BASELINE_DATABASE}.{BUILD_INPUTS.key}").fetchall()
    inputs = {name: value for name, value, _ in rows}
    mtime_ns = int(inputs.pop(FILE_MTIME)) * MTIME_RESOLUTION
    if free_blocks > MAX_FREE_BLOCK_SHARE * used_blocks or mtime_ns != warehouse.stat().st_mtime_ns:
        return None
    types: dict[str, dict[str, str]] = {}
    for key, column, data_type in connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        f"where database_name = '{BASELINE_DATABASE}' order by column_index"
    ).fetchall():
        types.setdefault(key, {})[column] = data_type
    models = {name: ModelState(name, int(n), 0.0, types[name], is_reused=True) for name, _, n in rows if n is not None}
    return BuildState(inputs, models)
