"""The account of each run: one row of ``sync_runs``, written when the run begins and again after each of its steps.

A run that is killed leaves a row that says so: its outcome is "incomplete" until the last step ends it. The account is
kept with the landing, since nothing else knows it, and shown in the lake.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pipelines.extract.fetch_policy import REASONS
from pipelines.extract.time_window import Window
from warehouse.schema.operations import SYNC_RUNS
from warehouse.schema.types import Type
from warehouse.storage import lake, parquet
from warehouse.storage.home import ANY_WORKSPACE, Home

OUTCOMES = ("complete", "incomplete", "failed")
"""From best to worst."""
UNFINISHED = "the run did not reach its end"


def start_run(home: Home, run_id: str, *, at: datetime, window: Window | None) -> None:
    """Open the account of a run."""
    counts = {column.name: 0 for column in SYNC_RUNS.columns if column.type in {Type.INT, Type.FLOAT}}
    _write(
        home,
        counts
        | {
            "run_id": run_id,
            "started_at": at,
            "ended_at": at,
            "since_at": window.since if window else None,
            "until_at": window.until if window else None,
            "agent_id": window.agent_id if window else None,
            "outcome": "incomplete",
            "error": UNFINISHED,
        },
    )


def add_counts(home: Home, run_id: str, *, at: datetime, **counts: int) -> None:
    """Add a step's counts to the run's row."""
    before = row(home, run_id)
    _write(home, before | {name: before[name] + count for name, count in counts.items()} | _until(before, at))


def finish_run(home: Home, run_id: str, *, at: datetime, outcome: str, error: str | None = None) -> None:
    """Close the account: ``outcome`` is complete, incomplete or failed."""
    before = row(home, run_id)
    _write(home, before | {"outcome": outcome, "error": error} | _until(before, at))


def is_started(home: Home, run_id: str) -> bool:
    """Whether the run has an account."""
    return run_id in lake.read(home, SYNC_RUNS, ["run_id"])["run_id"]


def window(home: Home, run_id: str) -> Window | None:
    """The window that the run listed; None where it listed none."""
    run = row(home, run_id)
    return Window(run["since_at"], run["until_at"], run["agent_id"]) if run["until_at"] else None


def failure_of(home: Home, run_id: str) -> str | None:
    """What ended the run's account as failed; None where it has not failed."""
    run = row(home, run_id)
    return str(run["error"]) if run["outcome"] == "failed" else None


def total(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The rows of a run over several workspaces as one: counts added up, the worst outcome."""
    if len(rows) == 1:
        return rows[0]
    numbers = [column.name for column in SYNC_RUNS.columns if column.type in {Type.INT, Type.FLOAT}]
    ended = max(row["ended_at"] for row in rows)
    started = min(row["started_at"] for row in rows)
    return rows[0] | {
        **{name: sum(row[name] for row in rows) for name in numbers},
        "workspace": ANY_WORKSPACE,
        "started_at": started,
        "ended_at": ended,
        "elapsed_secs": (ended - started).total_seconds(),
        "outcome": max((row["outcome"] for row in rows), key=OUTCOMES.index),
        "error": "; ".join(row["error"] for row in rows if row["error"]) or None,
    }


def n_unread(home: Home, run_id: str) -> int:
    """Conversations that the run wanted to read and could not."""
    run = row(home, run_id)
    return sum(int(run[f"n_{reason}"]) for reason in REASONS) - int(run["n_fetched"])


def _until(row: dict[str, Any], at: datetime) -> dict[str, object]:
    return {"ended_at": at, "elapsed_secs": (at - row["started_at"]).total_seconds()}


def row(home: Home, run_id: str) -> dict[str, Any]:
    """The run's row as it stands."""
    return parquet.read_files(SYNC_RUNS, [home.file(home.runs, run_id)]).row(0, named=True)


def _write(home: Home, row: dict[str, object]) -> None:
    account = parquet.frame(SYNC_RUNS, [row])
    parquet.write_file(home, home.file(home.runs, str(row["run_id"])), account)
    lake.append_file(home, SYNC_RUNS, account, str(row["run_id"]))
