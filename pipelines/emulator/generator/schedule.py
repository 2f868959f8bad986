"""When conversations come and how long they last.

Days have the rhythm of offices: few conversations on weekends, most of them between 8 and 18 o'clock, other hours for
some agents. After some days of the week a few conversations are open at midnight: a clock that is set to it sees them.
"""

from __future__ import annotations

from itertools import accumulate
from random import Random

from pipelines.emulator.data.agents import Agent
from pipelines.emulator.data.story import STORY

DAY_SECS = 86_400
_HOUR_SECS = 3600
_TRAFFIC = STORY.traffic
_CUMULATIVE_HOURS = tuple(accumulate(_TRAFFIC.hours))
_CUMULATIVE_HOURS_OF = {key: tuple(accumulate(hours)) for key, hours in _TRAFFIC.hours_of.items()}
_N_OPEN = 3
_LATE_SECS = 720


def conversations_on(day: int, per_day: float) -> int:
    """Conversations on a day (days since 1970): ``per_day`` on average over a week."""

    def before(end: int) -> int:
        weekday = (end + 3) % 7  # 1970-01-01 was a Thursday
        return int(per_day * ((end + 3) // 7 * 7 + sum(_TRAFFIC.week[:weekday])))

    return before(day + 1) - before(day)


def draw_duration(rng: Random, scenario: str, *, is_abandoned: bool, factor: float) -> int:
    """Seconds that a conversation lasts; ``factor`` stretches the ordinary ones."""
    if scenario in ("empty", "no_answer"):
        return 0
    if scenario == "voicemail":
        return 14 + int(rng.random() * 20)
    if is_abandoned:
        return 3 + int(rng.random() * 24)
    return min(900, max(25, int(rng.lognormvariate(4.5, 0.6) * factor)))


def draw_start(rng: Random, agent: Agent) -> int:
    """Second of the day at which a conversation of ``agent`` starts."""
    weights = _CUMULATIVE_HOURS_OF.get(agent.key, _CUMULATIVE_HOURS)
    return rng.choices(range(24), cum_weights=weights)[0] * _HOUR_SECS + int(rng.random() * _HOUR_SECS)


def is_open_at_midnight(day: int, index: int) -> bool:
    """Whether a conversation is one of those that are open at the midnight that ends the day."""
    return index < _N_OPEN and day % 7 in _TRAFFIC.open_at_midnight


def draw_open_at_midnight(rng: Random, index: int, duration: int) -> tuple[int, int]:
    """Start and duration of a late conversation: in progress at midnight, being processed, or just begun."""
    if index == 0:
        before = 60 + int(rng.random() * _LATE_SECS)
        return DAY_SECS - before, max(duration, before + 40 + int(rng.random() * 200))
    if index == 1:
        duration = max(duration, 60 + _LATE_SECS + int(rng.random() * _LATE_SECS))
        return DAY_SECS - 20 + int(rng.random() * 15) - duration, duration
    return DAY_SECS - 1, max(duration, 30)
