"""Every model that says it is incremental has the same rows whether it is built day by day or at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from pipelines.emulator.generator.world import World
from pipelines.transform.agents import refresh_agents
from pipelines.transform.flatten import Snapshot, flatten
from tests.sql.conftest import LakeRows
from warehouse.build.materialize import materialize
from warehouse.connection import connect
from warehouse.errors import ModelError
from warehouse.models.project import DAY, Model, Project, read_project
from warehouse.schema.registry import BY_NAME
from warehouse.storage import lake
from warehouse.storage.home import Home

pytestmark = pytest.mark.whole_build

DAYS = [date(2026, 11, day) for day in (1, 2, 3, 7)]
UNTIL = datetime(2026, 11, 20, tzinfo=UTC)
Rows = dict[str, list[tuple[object, ...]]]

LISTED = """/*
description = "Turns with columns of other tables of their conversations."
grain = ["conversation_id", "turn_index"]
incremental_by = "start_date"

[columns]
conversation_id = "Call."
start_date = "Day."
turn_index = "Turn."
n_deletions = "Whether the call was deleted."
n_agents = "Agents that there are."
*/
with turns as (select * from staging.stg_turns), deletions as (select * from staging.stg_deletions),
agents as (select * from staging.stg_agents), n as (select count(*) as n_agents from agents),
final as (
    select coalesce(turns.conversation_id, deletions.conversation_id) as conversation_id,
        coalesce(turns.start_date, deletions.start_date) as start_date, turns.turn_index,
        (deletions.conversation_id is not null)::int as n_deletions, n.n_agents
    from turns full join deletions on turns.conversation_id = deletions.conversation_id cross join n
)
select * from final
"""
AT_ONCE = 1_000_000


def incremental(model: Model) -> Model:
    return replace(model, header=msgspec.structs.replace(model.header, incremental_by="start_date"))


def build_models(home: Home, project: Project, batch_size: int) -> Rows:
    """Rows of the incremental models, with the types of their columns."""
    with connect() as connection:
        connection.execute("attach ':memory:' as warehouse")
        connection.execute("use warehouse")
        materialize(connection, home, project, batch_size=batch_size)
        rows_by_model = {
            model.key: [*connection.execute(f"describe {model.key}").fetchall(), *sorted(rows, key=repr)]
            for model in project.models
            if model.header.incremental_by
            for rows in [connection.table(model.key).fetchall()]
        }
        assert connection.execute(
            "select count(*) from duckdb_databases() where database_name like 'days%'"
        ).fetchall() == [(0,)]
    return rows_by_model


@pytest.fixture(scope="module", name="incremental_models")
def incremental_models_and_what_they_read(project: Project) -> Project:
    return project.upstream(*(model.key for model in project.models if model.header.incremental_by))


@pytest.fixture(scope="module")
def lake_of_four_days(tmp_path_factory: pytest.TempPathFactory, project: Project) -> Home:
    """Three conversations per day; a deletion and, though a lake never has them, turns without a conversation.

    In a home whose path means something in SQL and in a pattern of files.
    """
    rows = LakeRows(Home(tmp_path_factory.mktemp("four_days") / "a home [1]'s").open(), project)
    for day in DAYS:
        noon = datetime.combine(day, datetime.min.time(), UTC).replace(hour=12)
        for number in range(3):
            conversation_id = f"c{day.day}{number}"
            of = {"conversation_id": conversation_id, "start_date": day}
            rows.call(**of, start_time_at=noon, call_duration_secs=number)
            rows.add("turns", **of, turn_index=0, role="user", message=f"Hello {conversation_id}")
            rows.add("turns", **of, turn_index=1, role="agent", message="Hi")
            rows.add(
                "turn_metrics",
                **of,
                turn_index=1,
                metric="convai_ttf_audio_since_silence",
                elapsed_secs=day.day,
                is_repeat=False,
            )
            rows.add("tool_calls", **of, turn_index=1, call_index=0, tool_name="t", type="webhook")
            usage = {"turn_index": 1, "model": "m", "token_kind": "input", "price_usd": 0.5 * number}
            rows.add("llm_usage", **of, scope="turn", **usage)
            rows.add("evaluation_results", **of, criteria_id="polite", result="success")
    rows.add("deletions", conversation_id="c10", start_date=DAYS[0], noticed_at=rows.noon)
    rows.add("deletions", conversation_id="gone", start_date=DAYS[0], noticed_at=rows.noon)
    rows.add("turns", conversation_id="nobody", start_date=date(2026, 11, 5), turn_index=0, role="user")
    return rows.write()


@pytest.fixture(scope="module")
def rows_at_once(lake_of_four_days: Home, incremental_models: Project) -> Rows:
    return build_models(lake_of_four_days, incremental_models, AT_ONCE)


@pytest.mark.parametrize("batch_size", [1, 4, 7])
def test_every_incremental_model_has_the_same_rows(
    lake_of_four_days: Home, incremental_models: Project, rows_at_once: Rows, batch_size: int
) -> None:
    assert build_models(lake_of_four_days, incremental_models, batch_size) == rows_at_once


def test_every_incremental_model_has_the_same_rows_over_emulated_conversations(
    tmp_path: Path, incremental_models: Project
) -> None:
    home = Home(tmp_path / "home").open()
    lake.ensure_schema_files(home)
    documents = World(seed=5, conversations=120, days=5, until=UNTIL).details(UNTIL)
    payloads = [(document["conversation_id"], json.dumps(document).encode()) for document in documents]
    for name, frame in flatten(Snapshot(*payload, UNTIL) for payload in payloads).frames.items():
        for (day,), rows in frame.group_by("start_date"):
            lake.overwrite_partition(home, BY_NAME[name], day, rows)
    refresh_agents(home)
    at_once = build_models(home, incremental_models, AT_ONCE)
    columns = {key: list(incremental_models.by_key[key].header.columns) for key in at_once}
    days = {key: {row[columns[key].index(DAY)] for row in rows[len(columns[key]) :]} for key, rows in at_once.items()}
    assert {key: len(of_model) for key, of_model in days.items() if len(of_model) < 3} == {}, "too few to prove it"
    assert rounded(build_models(home, incremental_models, 1)) == rounded(at_once)


def rounded(rows_by_model: Rows) -> Rows:
    """The digits of floats that do not depend on the order of a sum."""
    return {
        key: sorted((tuple(f"{v:.9g}" if isinstance(v, float) else v for v in row) for row in rows), key=repr)
        for key, rows in rows_by_model.items()
    }


def test_these_tests_notice_a_model_that_looks_across_days(lake_of_four_days: Home, project: Project) -> None:
    across = {"metrics.repeat_callers", "metrics.tool_reliability", "marts.dim_dates", "metrics.anomalies"}
    read = project.upstream(*across)
    models = tuple(incremental(model) if model.key in across else model for model in read.models)
    by_day, at_once = (build_models(lake_of_four_days, replace(read, models=models), size) for size in (1, AT_ONCE))
    assert {key for key in at_once if by_day[key] != at_once[key]} >= {"marts.dim_dates", "metrics.anomalies"}


def test_rows_that_only_one_relation_has_are_not_left_out(
    lake_of_four_days: Home, read_listed: Callable[[str], Project]
) -> None:
    listed = read_listed(LISTED)
    (rows,) = build_models(lake_of_four_days, listed, 3).values()
    assert {row for row in rows if row[0] in ("c10", "gone", "nobody")} == {
        ("c10", DAYS[0], 0, 1, 1),
        ("c10", DAYS[0], 1, 1, 1),
        ("gone", DAYS[0], None, 1, 1),
        ("nobody", date(2026, 11, 5), 0, 0, 1),
    }
    assert [rows] == list(build_models(lake_of_four_days, listed, AT_ONCE).values())


def test_a_model_without_days_is_refused_by_file_and_line(read_listed: Callable[[str], Project]) -> None:
    with pytest.raises(ModelError) as raised:
        read_listed(LISTED.replace('start_date = "Day."', 'day = "Day."'))
    assert "listed.sql:4: marts.listed is not a table with a column start_date." in raised.value.message


@pytest.fixture
def read_listed(tmp_path: Path, project: Project) -> Callable[[str], Project]:
    """The project of that model and the staging that it reads."""

    def read(text: str) -> Project:
        for model in project.models:
            if model.key in ("staging.stg_turns", "staging.stg_deletions", "staging.stg_agents"):
                folder = tmp_path / "sql" / model.schema
                folder.mkdir(parents=True, exist_ok=True)
                (folder / model.path.name).write_text(model.path.read_text())
        (tmp_path / "sql" / "marts").mkdir(exist_ok=True)
        (tmp_path / "sql" / "marts" / "listed.sql").write_text(text)
        return read_project(tmp_path / "sql")

    return read
