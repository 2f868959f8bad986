"""What happens in the workspace (``story.toml``): the parameters of everything that is worth finding."""

from __future__ import annotations

from typing import Literal

from pipelines.emulator.data.agents import BY_KEY, CRITERIA
from pipelines.emulator.data.callers import CALLERS
from pipelines.emulator.data.data_files import Record, check_names, read
from pipelines.emulator.data.prices import PRICES
from pipelines.emulator.data.tools import TOOLS

FILE = "story.toml"
_DAYS_OF_WEEK, _HOURS_OF_DAY = 7, 24


class Traffic(Record, frozen=True):
    """When conversations come: weights by weekday (7 in total) and by hour; shares of all.

    ``open_at_midnight`` are the days (days since 1970 modulo 7) after which some conversations are open, most of them
    of ``late_agents``.
    """

    week: list[float]
    hours: list[float]
    hours_of: dict[str, list[float]]
    share_of_2026: float
    share_abandoned: float
    open_at_midnight: list[int]
    late_agents: list[str]


class Verdicts(Record, frozen=True):
    """Shares of verdicts; the rest are successes."""

    failure: float
    unknown: float


class NewVersion(Record, frozen=True):
    """An agent whose newest version fails a ``failure`` share of each criterion."""

    agent: str
    failure: float
    duration_factor: float
    model: str


class Branch(Record, frozen=True):
    """A branch of an agent that answers a ``share`` of its callers beside the main one."""

    agent: str
    branch_id: str
    version_id: str
    share: float
    failure: float
    duration_factor: float


class EveningTimeouts(Record, frozen=True):
    """A tool that times out in the hours from ``from_hour`` to ``until_hour``, both included."""

    tool: str
    from_hour: int
    until_hour: int
    share: float
    latency_secs: float
    error: str


class BrokenCriterion(Record, frozen=True):
    """A criterion that fails in one language."""

    criterion: str
    language: str
    failure: float
    unknown: float
    failure_rationales: list[str]
    unknown_rationales: list[str]


class Batch(Record, frozen=True):
    """An agent whose batches reach a machine or nobody, as shares; ``error_type`` is that of an unanswered one."""

    agent: str
    no_answer: float
    voicemail: float
    error_type: str | None = None


class Callbacks(Record, frozen=True):
    """The share of conversations of callers who come back, and after how many days at most."""

    share: float
    within_days: int


class SlowTurns(Record, frozen=True):
    """The share of turns that come late, of all agents and of some, and how late."""

    share: float
    share_of: dict[str, float]
    from_secs: float
    until_secs: float


class PriceJump(Record, frozen=True):
    """A model whose price is multiplied from a day of the cycle on."""

    model: str
    from_day: int
    factor: float


class Scenario(Record, frozen=True):
    """What a conversation shows; ``agent`` and ``schema`` are the ones that can show it, None for any."""

    name: str
    agent: str | None = None
    schema: Literal[2025, 2026] | None = None


class Scenarios(Record, frozen=True):
    """The scenarios take turns by day and number."""

    period: int
    stride: int
    rota: list[Scenario]


class Story(Record, frozen=True):
    """All of ``story.toml``."""

    cycle_days: int
    first_day: int
    traffic: Traffic
    verdicts: Verdicts
    new_version: NewVersion
    branch: Branch
    evening_timeouts: EveningTimeouts
    broken_criterion: BrokenCriterion
    batch: Batch
    callbacks: Callbacks
    slow_turns: SlowTurns
    price_jump: PriceJump
    scenarios: Scenarios

    def __post_init__(self) -> None:
        """Check every name that means something of another file, and the lengths of the weights."""
        agents = {
            "new_version.agent": [self.new_version.agent],
            "branch.agent": [self.branch.agent],
            "batch.agent": [self.batch.agent],
            "traffic.late_agents": self.traffic.late_agents,
            "traffic.hours_of": self.traffic.hours_of,
            "slow_turns.share_of": self.slow_turns.share_of,
            "scenarios.rota.agent": {scenario.agent for scenario in self.scenarios.rota if scenario.agent},
        }
        for key, names in agents.items():
            check_names(key, names, BY_KEY)
        check_names("evening_timeouts.tool", [self.evening_timeouts.tool], TOOLS)
        check_names("broken_criterion.criterion", [self.broken_criterion.criterion], CRITERIA)
        check_names("broken_criterion.language", [self.broken_criterion.language], CALLERS.days)
        check_names("models", [self.new_version.model, self.price_jump.model], PRICES.models)
        _check_length("traffic.week", self.traffic.week, _DAYS_OF_WEEK)
        for hours in (self.traffic.hours, *self.traffic.hours_of.values()):
            _check_length("traffic.hours", hours, _HOURS_OF_DAY)

    def day_of_cycle(self, day: int) -> int:
        """Which day of the story a day (days since 1970) is, from 0."""
        return (day - self.first_day) % self.cycle_days

    def price_factors(self, day: int) -> dict[str, float]:
        """What each model's price is multiplied by on a day (days since 1970)."""
        jump = self.price_jump
        return {jump.model: jump.factor} if self.day_of_cycle(day) >= jump.from_day else {}


def _check_length(key: str, weights: list[float], length: int) -> None:
    if len(weights) != length:
        raise ValueError(f"{key}: {len(weights)} weights instead of {length}")


STORY = read(FILE, Story)
