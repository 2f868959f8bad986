"""The world that the emulator serves: some weeks of conversations, deterministic by seed, moving with the clock.

Only blueprints are kept in memory; documents are built when asked for. ``World.details`` is the exact truth of what the
server serves at a moment, so a warehouse can be compared with it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from pipelines.emulator.data.story import STORY
from pipelines.emulator.generator.blueprint import Blueprint, draw_blueprint
from pipelines.emulator.generator.document import build_document
from pipelines.emulator.generator.lifecycle import State, document_in, state_at
from pipelines.emulator.generator.list_row import list_row
from pipelines.emulator.generator.schedule import DAY_SECS, conversations_on
from pipelines.emulator.generator.transcript import Json

_DOCUMENTS_KEPT = 256
_ROWS_KEPT = 20_000
Place = tuple[int, str]
"""A place in the list: a start in unix seconds, then an id."""


class World:
    """About ``conversations`` in the ``days`` days (24 hours each) before ``until``, which is exclusive.

    The number is a mean over weeks: a conversation belongs to its day alone, whatever ``until`` is, so a window with
    more weekends holds a few less. With ``shift_days`` the conversations are those of so many days before, moved: the
    same in all except their times. Writes (``delete``, ``feedback``) live as long as the object.
    """

    def __init__(
        self, *, seed: int = 7, conversations: int = 1200, days: int = 42, until: datetime, shift_days: int = 0
    ) -> None:
        self.shift = timedelta(days=shift_days)
        end = int(until.timestamp())
        begin = end - days * DAY_SECS
        blueprints = (
            draw_blueprint(seed, day - shift_days, index, shift_days=shift_days)
            for day in range(begin // DAY_SECS, -(-end // DAY_SECS))
            for index in range(conversations_on(day - shift_days, conversations / days))
        )
        self._blueprints = sorted((blueprint for blueprint in blueprints if begin <= blueprint.start < end), key=place)
        self._places = [place(blueprint) for blueprint in self._blueprints]
        self._by_id = {blueprint.conversation_id: blueprint for blueprint in self._blueprints}
        self._deleted: set[str] = set()
        self._thumbs: dict[str, str | None] = {}
        self._facts: dict[str, tuple[int, Json | None]] = {}
        self._final = lru_cache(_DOCUMENTS_KEPT)(build_document)
        self._row = lru_cache(_ROWS_KEPT)(self._make_row)

    def details(self, now: datetime) -> Iterator[Json]:
        """All visible conversation documents, newest first; to be read, not changed."""
        for blueprint in self.visible(now):
            document = self.detail(blueprint.conversation_id, now)
            if document is not None:
                yield document

    def price_factors(self, now: datetime) -> dict[str, float]:
        """What each model's price is multiplied by at a moment; 1 where a model is not named."""
        return STORY.price_factors(int((now - self.shift).timestamp()) // DAY_SECS)

    def detail(self, conversation_id: str, now: datetime) -> Json | None:
        """The document of a conversation, None where it does not exist, has not begun or was deleted."""
        blueprint = self._by_id.get(conversation_id)
        if blueprint is None:
            return None
        state = self._state(blueprint, now)
        return None if state is None else self._document(blueprint, state)

    def row(self, detail: Json) -> Json:
        """The list row of a document, its summary included; retention that blanked a transcript does not show."""
        blueprint = self._by_id[detail["conversation_id"]]
        is_finished = detail["status"] in ("done", "failed")
        transcript = self._final(blueprint)["transcript"] if is_finished else detail["transcript"]
        return list_row(detail, blueprint.agent.name, transcript)

    def rows(
        self, now: datetime, *, after: Place | None = None, agent_id: str | None = None
    ) -> Iterator[tuple[Blueprint, Json]]:
        """Blueprint and list row of the visible conversations, newest first, below the place ``after``."""
        for blueprint in self.visible(now, after=after):
            state = self._state(blueprint, now)
            if state is not None and agent_id in (None, blueprint.agent.agent_id):
                yield blueprint, self._row(blueprint, state, self._thumbs.get(blueprint.conversation_id, ""))

    def place(self, conversation_id: str, *, above: int = 0) -> Place | None:
        """The place of a conversation in the list, deleted or not, or of the one ``above`` so many; None: no such."""
        blueprint = self._by_id.get(conversation_id)
        if blueprint is None:
            return None
        position = bisect_left(self._places, place(blueprint))
        return self._places[min(position + above, len(self._places) - 1)]

    def visible(self, now: datetime, *, after: Place | None = None) -> Iterator[Blueprint]:
        """Blueprints of the conversations that have begun and were not deleted, newest first."""
        end = bisect_left(self._places, (int(now.timestamp()) + 1, ""))
        if after is not None:
            end = min(end, bisect_left(self._places, after))
        for position in range(end - 1, -1, -1):
            blueprint = self._blueprints[position]
            if self._state(blueprint, now) is not None:
                yield blueprint

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

    def billed(self, now: datetime) -> Iterator[tuple[Blueprint, int, Json | None]]:
        """Every conversation that has begun, deleted or not, with its batch, and its credits once it is done."""
        for position in range(bisect_left(self._places, (int(now.timestamp()) + 1, ""))):
            blueprint = self._blueprints[position]
            if blueprint.conversation_id not in self._facts:
                metadata = self._final(blueprint)["metadata"]
                self._facts[blueprint.conversation_id] = metadata["cost"] or 0, metadata["batch_call"]
            cost, batch = self._facts[blueprint.conversation_id]
            yield blueprint, cost if blueprint.done_at <= now.timestamp() else 0, batch

    def _exists(self, conversation_id: str, now: datetime) -> bool:
        blueprint = self._by_id.get(conversation_id)
        return blueprint is not None and self._state(blueprint, now) is not None

    def _state(self, blueprint: Blueprint, now: datetime) -> State | None:
        return None if blueprint.conversation_id in self._deleted else state_at(blueprint, now.timestamp())

    def _document(self, blueprint: Blueprint, state: State) -> Json:
        document = document_in(self._final(blueprint), blueprint, state)
        if blueprint.conversation_id not in self._thumbs:
            return document
        score = self._thumbs[blueprint.conversation_id]
        metadata = document["metadata"]
        thumbs = {"likes": int(score == "like"), "dislikes": int(score == "dislike")}
        feedback = {"type": score and "thumbs", "overall_score": score, **thumbs}
        return document | {"metadata": metadata | {"feedback": metadata["feedback"] | feedback}}

    def _make_row(self, blueprint: Blueprint, state: State, thumb: str | None) -> Json:
        """``thumb`` is part of the cache's key alone: a row depends on it through the document."""
        del thumb
        return self.row(self._document(blueprint, state))


def place(blueprint: Blueprint) -> Place:
    """The place of a conversation in the list."""
    return blueprint.start, blueprint.conversation_id
