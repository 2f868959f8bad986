"""Days whose conversations are all landed while others are still being fetched: these can be flattened already.

Only first snapshots count, of conversations that started on the day that their list row said. So nothing else is landed
of such a conversation, and flattening it touches the rows of no other day. Everything else, and the rest of a run that
is interrupted, is found by ``refresh_lake.stale_snapshots``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import polars as pl

from pipelines.extract.land_responses import Response
from pipelines.transform.merge_days import DOCUMENTS_PER_TASK

MIN_TASKS = 4
"""Tasks that a run is split into at least: little is left to flatten when its last conversation is landed."""
MIN_DOCUMENTS_PER_TASK = 100
"""A task costs as much as ten documents."""


class CompletedDays:
    """Collects landed snapshots by day, and returns a day once, when its last planned conversation is landed."""

    def __init__(self, plan: pl.DataFrame, reread_days: Sequence[int]) -> None:
        """``plan`` has the rows of ``plan_fetches``; a conversation is settled after the last of ``reread_days``."""
        self.reread_days = reread_days
        self._documents_per_task = min(DOCUMENTS_PER_TASK, max(plan.height // MIN_TASKS, MIN_DOCUMENTS_PER_TASK))
        self._n_open: Counter[date] = Counter(dict(plan["start_time_at"].dt.date().value_counts().rows()))
        self._snapshots: dict[date, list[pl.DataFrame]] = {}
        self._completed: list[pl.DataFrame] = []

    def on_landed(self, responses: Sequence[Response], snapshots: pl.DataFrame) -> list[pl.DataFrame]:
        """Note the ``snapshots`` landed of some responses.

        Returns:
            The first snapshots of completed days, a frame per day, once there are enough for a task; else nothing.
        """
        listed_dates = {response.plan_row["conversation_id"]: _listed_date(response) for response in responses}
        new_ids = {
            response.plan_row["conversation_id"] for response in responses if response.plan_row["reason"] == "new"
        }
        is_first = [  # in Python: the expressions of polars take longer for so few rows, in the thread of the requests
            kind == "document" and conversation_id in new_ids and start_date == listed_dates[conversation_id]
            for conversation_id, kind, start_date in snapshots["conversation_id", "kind", "start_date"].rows()
        ]
        for day in snapshots.filter(is_first).partition_by("start_date") if any(is_first) else ():
            self._snapshots.setdefault(day["start_date"][0], []).append(day)
        self._completed += self._close_days(listed_dates.values())
        if sum(day.height for day in self._completed) < self._documents_per_task:
            return []
        days, self._completed = self._completed, []
        return days

    def _close_days(self, responded: Iterable[date]) -> list[pl.DataFrame]:
        """Subtract a response from its day, for each day in ``responded``; the days that have no open one left."""
        days = []
        for day, count in Counter(responded).items():
            self._n_open[day] -= count
            if not self._n_open[day] and day in self._snapshots:
                days.append(pl.concat(self._snapshots.pop(day)))
        return days


def _listed_date(response: Response) -> date:
    start: datetime = response.plan_row["start_time_at"]
    return start.astimezone(UTC).date()
