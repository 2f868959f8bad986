"""A hash of the rows of every table of a warehouse, to compare two versions of the code on the same conversations.

``tests/contract/table_hashes.json`` has those of the version before. After a change that is meant to change rows, and
that CHANGELOG.md describes, ``python -m tests.helpers.table_hashes`` writes them again.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from warehouse.connection import open_warehouse
from warehouse.storage.home import Home

HASHES = Path(__file__).parents[1] / "contract" / "table_hashes.json"
UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
DAYS = 10
OFFICE = "+1555011067"
"""Phone numbers that do not count begin like this."""

SCHEMAS = ("lake", "staging", "marts", "metrics")
"""Schemas that users query."""

MEASURED = ("elapsed_secs", "n_requests", "n_retries", "n_throttled")
"""Columns of a run's own measurements, which differ from run to run."""

CATALOG = "metrics.catalog"
"""Left out: its rows are the headers of ``sql/``, which change with every new metric and every better text."""

BOOKKEEPING = ("checked_at", "content_sha256", "parser_version", "settle_state")
"""Columns about the copy of a conversation, not about the conversation."""


def world() -> World:
    """The conversations of the emulated API."""
    return World(seed=23, conversations=500, days=DAYS, until=UNTIL)


def sync_world(root: Path, conversations: World) -> Home:
    """A new home in the folder ``root`` with the lake and every model of these conversations."""
    seeds = root / "seeds"
    seeds.mkdir(parents=True)
    (seeds / "excluded_callers.csv").write_text(f"kind,pattern,reason\ncaller_id,{OFFICE}%,our office\n")
    with running(create_app(conversations, clock=lambda: UNTIL)) as base_url:
        settings = Settings(home=root, base_url=base_url, api_key="demo")
        context = Context(settings, clock=lambda: UNTIL + timedelta(hours=2))
        outcome = sync.sync(context, run_id="run", since=UNTIL - timedelta(days=DAYS))
    assert outcome.problems == ()
    return context.home


def columns_by_table(home: Home) -> dict[str, list[str]]:
    """The compared columns of every table of the schemas, in their order."""
    with open_warehouse(home) as connection:
        rows = connection.execute(
            "select table_schema || '.' || table_name, list(column_name order by ordinal_position) "
            "from information_schema.columns where table_schema in $schemas and table_catalog = current_catalog() "
            "group by all order by all",
            {"schemas": list(SCHEMAS)},
        ).fetchall()
    skipped = {*MEASURED, *BOOKKEEPING}
    return {
        table: [column for column in columns if column not in skipped] for table, columns in rows if table != CATALOG
    }


def table_hashes(home: Home, columns: dict[str, list[str]]) -> dict[str, dict[str, Any]]:
    """For each table: its number of rows, and a hash of these columns of its rows in any order."""
    hashes = {}
    with open_warehouse(home) as connection:
        for table, names in columns.items():
            selected = ", ".join(f'"{name}"' for name in names)
            rows = connection.execute(f"select {selected} from {table}").fetchall()  # noqa: S608 - names of ours
            texts = sorted(repr(tuple(map(_rounded, row))) for row in rows)
            digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
            hashes[table] = {"n_rows": len(rows), "hash": digest, "columns": names}
    return hashes


def _rounded(value: Any) -> Any:
    """A value without the last digits of a float, which depend on the order of a sum."""
    return f"{value:.9g}" if isinstance(value, float) else value


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        home = sync_world(Path(folder) / "home", world())
        hashes = table_hashes(home, columns_by_table(home))
        lines = (f"{json.dumps(table)}: {json.dumps(entry)}" for table, entry in hashes.items())
        HASHES.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
