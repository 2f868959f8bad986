"""Heads: the little that must be known of every call before its document is made.

A head follows from (seed, day since 1970, index in the day) alone, so two worlds that overlap agree on every call of
the days that they share. A world can be moved by whole days: its calls are those of other days, at other times. Days
have the rhythm of offices: few calls on weekends, most of them between 8 and 18 o'clock. The first three calls of a day
are made shortly before its midnight: a clock that stands there sees open calls.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from pipelines.emulator.data.agents import AGENTS, Agent
from pipelines.emulator.generator.randomness import seeded

DAY_SECS = 86_400
_WEEK = (1.27, 1.22, 1.17, 1.17, 1.12, 0.58, 0.47)  # Monday to Sunday, 7 in total
_HOURS = (1, 1, 1, 1, 1, 2, 4, 9, 20, 30, 34, 32, 24, 26, 30, 30, 27, 22, 15, 11, 8, 5, 3, 2)
_OPEN_AT_MIDNIGHT = 3
_SHARE_OF_TODAY = 0.55
_SHARE_ABANDONED = 0.05
_LATE = ("nothing", "feedback", "rerun", "redacted", "deleted")
_UP_TO_LATE = tuple(accumulate((0.944, 0.015, 0.015, 0.013, 0.013)))
_UP_TO_HOUR = tuple(accumulate(_HOURS))
_SHARES = tuple(accumulate(agent.share for agent in AGENTS))

# What a call is to show beside the ordinary, and the agent (by position) that can show it; most calls show nothing.
_RARE: tuple[tuple[str, int | None], ...] = (
    ("language_detection", 1), ("transfer_to_agent", 0), ("transfer_to_agent", 4), ("transfer_to_agent_error", 4),
    ("transfer_to_number_twilio", 0), ("transfer_to_number_twilio", 4), ("transfer_to_number_sip", 1),
    ("transfer_to_number_error", 0), ("skip_turn", None), ("play_dtmf", 2), ("play_dtmf_error", 2), ("voicemail", 2),
    ("voicemail", 2), ("testing", None), ("workflow", 2), ("workflow", 4), ("workflow_nested", 2),
    ("workflow_nested", 4), ("workflow_endless", 2), ("unanswered", None), ("tool_error", None), ("tool_error", None),
    ("old_results", 4), ("old_metrics", 4), ("multivoice", 1), ("llm_override", None), ("overrides", None),
    ("overrides", 3), ("whatsapp", 3), ("whatsapp", 3), ("zendesk", 3), ("zendesk", 3), ("genesys", 4),
    ("burst", None), ("burst", None), ("developer", None), ("failed", None), ("failed", None), ("empty", None),
    ("free", None), ("odd_values", None), ("guardrail", None), ("dtmf_input", 4), ("file_input", 3), ("sms", 3),
    ("exotel", 2), ("procedure", 0), ("code_tool", 4), ("knowledge_tool", 1), ("amazon_connect", 4),
)  # fmt: skip
_PERIOD = 101  # prime, so that neighbouring days meet different traits
_STRIDE = 37


@dataclass(frozen=True, slots=True, eq=False)  # hashed as itself: a cache's key
class Head:
    """A call in outline. Times are unix seconds; the last four are None for the many calls that never change late.

    ``day`` (days since 1970) is the one that the call is drawn for; in a world that is moved it starts on another.
    ``trait`` is the rarity that the call shows, "" for none; ``today`` chooses the form of its document.
    """

    conversation_id: str
    seed: int
    day: int
    start: int
    duration: int
    done_at: int
    agent: Agent
    version_id: str
    caller: int
    trait: str
    today: bool
    abandoned: bool
    feedback_at: int | None
    rerun_at: int | None
    redacted_at: int | None
    deleted_at: int | None

    @property
    def end(self) -> int:
        """When the call ended, in unix seconds."""
        return self.start + self.duration

    @property
    def phone(self) -> str:
        """The caller's number; the same caller rings more than once."""
        return f"+1555011{self.caller:04d}"

    @property
    def user_id(self) -> str | None:
        """The user id that the integration passed; half of the callers have one."""
        return f"customer-{self.caller:04d}" if self.caller % 2 else None


