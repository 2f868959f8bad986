"""One fixture: hand-made rows of the lake in, whole rows of one model out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.transform.agents import refresh_agents
from pipelines.transform.flatten import Snapshot, flatten
from tests.helpers.small_builds import without_comments
from warehouse.build import materialize
from warehouse.connection import Limits, connect
from warehouse.models.project import SQL_DIR, Project, read_project
from warehouse.models.seeds import read_seeds
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import BY_NAME, TABLES
from warehouse.schema.types import Type
from warehouse.storage import lake, parquet
from warehouse.storage.home import DEFAULT_WORKSPACE, Home

DAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)

Row = dict[str, Any]


class LakeRows:
    """Rows of the lake, all of call c1 on 2 November 2026 unless they say otherwise."""

    day, noon = DAY, NOON

    def __init__(self, home: Home, project: Project) -> None:
        self.home, self.project = home, project
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self.wholes: dict[str, list[Row]] = defaultdict(list)
        self.zones: dict[str, str] = {}

    def add(self, table: str, **row: object) -> None:
        of_whole = {"scope_index": -1} if "scope_index" in BY_NAME[table].key else {}
        self.rows[table].append({"conversation_id": "c1", "start_date": DAY} | of_whole | row)

    def zone(self, time_zone: str, workspace: str = "main") -> None:
        """The time zone of a workspace; UTC when nothing is said."""
        self.zones[workspace] = time_zone

    def seed(self, name: str, *lines: str) -> None:
        """The rows of a seed, each a line of CSV, in place of ours."""
        (ours,) = (seed for seed in self.project.seeds if seed.name == name)
        self.home.seeds.mkdir(exist_ok=True)
        text = "\n".join([",".join(ours.header.types), *lines])
        (self.home.seeds / f"{name}.csv").write_text(f"{text}\n", encoding="utf-8")

    def whole(self, table: str, **row: object) -> None:
        """A row of a table without days; counts that are not given are 0."""
        zeros = {column.name: 0 for column in BY_NAME[table].columns if column.required and column.type is Type.INT}
        self.wholes[table].append(zeros | row)

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
        keys = {name: values[name] for name in ("workspace", "conversation_id", "start_date") if name in values}
        values |= self._derived(values)
        self.add("conversations", **{name: value for name, value in values.items() if name not in checks})
        self.add("conversation_checks", **(keys | {name: values[name] for name in checks}))

    def document(self, document: dict[str, Any]) -> None:
        """The rows of a document, as the flattening makes them."""
        snapshot = Snapshot(document["conversation_id"], json.dumps(document).encode(), NOON)
        flattened = flatten([snapshot])
        assert flattened.errors == {}
        for table, frame in flattened.frames.items():
            self.rows[table] += [
                {name: value for name, value in row.items() if value is not None} for row in frame.to_dicts()
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
        lake.ensure_schema_files(self.home)
        every = [row for rows in (*self.rows.values(), *self.wholes.values()) for row in rows]
        for workspace in {row.get("workspace", DEFAULT_WORKSPACE) for row in every}:
            self._write(self.home.for_workspace(workspace))
        return self.home

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

    def model(self, key: str, *columns: str) -> list[Row]:
        """Rows of the model by its grain; of some columns, or of all."""
        grain = ", ".join(self.project.by_key[key].header.grain)
        with connect(limits=Limits(threads=1)) as connection:
            self.materialize(connection, key)
            relation = connection.table(key).order(grain)
            actual: list[Row] = relation.project(", ".join(columns) or "*").pl().to_dicts()
        return actual

    def materialize(self, connection: duckdb.DuckDBPyConnection, *keys: str) -> None:
        """Create the models and all that they need: no other table of the lake, and no comments."""
        project = replace(self.project.upstream(*keys), seeds=read_seeds(SQL_DIR / "seeds", self.home.seeds))
        reads = {*keys, f"lake.{CONVERSATIONS.name}", *(read for model in project.models for read in model.reads)}
        tables = [table for table in TABLES if f"lake.{table.name}" in reads]
        with without_comments(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(materialize, "TABLES", tables)
            patch.setattr(lake, "TABLES", tables)
            materialize.materialize(connection, self.write(), project, zones=self.zones)


@pytest.fixture(autouse=True)
def _no_comments_on_the_lake() -> Iterator[None]:
    """Not in what a module builds once: there the test of all descriptions looks."""
    with without_comments("lake."):
        yield


@pytest.fixture(scope="session")
def project() -> Project:
    return read_project()


@pytest.fixture
def rows(tmp_path: Path, project: Project) -> LakeRows:
    return LakeRows(Home(tmp_path / "home").open(), project)
