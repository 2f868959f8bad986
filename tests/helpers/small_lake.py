"""A lake of two workspaces: a table with every day, one with days missing, empty ones, one whose column came later."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from warehouse.schema.conversations import CONVERSATIONS, TAGS
from warehouse.schema.operations import AGENTS, QUARANTINE
from warehouse.schema.transcript import TURNS
from warehouse.schema.types import Table
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home

AT = datetime(2026, 11, 2, 3, 4, 5, 678901, tzinfo=UTC)
DAYS = (date(1970, 1, 1), date(2026, 11, 1), date(2026, 11, 2))
"""The first is the day of the schema files."""
WORKSPACES = ("main", "second")
LATE_COLUMNS = ("message", "extra")


def _turn(workspace: str, day: date, index: int) -> dict[str, Any]:
    row = {"conversation_id": f"conv_{workspace}_{day}", "start_date": day, "turn_index": index, "role": "user"}
    return row | {"message": f"»{index}«\n, 'ça'", "extra": '{"a": null}' if index else None}


def _conversation(workspace: str, day: date) -> dict[str, Any]:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(microseconds=1)
    row = {"conversation_id": f"conv_{workspace}_{day}", "start_date": day, "start_time_at": at, "status": "done"}
    return row | {"agent_id": "agent", "call_duration_secs": 1, "fetched_at": at, "is_deleted": False}


def fill(home: Home) -> None:
    """Write the tables; the second workspace has no turns on the second day, and only one day has tags."""
    lake.ensure_schema_files(home)
    for name in WORKSPACES:
        workspace = home.for_workspace(name)
        for day in DAYS:
            _write_day(workspace, CONVERSATIONS, day, [_conversation(name, day)])
            if (name, day) != (WORKSPACES[1], DAYS[1]):
                _write_day(workspace, TURNS, day, [_turn(name, day, index) for index in range(3)])
        tag = {"conversation_id": f"conv_{name}_{DAYS[2]}", "start_date": DAYS[2]}
        _write_day(workspace, TAGS, DAYS[2], [tag | {"tag_index": 0, "tag_id": "vip"}])
        row = {"conversation_id": f"bad_{name}", "fetched_at": AT, "reason": "unreadable", "error": "cut"}
        lake.overwrite_table(workspace, QUARANTINE, parquet.frame(QUARANTINE, [row]))
        row = {"agent_id": "agent", "first_call_at": AT, "last_call_at": AT}
        lake.overwrite_table(workspace, AGENTS, parquet.frame(AGENTS, [row]))


def _write_day(home: Home, table: Table, day: date, rows: list[dict[str, Any]]) -> None:
    lake.overwrite_partition(home, table, day, parquet.frame(table, rows))


def drop_columns(home: Home, table: Table, *names: str) -> None:
    """Rewrite the files of a workspace as if some columns had been declared later."""
    for file in home.files(home.table(table), lake.DAY_FOLDERS if table.is_daily else ""):
        pl.read_parquet(file, glob=False).drop(names).write_parquet(file)
