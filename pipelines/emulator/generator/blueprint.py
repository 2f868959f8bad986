"""Blueprints: the little that must be known of every conversation before its document is generated.

A blueprint follows from (seed, day since 1970, index in the day) alone, so two worlds that overlap agree on every
conversation of the days that they share. A world can be moved by whole days: its conversations are those of other
days, at other times.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import NamedTuple

from pipelines.emulator.data.agents import AGENTS, BY_KEY, Agent
from pipelines.emulator.data.dialogues import Topic
from pipelines.emulator.data.story import STORY, Scenario
from pipelines.emulator.generator import schedule
from pipelines.emulator.generator.randomness import happens, seeded
from pipelines.emulator.generator.schedule import DAY_SECS

_N_CALLERS = 900
_SHARES = tuple(accumulate(agent.share for agent in AGENTS))
_LATE_CHANGES = ("nothing", "feedback", "rerun", "redacted", "deleted")
_LATE_SHARES = tuple(accumulate((0.944, 0.015, 0.015, 0.013, 0.013)))
_LATE_AGENTS = STORY.traffic.late_agents
_ORDINARY = Scenario(name="")


class Identity(NamedTuple):
    """Who talks to whom about what."""

    agent: Agent
    caller: int
    topic: Topic


@dataclass(frozen=True, slots=True, eq=False)  # hashed by identity: a cache's key
class Blueprint:
    """A conversation in outline. Times are unix seconds; the last four are None for the many that never change late.

    ``day`` (days since 1970) is the one that it is drawn for; in a world that is moved it starts on another.
    ``scenario`` is the rarity that it shows, "" for none; ``schema`` is the year of its document's form;
    ``is_new_version`` holds for the newer version of the story, ``is_branch`` for its branch.
    """

    conversation_id: str
    seed: int
    day: int
    start: int
    duration: int
    done_at: int
    agent: Agent
    version_id: str
    is_new_version: bool
    is_branch: bool
    caller: int
    topic: Topic
    scenario: str
    schema: int
    is_abandoned: bool
    is_callback: bool
    feedback_at: int | None
    rerun_at: int | None
    redacted_at: int | None
    deleted_at: int | None

    @property
    def end(self) -> int:
        """When the conversation ended, in unix seconds."""
        return self.start + self.duration

    @property
    def phone(self) -> str:
        """The caller's number."""
        return f"+1555011{self.caller:04d}"

    @property
    def has_shared_voice(self) -> bool:
        """Whether the voice is that of somebody else, who is rewarded, and for which there is a surcharge."""
        return self.caller % 13 == 0

    @property
    def user_id(self) -> str | None:
        """The user id that the integration passed; half of the callers have one."""
        return f"customer-{self.caller:04d}" if self.caller % 2 else None

    @property
    def branch_id(self) -> str:
        """The branch of the agent that answers."""
        return STORY.branch.branch_id if self.is_branch else self.agent.branch_id

    @property
    def is_batch(self) -> bool:
        """Whether the conversation was dialled as part of a batch."""
        return self.agent.channel == "twilio_outbound" and self.caller % 3 > 0


