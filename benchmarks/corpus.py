"""The conversations of the benchmarks: finished ones of the emulator, repeated under other ids.

Repeats cost no time, so a server or a landing of 100,000 conversations is ready in seconds. Bodies are prebuilt bytes:
only the work of the client is measured.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from pipelines.clock import utc_now
from pipelines.emulator.generator.world import World

DAYS = 30
DAY_SECS = 86_400
ORIGINALS = 1000
FINISHED = ("done", "failed")
REVISED_OF = 100
"""One conversation in this many differs in a revised corpus."""


@dataclass(frozen=True, slots=True)
class Original:
    """A conversation of the emulator: its start in Unix seconds, its document and its list row as JSON."""

    conversation_id: str
    start: int
    detail: bytes
    row: bytes
    revised_detail: bytes
    revised_row: bytes


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of the corpus: an original, moved to another day under another id."""

    original: Original
    repeat: int
    start: int
    is_revised: bool = False

    @property
    def conversation_id(self) -> str:
        """The id under which it is served."""
        return f"{self.original.conversation_id}-{self.repeat}"

    @property
    def row(self) -> bytes:
        """The list row."""
        return self._moved(self.original.revised_row if self.is_revised else self.original.row)

    @property
    def detail(self) -> bytes:
        """The document."""
        return self._moved(self.original.revised_detail if self.is_revised else self.original.detail)

    def _moved(self, body: bytes) -> bytes:
        plain, secs = self.original.conversation_id.encode(), self.start - self.original.start
        body = body.replace(plain, plain + b"-%d" % self.repeat)
        return _SECONDS.sub(lambda match: b"%s%d" % (match[1], int(match[2]) + secs), body) if secs else body


_SECONDS = re.compile(rb'(_unix_secs":)(\d+)')


def corpus(count: int, *, is_revised: bool = False) -> list[Conversation]:
    """About ``count`` conversations of some 24 KB in the days before today (UTC), newest first.

    Repeats of one conversation are on different days where possible, so that no file compresses better because of them.
    """
    until = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    world = World(conversations=min(count, ORIGINALS), days=DAYS, until=until)
    originals = [_original(world, detail) for detail in world.details(until) if detail["status"] in FINISHED]
    end = int(until.timestamp())
    conversations = [
        Conversation(original, repeat, end - 1 - (end - 1 - original.start + repeat * DAY_SECS) % (DAYS * DAY_SECS))
        for repeat in range(-(-count // ORIGINALS))
        for original in originals
    ]
    conversations.sort(key=lambda conversation: (-conversation.start, conversation.conversation_id))
    if is_revised:
        revised = conversations[::REVISED_OF]
        conversations[::REVISED_OF] = [replace(conversation, is_revised=True) for conversation in revised]
    return conversations


def _original(world: World, detail: dict) -> Original:
    row = world.row(detail)
    revised = detail | {"metadata": detail["metadata"] | {"cost": (detail["metadata"].get("cost") or 0) + 1}}
    revised_row = row | {"message_count": (row.get("message_count") or 0) + 1}
    start = detail["metadata"]["start_time_unix_secs"]
    return Original(detail["conversation_id"], start, *map(_json, (detail, row, revised, revised_row)))


def _json(document: dict) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
