"""One fixture: hand-made rows of the lake in, whole rows of one model out."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from itertools import count
from typing import Any

import duckdb
import pytest

from pipelines.transform.agents import refresh_agents
from pipelines.transform.flatten import Snapshot, flatten
from tests.helpers.case_engine import CaseEngine, case_engine
from tests.helpers.few_models import SLOW_OPTIMIZERS
from tests.helpers.shared_build import SharedBuild, renamed
from warehouse.build import materialize
from warehouse.connection import Limits, connect, lake_files_sql, read_parquet_sql
from warehouse.models.build_tables import (
    AGENT_NAMES,
    METRIC_HEADERS,
    WORKSPACES,
    agent_name_rows,
    metric_header_rows,
    workspace_rows,
)
from warehouse.models.column_types import column_types
from warehouse.models.project import SQL_DIR, Project, read_project
from warehouse.models.seeds import Seed, read_seeds
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import BY_NAME, TABLES
from warehouse.schema.types import Table, Type
from warehouse.storage import lake, parquet
from warehouse.storage.home import DEFAULT_WORKSPACE, Home

DAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)

Row = dict[str, Any]

WAREHOUSE_TESTS = frozenset({
    "test_agreements.py",
    "test_batched_builds.py",
    "test_built_warehouse.py",
    "test_partial_builds.py",
})  # fmt: skip
"""Files in which ``rows`` become a warehouse."""


FIXTURES_OF_ROWS = frozenset({"rows", "new_rows", "shared_build", "project", "engine", "tmp_path_factory", "request"})
"""What a test may need and still share a build."""


class LakeRows:
    """Rows of the lake, all of call c1 on 2 November 2026 unless they say otherwise."""

    day, noon = DAY, NOON

    def __init__(self, home: Home, project: Project, engine: CaseEngine | None = None) -> None:
        self.home, self.project, self.engine = home, project, engine
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self.wholes: dict[str, list[Row]] = defaultdict(list)
        self.zones: dict[str, str] = {}
        self.seeds: dict[str, str] = {}
        """Files by the name of a seed, in place of ours."""
        self.shared: SharedBuild | None = None
        self._built: dict[str, list[Row]] = {}

    def add(self, table: str, **row: object) -> None:
        of_whole = {"scope_index": -1} if "scope_index" in BY_NAME[table].key else {}
        key = {"workspace": DEFAULT_WORKSPACE, "conversation_id": "c1", "start_date": DAY}
        self.rows[table].append(key | of_whole | row)

    def zone(self, time_zone: str, workspace: str = "main") -> None:
        """The time zone of a workspace; UTC when nothing is said."""
        self.zones[workspace] = time_zone

    def seed(self, name: str, *lines: str) -> None:
        """The rows of a seed, each a line of CSV, in place of ours."""
        (ours,) = (seed for seed in self.project.seeds if seed.name == name)
        self.seeds[name] = "\n".join([",".join(ours.header.types), *lines, ""])

    def whole(self, table: str, **row: object) -> None:
        """A row of a table without days; counts that are not given are 0."""
        zeros = {column.name: 0 for column in BY_NAME[table].columns if column.required and column.type is Type.INT}
        self.wholes[table].append({"workspace": DEFAULT_WORKSPACE} | zeros | row)

    def call(self, conversation_id: str = "c1", **row: object) -> None:
        """A done call of agent a1, of which nothing more is known."""
        defaults = {
            "agent_id": "a1",
            "status": "done",
            "start_time_at": NOON,
            "fetched_at": NOON,
            "is_deleted": False,
            "conversation_id": conversation_id,
        }
        checks = {"checked_at": NOON, "content_sha256": "00", "parser_version": 1, "settle_state": "settled"}
        values = defaults | checks | row
        values = {"workspace": DEFAULT_WORKSPACE} | values
        keys = {name: values[name] for name in ("workspace", "conversation_id", "start_date") if name in values}
        values |= self._derived(values)
        self.add("conversations", **{name: value for name, value in values.items() if name not in checks})
        self.add("conversation_checks", **(keys | {name: values[name] for name in checks}))

    def verdicts(self, n_success: int, n_failure: int, n_unknown: int = 0, **row: object) -> None:
        """So many calls of each verdict, alike otherwise."""
        for verdict, n in (("success", n_success), ("failure", n_failure), ("unknown", n_unknown)):
            for _ in range(n):
                number = len(self.rows["conversations"])
                self.call(f"c{number:04}", analysis_call_successful=verdict, **row)

    def document(self, document: dict[str, Any]) -> None:
        """The rows of a document, as the flattening makes them."""
        snapshot = Snapshot(document["conversation_id"], json.dumps(document).encode(), NOON)
        flattened = flatten([snapshot])
        assert flattened.errors == {}
        for table, frame in flattened.frames.items():
            self.rows[table] += [
                {"workspace": DEFAULT_WORKSPACE} | {name: value for name, value in row.items() if value is not None}
                for row in frame.to_dicts()
            ]

    @staticmethod
    def _derived(values: Row) -> Row:
        """The other party and the direction, which the flattening reads from the columns of the channel."""
        others = ("phone_call_external_number", "whatsapp_whatsapp_user_id", "sms_sms_user_phone_number")
        directions = ("phone_call_direction", "whatsapp_direction", "sms_direction")
        sources_by_name = {"caller_id": others, "direction": directions}
        return {
            name: next((values[source] for source in sources if values.get(source)), None)
            for name, sources in sources_by_name.items()
            if name not in values
        }

    def tokens(self, scope: str, turn_index: int, kind: str, price_usd: float | None, *, tokens: int = 1) -> None:
        """Usage of model m: tokens of a kind and their price."""
        key = {"scope": scope, "turn_index": turn_index, "model": "m", "token_kind": kind}
        self.add("llm_usage", **(key | {"tokens": tokens, "price_usd": price_usd}))

    def write(self) -> Home:
        """The rows as files of their workspaces, and the agents that follow from them."""
        lake.ensure_schema_files(self.home.open())
        self._write_seeds()
        every = [row for rows in (*self.rows.values(), *self.wholes.values()) for row in rows]
        for workspace in {row.get("workspace", DEFAULT_WORKSPACE) for row in every}:
            self._write(self.home.for_workspace(workspace))
        return self.home

    def _write_seeds(self) -> None:
        for name, text in self.seeds.items():
            self.home.open().seeds.mkdir(exist_ok=True)
            (self.home.seeds / f"{name}.csv").write_text(text, encoding="utf-8")

    def _write(self, home: Home) -> None:
        for name, rows in self.rows.items():
            workspace_rows = [row for row in rows if row.get("workspace", DEFAULT_WORKSPACE) == home.workspace]
            for day in {row["start_date"] for row in workspace_rows}:
                frame = parquet.frame(BY_NAME[name], [row for row in workspace_rows if row["start_date"] == day])
                lake.overwrite_partition(home, BY_NAME[name], day, frame)
        for name, rows in self.wholes.items():
            workspace_rows = [row for row in rows if row.get("workspace", DEFAULT_WORKSPACE) == home.workspace]
            lake.overwrite_table(home, BY_NAME[name], parquet.frame(BY_NAME[name], workspace_rows))
        refresh_agents(home)

    @property
    def seed_key(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(self.seeds.items()))

    def has_workspaces(self, key: str) -> bool:
        return "workspace" in self.project.by_key[key].header.columns

    def is_same(self, other: LakeRows) -> bool:
        """Whether models come out the same."""
        names = ("project", "rows", "wholes", "zones", "seeds")
        return all(getattr(self, name) == getattr(other, name) for name in names)

    def add_case(self, case: LakeRows, prefix: str) -> None:
        """Add all rows of another lake, in workspaces and conversations whose names begin with ``prefix``."""
        for mine, others in ((self.rows, case.rows), (self.wholes, case.wholes)):
            for table, rows in others.items():
                mine[table] += [renamed(row, prefix) for row in rows]
        self.zones |= {f"{prefix}{workspace}": zone for workspace, zone in case.zones.items()}
        self.seeds = case.seeds

    def model(self, key: str, *columns: str) -> list[Row]:
        """Rows of the model by its grain, on the engine of the test run; of some columns, or of all."""
        rows = self._built[key] if key in self._built else self.models(key)[key]
        return [{name: row[name] for name in columns} for row in rows] if columns else rows

    def values(self, key: str, *columns: str) -> list[tuple[Any, ...]]:
        """As ``model``, each row as a tuple of the columns in this order."""
        return [tuple(row.values()) for row in self.model(key, *columns)]

    def build(self, *keys: str) -> None:
        """Build models at once, from all rows that there are: ``model`` reads them."""
        self._built = self.models(*keys)

    def models(self, *keys: str) -> dict[str, list[Row]]:
        """As ``model``, of several models that are built at once."""
        if self.shared and (results := self.shared.models(self, *keys)):
            return results
        if self.engine is not None:
            return {key: self._model_on_engine(self.engine, key) for key in keys}
        with connect(limits=Limits(threads=1)) as connection:
            self.materialize(connection, *keys)
            return {
                key: connection.table(key).order(", ".join(self.project.by_key[key].header.grain)).pl().to_dicts()
                for key in keys
            }

    def _model_on_engine(self, engine: CaseEngine, key: str) -> list[Row]:
        """As ``model``."""
        home, project = self.write(), self._upstream(key)
        inputs = {f"lake.{table.name}": lake.read(home.all_workspaces, table) for table in self._tables(project, key)}
        inputs |= {seed.key: seed.rows for seed in project.seeds}
        inputs[METRIC_HEADERS.key] = metric_header_rows((model.key, model.header) for model in project.models)
        inputs[WORKSPACES.key] = workspace_rows(self.zones)
        inputs[AGENT_NAMES.key] = agent_name_rows(home)
        types = types_of_project() if self.project == read_project() else column_types(self.project)
        # as polars reads them from DuckDB: a null sorts last
        rows = engine.rows(project, types, key, inputs)
        return rows.sort(self.project.by_key[key].header.grain, nulls_last=True).to_dicts()

    def _upstream(self, *keys: str) -> Project:
        """The models and the seeds that they read, those of ``seed`` as they are written."""
        project = self.project.upstream(*keys)
        reads = self._reads(project, *keys)
        seeds = {seed.name: seed for seed in (*project.seeds, *self._written_seeds())}
        return replace(project, seeds=tuple(seed for seed in seeds.values() if seed.key in reads))

    def _written_seeds(self) -> tuple[Seed, ...]:
        """The seeds of ``seed``, read beside their own headers only: the other seeds are as they were."""
        if not self.seeds:
            return ()
        self._write_seeds()
        ours = self.home.root.parent / "replaced_seeds"
        ours.mkdir(exist_ok=True)
        for name in self.seeds:
            for suffix in (".csv", ".toml"):
                shutil.copy(SQL_DIR / "seeds" / f"{name}{suffix}", ours)
        return read_seeds(ours, self.home.seeds)

    @staticmethod
    def _reads(project: Project, *keys: str) -> set[str]:
        return {*keys, *(relation for model in project.models for relation in model.reads)}

    @classmethod
    def _tables(cls, project: Project, *keys: str) -> list[Table]:
        """The tables of the lake that these models read."""
        reads = cls._reads(project, *keys) | {f"lake.{CONVERSATIONS.name}"}
        return [table for table in TABLES if f"lake.{table.name}" in reads]

    def materialize(self, connection: duckdb.DuckDBPyConnection, *keys: str) -> None:
        """Create the models and all that they need: no other table of the lake."""
        project = self._upstream(*keys)
        tables = self._tables(project, *keys)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(materialize, "TABLES", tables)
            patch.setattr(lake, "TABLES", tables)
            patch.setattr(materialize, "_create_lake_view", create_lake_table)
            connection.execute(f"set disabled_optimizers = '{','.join(SLOW_OPTIMIZERS)}'")
            materialize.materialize(connection, self.write(), project, zones=self.zones)
            connection.execute("reset disabled_optimizers")


def create_lake_table(connection: duckdb.DuckDBPyConnection, home: Home, table: Table) -> None:
    """A table in place of the view: each model that reads a view opens its files again."""
    select = read_parquet_sql(table.column_names, [lake_files_sql(home, table)])
    connection.execute(f"create or replace table lake.{table.name} as {select}")


@pytest.fixture(scope="session")
def project() -> Project:
    return read_project()


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[CaseEngine | None]:
    """The engine of ``--engine``; None for DuckDB, on which the models are built as a home's warehouse is."""
    name = request.config.getoption("--engine")
    if name == "duckdb":
        yield None
        return
    with case_engine(name) as engine:
        yield engine


