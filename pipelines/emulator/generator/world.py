"""The world that the emulator serves: some weeks of conversations, deterministic by seed, moving with the clock.

Only heads are kept in memory; documents are made when asked for. ``World.details`` is the exact truth of what the
server serves at a moment, so a warehouse can be compared with it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from pipelines.emulator.generator.blueprint import DAY_SECS, Head, count, head
from pipelines.emulator.generator.document import document
from pipelines.emulator.generator.lifecycle import Phase, look, phase
from pipelines.emulator.generator.list_row import list_row
from pipelines.emulator.generator.transcript import Json

_DOCUMENTS_KEPT = 256
_ROWS_KEPT = 20_000
Place = tuple[int, str]
"""Where a conversation stands in the list: its start in unix seconds, then its id."""


class World:
    """About ``conversations`` calls in the ``days`` days (24 hours each) before ``until``, which is exclusive.

    The number is a mean over weeks: a call belongs to its day alone, whatever ``until`` is, so a window with more
    weekends holds a few calls less. With ``shift_days`` the calls are those of so many days before, moved: the same
    in all but their times. Writes (``delete``, ``feedback``) live as long as the object.
    """

    def __init__(
        self, *, seed: int = 7, conversations: int = 1200, days: int = 30, until: datetime, shift_days: int = 0
    ) -> None:
        self.shift = timedelta(days=shift_days)
        end = int(until.timestamp())
        begin = end - days * DAY_SECS
        heads = (
            head(seed, day - shift_days, index, shift_days=shift_days)
            for day in range(begin // DAY_SECS, -(-end // DAY_SECS))
            for index in range(count(day - shift_days, conversations / days))
        )
        self._heads = sorted((each for each in heads if begin <= each.start < end), key=place)
        self._places = [place(each) for each in self._heads]
        self._by_id = {each.conversation_id: each for each in self._heads}
        self._deleted: set[str] = set()
        self._thumbs: dict[str, str | None] = {}
        self._final = lru_cache(_DOCUMENTS_KEPT)(document)
        self._row = lru_cache(_ROWS_KEPT)(self._make_row)

    def details(self, now: datetime) -> Iterator[Json]:
        """All visible conversation documents, newest first; to be read, not changed."""
        for known in self.visible(now):
            shown = self.detail(known.conversation_id, now)
            if shown is not None:
                yield shown

    def detail(self, conversation_id: str, now: datetime) -> Json | None:
        """The document of a conversation, None where it does not exist, has not begun or was deleted."""
        known = self._by_id.get(conversation_id)
        if known is None:
            return None
        current = self._phase(known, now)
        return None if current is None else self._document(known, current)

    def row(self, detail: Json) -> Json:
        """The list row of a document, its summary included; retention that blanked a transcript does not show."""
        known = self._by_id[detail["conversation_id"]]
        finished = detail["status"] in ("done", "failed")
        transcript = self._final(known)["transcript"] if finished else detail["transcript"]
        return list_row(detail, known.agent.name, transcript)

    def rows(
        self, now: datetime, *, after: Place | None = None, agent_id: str | None = None
    ) -> Iterator[tuple[Head, Json]]:
        """Head and list row of the visible conversations, newest first; ``after`` goes on below a place of the list."""
        for known in self.visible(now, after=after):
            current = self._phase(known, now)
            if current is not None and agent_id in (None, known.agent.agent_id):
                yield known, self._row(known, current, self._thumbs.get(known.conversation_id, ""))

    def place(self, conversation_id: str, *, above: int = 0) -> Place | None:
        """Where a conversation stands in the list, even a deleted one, or the one ``above`` so many; None: no such."""
        known = self._by_id.get(conversation_id)
        if known is None:
            return None
        position = bisect_left(self._places, place(known))
        return self._places[min(position + above, len(self._places) - 1)]

    def visible(self, now: datetime, *, after: Place | None = None) -> Iterator[Head]:
        """Heads of the conversations that have begun and were not deleted, newest first."""
        end = bisect_left(self._places, (int(now.timestamp()) + 1, ""))
        if after is not None:
            end = min(end, bisect_left(self._places, after))
        for position in range(end - 1, -1, -1):
            known = self._heads[position]
            if self._phase(known, now) is not None:
                yield known

    def delete(self, conversation_id: str, now: datetime) -> bool:
        """Delete a conversation; False where there is none."""
        if not self._exists(conversation_id, now):
            return False
        self._deleted.add(conversation_id)
        return True

    def feedback(self, conversation_id: str, score: str | None, now: datetime) -> bool:
        """Give a thumb ("like", "dislike") or take it back (None); False where there is no such conversation."""
        if not self._exists(conversation_id, now):
            return False
        self._thumbs[conversation_id] = score
        return True

    def _exists(self, conversation_id: str, now: datetime) -> bool:
        known = self._by_id.get(conversation_id)
        return known is not None and self._phase(known, now) is not None

    def _phase(self, known: Head, now: datetime) -> Phase | None:
        return None if known.conversation_id in self._deleted else phase(known, now.timestamp())

    def _document(self, known: Head, current: Phase) -> Json:
        shown = look(self._final(known), known, current)
        if known.conversation_id not in self._thumbs:
            return shown
        score = self._thumbs[known.conversation_id]
        metadata = shown["metadata"]
        thumbs = {"likes": int(score == "like"), "dislikes": int(score == "dislike")}
        given = {"type": score and "thumbs", "overall_score": score, **thumbs}
        return shown | {"metadata": metadata | {"feedback": metadata["feedback"] | given}}

    def _make_row(self, known: Head, current: Phase, thumb: str | None) -> Json:
        """``thumb`` is part of the cache's key alone: a row depends on it through the document."""
        del thumb
        return self.row(self._document(known, current))


def place(known: Head) -> Place:
    """Where a conversation stands in the list."""
    return known.start, known.conversation_id
