"""The account of each run: one row of ``sync_runs``, written when the run begins and again after each of its steps.

A run that is killed leaves a row that says so: its outcome is "incomplete" until the last step ends it. The account is
kept with the landing, since nothing else knows it, and shown in the lake.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipelines.sync.settle import REASONS
from pipelines.sync.window import Window
from warehouse import lake
from warehouse.columns import Type
from warehouse.home import Home
from warehouse.tables import SYNC_RUNS

UNFINISHED = "the run did not reach its end"


def begin(home: Home, run_id: str, *, at: datetime, window: Window | None) -> None:
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


def add(home: Home, run_id: str, *, at: datetime, **counts: int) -> None:
    """Add a step's counts to the run's row."""
    before = row(home, run_id)
    _write(home, before | {name: before[name] + count for name, count in counts.items()} | _until(before, at))


def end(home: Home, run_id: str, *, at: datetime, outcome: str, error: str | None = None) -> None:
    """Close the account: ``outcome`` is complete, incomplete or failed."""
    before = row(home, run_id)
    _write(home, before | {"outcome": outcome, "error": error} | _until(before, at))


def is_begun(home: Home, run_id: str) -> bool:
    """Whether the run has an account."""
    return run_id in lake.read(home, SYNC_RUNS, ["run_id"])["run_id"]


def window(home: Home, run_id: str) -> Window | None:
    """The window that the run listed; None where it listed none."""
    run = row(home, run_id)
    return Window(run["since_at"], run["until_at"], run["agent_id"]) if run["until_at"] else None


def n_unread(home: Home, run_id: str) -> int:
    """Conversations that the run wanted to read and could not."""
    run = row(home, run_id)
    return sum(int(run[f"n_{reason}"]) for reason in REASONS) - int(run["n_fetched"])


def _until(row: dict[str, Any], at: datetime) -> dict[str, object]:
    return {"ended_at": at, "elapsed_secs": (at - row["started_at"]).total_seconds()}


def row(home: Home, run_id: str) -> dict[str, Any]:
    """The run's row as it stands."""
    return lake.read_files(SYNC_RUNS, [home.runs / f"{run_id}.parquet"]).row(0, named=True)


def refresh(home: Home) -> None:
    """Show every account in the lake again, after the lake was deleted."""
    for file in home.runs.glob("*.parquet"):
        if not (home.table(SYNC_RUNS) / file.name).exists():
            lake.append_whole(home, SYNC_RUNS, lake.read_files(SYNC_RUNS, [file]), file.stem)


def _write(home: Home, row: dict[str, object]) -> None:
    account = lake.frame(SYNC_RUNS, [row])
    lake.write_file(home, home.runs / f"{row['run_id']}.parquet", account)
    lake.append_whole(home, SYNC_RUNS, account, str(row["run_id"]))