def draw_blueprint(seed: int, day: int, index: int, *, shift_days: int) -> Blueprint:
    """Draw the blueprint of a conversation of a day; ``shift_days`` moves all its times and changes nothing else."""
    number = _number(seed, day, index)
    rng = seeded(number)
    scenario = _scenario(day, index)
    is_open = schedule.is_open_at_midnight(day, index)
    late_agent = _LATE_AGENTS[index % len(_LATE_AGENTS)] if is_open else None
    agent, caller, topic = _identity(rng, scenario, late_agent)
    is_callback = not scenario.name and happens(rng, STORY.callbacks.share) and not is_open
    if is_callback:
        agent, caller, topic = _earlier_identity(rng, seed, day, index)
    name = scenario.name or ("" if is_callback else _batch_result(rng, agent, caller))
    is_abandoned = happens(rng, STORY.traffic.share_abandoned) and not name
    version = agent.version(STORY.day_of_cycle(day))
    is_new_version = agent.key == STORY.new_version.agent and version is agent.versions[-1]
    is_branch = agent.key == STORY.branch.agent and caller * 37 % 100 < STORY.branch.share * 100
    factor = STORY.new_version.duration_factor if is_new_version else 1.0
    factor = STORY.branch.duration_factor if is_branch else factor
    duration = schedule.draw_duration(rng, name, is_abandoned=is_abandoned, factor=factor)
    processing = 40 + int(rng.random() * 160)
    if is_open:
        start, duration = schedule.draw_open_at_midnight(rng, index, duration)
    else:
        start = schedule.draw_start(rng, agent)
    start += (day + shift_days) * DAY_SECS
    end = start + duration
    late = {} if name == "no_answer" else _late_changes(rng, end)
    return Blueprint(
        conversation_id=conversation_id(seed, day, index),
        seed=number,
        day=day,
        start=start,
        duration=duration,
        done_at=end + processing,
        agent=agent,
        version_id=STORY.branch.version_id if is_branch else version.version_id,
        is_new_version=is_new_version,
        is_branch=is_branch,
        caller=caller,
        topic=topic,
        scenario=name,
        schema=scenario.schema or (2026 if happens(rng, STORY.traffic.share_of_2026) else 2025),
        is_abandoned=is_abandoned,
        is_callback=is_callback,
        feedback_at=late.get("feedback"),
        rerun_at=late.get("rerun"),
        redacted_at=late.get("redacted"),
        deleted_at=late.get("deleted"),
    )


def conversation_id(seed: int, day: int, index: int) -> str:
    """``conv_`` and 28 lower-case letters and digits."""
    digest = hashlib.blake2b(f"{seed}:{day}:{index}".encode(), digest_size=18).digest()
    return "conv_" + base64.b32encode(digest).decode().lower()[:28]


def _number(seed: int, day: int, index: int) -> int:
    """The number that all randomness of a conversation follows from."""
    return (seed * 1_000_003 + day) * 100_003 + index


def _scenario(day: int, index: int) -> Scenario:
    rota = STORY.scenarios.rota
    place = (day * STORY.scenarios.stride + index) % STORY.scenarios.period
    return rota[place] if place < len(rota) else _ORDINARY


def _identity(rng: Random, scenario: Scenario, agent_key: str | None = None) -> Identity:
    """Draw who talks to whom about what: the first draws of a conversation."""
    agent = rng.choices(AGENTS, cum_weights=_SHARES)[0]
    agent = BY_KEY.get(scenario.agent or agent_key or agent.key, agent)
    caller = int(rng.random() ** 2 * _N_CALLERS)
    topics = agent.topics
    if scenario.name == "language_detection":
        topics = [topic for topic in topics if topic.language == "de"]
    return Identity(agent, caller, topics[int(rng.random() * len(topics))])


def _earlier_identity(rng: Random, seed: int, day: int, index: int) -> Identity:
    """Who it was in a conversation of the last days, early in its day so that even a quiet day has it."""
    earlier_day = day - 1 - int(rng.random() * STORY.callbacks.within_days)
    earlier_index = int(rng.random() * index * 0.35)
    earlier = _number(seed, earlier_day, earlier_index)
    return _identity(seeded(earlier), _scenario(earlier_day, earlier_index))


def _batch_result(rng: Random, agent: Agent, caller: int) -> str:
    """What became of a recipient of a batch who was not reached; "" for one who was, and outside batches."""
    batch = STORY.batch
    if agent.key != batch.agent or caller % 3 == 0:
        return ""
    draw = rng.random()
    if draw < batch.no_answer:
        return "no_answer"
    return "voicemail" if draw < batch.no_answer + batch.voicemail else ""


def _late_changes(rng: Random, end: int) -> dict[str, int]:
    """What changes long after the end, and when: at most one thing, for one or two conversations in a hundred each."""
    kind = rng.choices(_LATE_CHANGES, cum_weights=_LATE_SHARES)[0]
    wait = int(rng.random() * DAY_SECS)
    delay = {
        "feedback": 3600 + 2 * wait,
        "rerun": DAY_SECS + wait // 4,
        "redacted": 8 * DAY_SECS + 9 * wait,
        "deleted": 2 * DAY_SECS + 7 * wait,
    }
    return {kind: end + delay[kind]} if kind in delay else {}
