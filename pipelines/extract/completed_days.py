"""Days whose calls are all landed while others are still being read: they can be flattened ahead of the rest.

Only first readings are, of calls that began on the day that their list row said: nothing else of such a call is landed,
and no other day's rows are touched. All else, and whatever is cut short, is found by ``refresh.stale_snapshots``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import polars as pl

from pipelines.extract.land_responses import Response
from pipelines.transform.merge_days import DOCUMENTS_PER_TASK


class CompletedDays:
    """Collects what is landed, and gives out each day once, when the last of its wanted calls is."""

    def __init__(self, wanted: pl.DataFrame, reread_days: Sequence[int]) -> None:
        """``wanted`` are rows of ``settle.decide``; a call is settled after the last of its re-reads."""
        self.reread_days = reread_days
        self._open: Counter[date] = Counter(dict(wanted["start_time_at"].dt.date().value_counts().rows()))
        self._parts: dict[date, list[pl.DataFrame]] = {}
        self._whole: list[pl.DataFrame] = []

    def on_landed(self, answers: Sequence[Response], readings: pl.DataFrame) -> list[pl.DataFrame]:
        """Note what was landed of some answers; give the first readings of whole days, once there are enough."""
        listed_on = {each.plan_row["conversation_id"]: _day(each) for each in answers}
        first = {each.plan_row["conversation_id"] for each in answers if each.plan_row["reason"] == "new"}
        is_in_place = pl.col("start_date") == pl.col("conversation_id").replace_strict(listed_on, return_dtype=pl.Date)
        is_first = (pl.col("kind") == "document") & pl.col("conversation_id").is_in(list(first))
        for part in readings.filter(is_first & is_in_place).partition_by("start_date"):
            self._parts.setdefault(part["start_date"][0], []).append(part)
        self._whole += self._closed(listed_on.values())
        if sum(day.height for day in self._whole) < DOCUMENTS_PER_TASK:
            return []
        days, self._whole = self._whole, []
        return days

    def _closed(self, answered: Iterable[date]) -> list[pl.DataFrame]:
        """The days that have no open call any more, now that calls of these days are answered."""
        found = []
        for day, count in Counter(answered).items():
            self._open[day] -= count
            if not self._open[day] and day in self._parts:
                found.append(pl.concat(self._parts.pop(day)))
        return found


def _day(answer: Response) -> date:
    start: datetime = answer.plan_row["start_time_at"]
    return start.astimezone(UTC).date()