def count(day: int, per_day: float) -> int:
    """Calls on a day (days since 1970): ``per_day`` on average over a week."""

    def until(days: int) -> int:
        weekday = (days + 3) % 7  # 1970-01-01 was a Thursday
        return int(per_day * ((days + 3) // 7 * 7 + sum(_WEEK[:weekday])))

    return until(day + 1) - until(day)


def head(seed: int, day: int, index: int, *, shift_days: int = 0) -> Head:
    """Make the head of one call of a day; ``shift_days`` moves all its times and changes nothing else."""
    number = (seed * 1_000_003 + day) * 100_003 + index
    rng = seeded(number)
    draw = rng.random
    trait, position = _trait(day, index)
    agent = AGENTS[position] if position is not None else rng.choices(AGENTS, cum_weights=_SHARES)[0]
    abandoned = draw() < _SHARE_ABANDONED and not trait
    duration = _duration(rng, trait, abandoned=abandoned)
    processing = 40 + int(draw() * 160)
    if index < _OPEN_AT_MIDNIGHT:
        start, duration = _before_midnight(rng, index, duration)
    else:
        start = rng.choices(range(24), cum_weights=_UP_TO_HOUR)[0] * 3600 + int(draw() * 3600)
    start += (day + shift_days) * DAY_SECS
    end = start + duration
    late = _late_changes(rng, end)
    return Head(
        conversation_id=conversation_id(seed, day, index),
        seed=number,
        day=day,
        start=start,
        duration=duration,
        done_at=end + processing,
        agent=agent,
        version_id=agent.version_ids[day // 17 % 2],
        caller=int(draw() ** 2 * 900),
        trait=trait,
        today=draw() < _SHARE_OF_TODAY and not trait.startswith("old"),
        abandoned=abandoned,
        feedback_at=late.get("feedback"),
        rerun_at=late.get("rerun"),
        redacted_at=late.get("redacted"),
        deleted_at=late.get("deleted"),
    )


def conversation_id(seed: int, day: int, index: int) -> str:
    """``conv_`` and 28 lower-case letters and digits."""
    digest = hashlib.blake2b(f"{seed}:{day}:{index}".encode(), digest_size=18).digest()
    return "conv_" + base64.b32encode(digest).decode().lower()[:28]


def _late_changes(rng: Random, end: int) -> dict[str, int]:
    """What happens to a call long after its end, and when: at most one thing, to one or two calls in a hundred each."""
    kind = rng.choices(_LATE, cum_weights=_UP_TO_LATE)[0]
    wait = int(rng.random() * DAY_SECS)
    delay = {
        "feedback": 3600 + 2 * wait,
        "rerun": DAY_SECS + wait // 4,
        "redacted": 8 * DAY_SECS + 9 * wait,
        "deleted": 2 * DAY_SECS + 7 * wait,
    }
    return {kind: end + delay[kind]} if kind in delay else {}


def _trait(day: int, index: int) -> tuple[str, int | None]:
    place = (day * _STRIDE + index) % _PERIOD
    return _RARE[place] if place < len(_RARE) else ("", None)


def _duration(rng: Random, trait: str, *, abandoned: bool) -> int:
    if trait == "empty":
        return 0
    if trait == "voicemail":
        return 14 + int(rng.random() * 20)
    if abandoned:
        return 3 + int(rng.random() * 24)
    return min(900, max(25, int(rng.lognormvariate(4.5, 0.6))))


def _before_midnight(rng: Random, index: int, duration: int) -> tuple[int, int]:
    """Start in the day and duration of the calls that are, at midnight, in progress, being processed, just begun."""
    if index == 0:
        return DAY_SECS - 70 - int(rng.random() * 60), max(duration, 180)
    if index == 1:
        start = DAY_SECS - 130 - int(rng.random() * 60)
        return start, DAY_SECS - 20 + int(rng.random() * 15) - start
    return DAY_SECS - 1, max(duration, 30)
