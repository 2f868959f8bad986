"""What a warehouse was built from, what has changed since, and so which relations the next build can reuse.

The rows of a model follow from its text, from what it reads and from the code that builds it, and from nothing else:
the lint (``warehouse.models.lint``) refuses clocks, random values and arbitrary rows. If all of these have the same
fingerprints as at the last build, the model would come out the same. A check whose relations are all unchanged would
pass again; otherwise that warehouse would not have been put in place.

The fingerprint of a day of a table is the sizes, times and inodes of its files: the lake never writes into a file but
renames a new one in, so new content has another inode or time. Tables without days are small, and every run rewrites
them, mostly with the same rows, so their fingerprint is a hash of the bytes.

A build writes its fingerprints into the warehouse (``seeds.build_inputs``); the next one compares.
"""

# ruff: noqa: S608 -- every name in these statements is from warehouse.schema, none from a user
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from warehouse.connection import Limits, connect, sql_literal
from warehouse.models import build_tables
from warehouse.models.build_tables import (
    AGENT_NAMES,
    BUILD_INPUTS,
    METRIC_HEADERS,
    WORKSPACES,
    agent_name_rows,
    workspace_rows,
)
from warehouse.models.project import SCHEMAS, Project, relations_with_days
from warehouse.models.staleness import (
    CODE,
    REMOVED,
    TESTS,
    Days,
    changed_relations,
    code_hash,
    relation_names,
    stale_days,
)
from warehouse.schema.registry import TABLES
from warehouse.schema.types import Table
from warehouse.storage import lake, landing
from warehouse.storage.fingerprint import digest, digest_files, file_sha256
from warehouse.storage.home import Home

MAX_STALE_SHARE = 0.5
"""If a larger share of the models' days is stale, everything is rebuilt, which also leaves a more compact file."""

MAX_FREE_BLOCK_SHARE = 0.5
"""Free blocks per used block above which the next build reuses nothing: DuckDB hardly ever shrinks a file."""

MTIME_RESOLUTION = 10**9
"""Nanoseconds per second: the warehouse's time of modification is set to a whole second, which any disk can store."""

FILE_MTIME = "file"  # the name under which ``seeds.build_inputs`` stores that time
BASELINE_DATABASE = "baseline"  # the name under which the current warehouse is attached


@dataclass(frozen=True, slots=True)
class ModelState:
    """A built model; ``types`` are DuckDB's by column, in order; ``n_rows`` is None for a view, which is not read.

    One that ``is_reused`` was taken over from the warehouse before, in no time. Of one that ``is_incremental``, only
    the rows of stale days were rebuilt.
    """

    key: str
    n_rows: int | None
    secs: float
    types: dict[str, str]
    is_reused: bool = False
    is_incremental: bool = False


@dataclass(frozen=True, slots=True)
class Baseline:
    """The current warehouse, as far as a build can reuse it; ``changed_days`` as ``changed_relations`` gives them."""

    fingerprints: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, ModelState] = field(default_factory=dict)
    changed_days: Mapping[str, Days | None] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """The relations."""
        return relation_names(self.fingerprints)

    def is_unchanged(self, name: str) -> bool:
        """Whether the relation exists in the current warehouse and has not changed."""
        return name in self.names and name not in self.changed_days


EMPTY_BASELINE = Baseline()
"""Baseline of a full refresh: nothing to reuse."""


def load_baseline(home: Home, project: Project, inputs: Mapping[str, str], limits: Limits) -> Baseline:
    """What a build with these fingerprints can reuse; empty if that is little or nothing."""
    baseline = EMPTY_BASELINE
    with connect(limits=limits) as connection, suppress(duckdb.Error, KeyError):
        connection.execute(f"attach {sql_literal(str(home.warehouse))} as {BASELINE_DATABASE} (read_only)")
        baseline = read_state(connection, home.warehouse)
    changes = changed_relations(baseline.fingerprints, inputs)
    if changes is None or stale_share(project, changes, inputs) > MAX_STALE_SHARE:
        return EMPTY_BASELINE
    return replace(baseline, changed_days=changes)


def stale_share(project: Project, changes: Mapping[str, Days | None], inputs: Iterable[str]) -> float:
    """The share of the models' days that can differ, if all days of all models are 1."""
    n_days = len({name.partition("/")[2] for name in inputs if "/" in name})
    stale, with_days, shares = dict(changes), relations_with_days(project.models), [0.0]
    for model in project.models:
        if model.key not in stale and any(relation in stale for relation in model.reads):
            stale[model.key] = stale_days(model, stale, with_days)
        if model.key in stale:
            days = stale[model.key]
            shares.append(1 if days is None else len(days) / max(len(days), n_days))
    return sum(shares) / max(1, len(project.models))