@cache
def types_of_project() -> dict[str, dict[str, str]]:
    return column_types(read_project())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test whose hand-made ``rows`` go through a model is one of every engine: ``--engine sail -m every_engine``.

    Others build a warehouse of their own from such rows, or several, which DuckDB alone can do.
    """
    for item in items:
        is_of_rows = "rows" in getattr(item, "fixturenames", ())
        if is_of_rows and item.path.name not in WAREHOUSE_TESTS:
            item.add_marker("every_engine")


@pytest.fixture(scope="module")
def new_rows(
    tmp_path_factory: pytest.TempPathFactory, project: Project, engine: CaseEngine | None
) -> Callable[[], LakeRows]:
    """A lake without rows in a home of its own, which exists once it is written."""
    folder, numbers = tmp_path_factory.mktemp("homes"), count()
    return lambda: LakeRows(Home(folder / str(next(numbers)) / "home"), project, engine)


@pytest.fixture(scope="module")
def shared_build(request: pytest.FixtureRequest, new_rows: Callable[[], LakeRows]) -> SharedBuild:
    items = [item for item in request.session.items if item.path == request.path]
    return SharedBuild(items, FIXTURES_OF_ROWS, new_rows)


@pytest.fixture
def rows(new_rows: Callable[[], LakeRows], shared_build: SharedBuild) -> LakeRows:
    """Hand-made rows of a lake; tests of a file whose seeds are the same share a build of their models."""
    rows = new_rows()
    rows.shared = shared_build
    return rows
