"""A model that is built in batches of days has the same rows as one that is built at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from tests.sql.conftest import LakeRows
from warehouse.build.incremental import CONVERSATIONS_PER_BATCH
from warehouse.build.materialize import materialize
from warehouse.connection import connect
from warehouse.errors import ModelError
from warehouse.models.project import Model, Project, read_project
from warehouse.storage.home import Home

pytestmark = pytest.mark.whole_build

DAYS = [date(2026, 11, day) for day in (1, 2, 3, 7)]
Rows = dict[str, list[tuple[object, ...]]]

LISTED = """/*
description = "Turns with columns of other tables of their conversations."
grain = ["conversation_id", "turn_index"]
batch_by = "start_date"

[columns]
conversation_id = "Call."
turn_index = "Turn."
n_deletions = "Whether the call was deleted."
n_agents = "Agents that there are."
*/
with turns as (select * from staging.stg_turns), deletions as (select * from staging.stg_deletions),
agents as (select * from staging.stg_agents), n as (select count(*) as n_agents from agents),
final as (
    select coalesce(turns.conversation_id, deletions.conversation_id) as conversation_id, turns.turn_index,
        (deletions.conversation_id is not null)::int as n_deletions, n.n_agents
    from turns full join deletions on turns.conversation_id = deletions.conversation_id cross join n
)
select * from final
"""


def batched(model: Model) -> Model:
    return replace(
        model,
        header=msgspec.structs.replace(
            model.header, batch_by="start_date" if model.is_conversation_local and not model.is_view else None
        ),
    )


def build_models(home: Home, project: Project, batch_size: int) -> Rows:
    """Rows of the models with batch_by, with the types of their columns."""
    with connect() as connection:
        connection.execute("attach ':memory:' as warehouse")
        connection.execute("use warehouse")
        materialize(connection, home, project, batch_size=batch_size)
        found = {
            model.key: [*connection.execute(f"describe {model.key}").fetchall(), *sorted(rows, key=repr)]
            for model in project.models
            if model.header.batch_by
            for rows in [connection.table(model.key).fetchall()]
        }
        assert connection.execute(
            "select count(*) from duckdb_databases() where database_name like 'batch%'"
        ).fetchall() == [(0,)]
    return found


@pytest.fixture
def rows(tmp_path: Path, project: Project) -> LakeRows:
    """Rows in a home whose path means something in SQL and in a pattern of files."""
    return LakeRows(Home(tmp_path / "a home [1]'s").open(), project)


@pytest.fixture
def lake_of_four_days(rows: LakeRows) -> Home:
    """Three conversations per day; a deletion and, though a lake never has them, turns without a conversation."""
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


@pytest.mark.parametrize("batch_size", [1, 4, 7])
def test_every_local_model_has_the_same_rows(lake_of_four_days: Home, project: Project, batch_size: int) -> None:
    every = replace(project, models=tuple(map(batched, project.models)))
    at_once = build_models(lake_of_four_days, every, CONVERSATIONS_PER_BATCH)
    assert {key for key, rows in at_once.items() if len(rows) > len(project.by_key[key].header.columns)} >= {
        "marts.fct_turns",
        "marts.fct_llm_usage",
        "marts.fct_tool_calls",
        "marts.fct_evaluations",
        "marts.fct_turn_latency",
        "marts.fct_conversations",
    }
    assert build_models(lake_of_four_days, every, batch_size) == at_once


def test_rows_without_a_conversation_are_not_left_out(
    lake_of_four_days: Home, read_listed: Callable[[str], Project]
) -> None:
    listed = read_listed(LISTED)
    (rows,) = build_models(lake_of_four_days, listed, 3).values()
    without_conversation = {row for row in rows if row[0] in ("c10", "gone", "nobody")}
    assert without_conversation == {("c10", 0, 1, 1), ("c10", 1, 1, 1), ("gone", None, 1, 1), ("nobody", 0, 0, 1)}
    assert [rows] == list(build_models(lake_of_four_days, listed, CONVERSATIONS_PER_BATCH).values())


def test_a_model_that_is_not_local_is_refused_by_file_and_line(read_listed: Callable[[str], Project]) -> None:
    with pytest.raises(ModelError) as raised:
        read_listed(LISTED.replace("on turns.conversation_id = deletions.conversation_id", "on true"))
    assert "listed.sql:4: marts.listed is not a table that is local to a conversation." in raised.value.message


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