def fingerprints(home: Home, project: Project, zones: Mapping[str, str]) -> dict[str, str]:
    """The fingerprint of each input of a build: lake tables or their days, seeds, models, global inputs."""
    tests = (f"{test.name}\n{test.sql}" for test in project.singular_tests)
    metric_headers = build_tables.metric_header_rows((model.key, model.header) for model in project.models)
    return {
        CODE: digest([code_hash(), duckdb.__version__, str(home.root.resolve())]),
        TESTS: digest(tests),
        REMOVED: _removed_fingerprint(home),
        METRIC_HEADERS.key: digest([metric_headers.write_json()]),
        WORKSPACES.key: digest([workspace_rows(zones).write_json()]),
        AGENT_NAMES.key: digest([agent_name_rows(home).write_json()]),
        **{name: value for table in TABLES for name, value in _table_fingerprints(home, table)},
        **{seed.key: digest([repr(seed.header), seed.rows.write_json()]) for seed in project.seeds},
        **{model.key: digest([model.sha256, repr(model.header)]) for model in project.models},
    }


def _removed_fingerprint(home: Home) -> str:
    return digest([landing.redactions_and_tombstones(home.all_workspaces).write_json()])


def includes_removals(home: Home) -> bool:
    """Whether the current warehouse was built after all that was erased or redacted; True if nothing ever was."""
    if not landing.redactions_and_tombstones(home.all_workspaces).height:
        return True
    with suppress(duckdb.Error), connect(home.warehouse) as connection:
        sql = f"select mark from {BUILD_INPUTS.key} where name = ?"
        return connection.execute(sql, [REMOVED]).fetchall() == [(_removed_fingerprint(home),)]
    return False


def _table_fingerprints(home: Home, table: Table) -> Iterator[tuple[str, str]]:
    """The fingerprint of a table; if it has days, that of each day, and one of the table that never changes."""
    name = f"lake.{table.name}"
    if not table.is_daily:
        files = sorted(home.table(table).rglob("*.parquet"))
        yield name, digest(f"{file.name} {file_sha256(file)}" for file in files)
        return
    yield name, "by day"
    for day in lake.days(home, table):
        files = lake.day_files(home, table, day)
        if files:
            yield f"{name}/{day}", digest_files(files)


def write_state(
    connection: duckdb.DuckDBPyConnection, inputs: Mapping[str, str], models: Iterable[ModelState], mtime: int
) -> None:
    """Write ``seeds.build_inputs``; the caller sets the file's time of modification to ``mtime`` (seconds)."""
    n_rows = {model.key: str(model.n_rows) for model in models if model.n_rows is not None}
    rows: list[dict[str, str | None]] = [
        {"name": name, "mark": value, "n_rows": n_rows.get(name)} for name, value in sorted(inputs.items())
    ]
    rows.append({"name": FILE_MTIME, "mark": str(mtime), "n_rows": None})
    BUILD_INPUTS.load(connection, BUILD_INPUTS.frame(rows))


def read_state(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> Baseline:
    """The state stored in the warehouse, which is attached; empty if it was written to since or has many free blocks.

    Raises:
        duckdb.Error, KeyError: it is damaged, or older than the state table.
    """
    used_blocks, free_blocks = connection.execute(
        f"select used_blocks, free_blocks from pragma_database_size() where database_name = '{BASELINE_DATABASE}'"
    ).fetchall()[0]
    rows = connection.execute(f"select name, mark, n_rows from {BASELINE_DATABASE}.{BUILD_INPUTS.key}").fetchall()
    inputs = {name: value for name, value, _ in rows}
    mtime_ns = int(inputs.pop(FILE_MTIME)) * MTIME_RESOLUTION
    if free_blocks > MAX_FREE_BLOCK_SHARE * used_blocks or mtime_ns != warehouse.stat().st_mtime_ns:
        return EMPTY_BASELINE
    types: dict[str, dict[str, str]] = {}
    for key, column, data_type in connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        f"where database_name = '{BASELINE_DATABASE}' order by column_index"
    ).fetchall():
        types.setdefault(key, {})[column] = data_type
    models = {
        name: ModelState(name, None if n_rows is None else int(n_rows), 0.0, types[name], is_reused=True)
        for name, _, n_rows in rows
        if name.partition(".")[0] in SCHEMAS
    }
    return Baseline(inputs, models)
