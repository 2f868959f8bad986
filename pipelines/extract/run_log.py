"""The run record: a row of ``sync_runs``, written when the run starts and again after each of its steps.

A killed run leaves a record that says so: its outcome is "incomplete" until the last step finishes it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from errno import ENOENT
from typing import Any

from pipelines.extract.fetch_policy import REASONS
from pipelines.extract.time_window import Window
from warehouse.schema.operations import SYNC_RUNS
from warehouse.schema.types import Type
from warehouse.storage import landing, run_records
from warehouse.storage.freshness import UNFINISHED, listed_until
from warehouse.storage.home import ANY_WORKSPACE, Home

OUTCOMES = ("complete", "incomplete", "failed")
"""From best to worst."""
_NUMBERS = tuple(column.name for column in SYNC_RUNS.columns if column.type in {Type.INT, Type.FLOAT})


def start_run(home: Home, run_id: str, *, at: datetime, window: Window | None) -> None:
    """Write the record of a new run; ``window`` is None for a run that lists nothing."""
    run_records.write(
        home,
        dict.fromkeys(_NUMBERS, 0)
        | {
            "run_id": run_id,
            "started_at": at,
            "ended_at": at,
            "since_at": window.since if window else None,
            "until_at": window.until if window else None,
            "agent_id": window.agent_id if window else None,
            "last_full_listing_at": None,
            "outcome": "incomplete",
            "error": UNFINISHED,
        },
    )


def add_counts(home: Home, run_id: str, *, at: datetime, **counts: int) -> None:
    """Add a step's counts, by column, to the run record."""
    record = row(home, run_id)
    run_records.write(
        home, record | {name: record[name] + count for name, count in counts.items()} | _end_columns(record, at)
    )


def note_listings(home: Home, run_id: str, *, at: datetime) -> None:
    """Note how far the listings go, in the record of a run that has copied all that was listed and is not built yet."""
    run_records.write(home, row(home, run_id) | {"last_full_listing_at": listed_until(landing.listings(home), now=at)})


def finish_run(
    home: Home,
    run_id: str,
    *,
    at: datetime,
    outcome: str,
    error: str | None = None,
    is_fresh: bool = False,
    **counts: int,
) -> None:
    """Set the final ``outcome``, one of ``OUTCOMES``, the error, and counts of the state at the end.

    If it ``is_fresh``, how far the listings go (``note_listings``) stays in it.
    """
    record = row(home, run_id)
    listed_at = record["last_full_listing_at"] if is_fresh else None
    final_columns = {"outcome": outcome, "error": error, "last_full_listing_at": listed_at}
    run_records.write(home, record | final_columns | counts | _end_columns(record, at))


def is_started(home: Home, run_id: str) -> bool:
    """Whether the run has a record; a run of several steps is started by the first."""
    return run_id in run_records.records(home)["run_id"]


def window(home: Home, run_id: str) -> Window | None:
    """The window that the run listed; None where it listed nothing."""
    record = row(home, run_id)
    return Window(record["since_at"], record["until_at"], record["agent_id"]) if record["until_at"] else None


def failure_of(home: Home, run_id: str) -> str | None:
    """The error of a run that failed; None for any other outcome."""
    record = row(home, run_id)
    return str(record["error"]) if record["outcome"] == "failed" else None


def total(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One row for a run over several workspaces: the sum of the counts, the worst outcome, all errors."""
    if len(rows) == 1:
        return rows[0]
    ended_at = max(row["ended_at"] for row in rows)
    started_at = min(row["started_at"] for row in rows)
    return rows[0] | {
        **{name: sum(row[name] for row in rows) for name in _NUMBERS},
        "workspace": ANY_WORKSPACE,
        "started_at": started_at,
        "ended_at": ended_at,
        "elapsed_secs": (ended_at - started_at).total_seconds(),
        "outcome": max((row["outcome"] for row in rows), key=OUTCOMES.index),
        "error": "; ".join(row["error"] for row in rows if row["error"]) or None,
    }


def n_unread(home: Home, run_id: str) -> int:
    """Conversations that the run planned to fetch and could not: the counts by reason, less those fetched."""
    record = row(home, run_id)
    return sum(int(record[f"n_{reason}"]) for reason in REASONS) - int(record["n_fetched"])


def row(home: Home, run_id: str) -> dict[str, Any]:
    """The current record of the run, by column of ``SYNC_RUNS``.

    Raises:
        FileNotFoundError: it is gone, as somebody removed the home folder while the run was in it.
    """
    records = run_records.records(home).filter(run_id=run_id)
    if records.is_empty():
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT), str(home.runs))
    return records.row(0, named=True)


def _end_columns(record: dict[str, Any], at: datetime) -> dict[str, object]:
    return {"ended_at": at, "elapsed_secs": (at - record["started_at"]).total_seconds()}
