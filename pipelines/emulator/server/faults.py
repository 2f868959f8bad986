"""Faults on demand: how often the emulator misbehaves, and which request meets which fault.

A decision follows from the seed and the number of the request, so a run over one connection can be repeated exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random

from pipelines.emulator.generator.randomness import seeded
from pipelines.errors import UsageError

_NAMES = {"429": "too_many_requests", "5xx": "server_error"}


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares (0 to 1) of requests that meet each fault, in this order; the last two concern list pages alone.

    too_many_requests: 429, some with Retry-After in seconds, some with a date, some without. server_error: 500, 502,
    503 or 504, mostly with a gateway's HTML. reset: the connection is dropped before or in the middle of the answer.
    truncate: the body is shorter than its length says, or cut JSON. garbage: 200 with HTML. slow: the answer comes
    late. repeat_rows: a page repeats rows of the page before. repeat_cursor: a page gives its own cursor again.
    """

    too_many_requests: float = 0.0
    server_error: float = 0.0
    reset: float = 0.0
    truncate: float = 0.0
    garbage: float = 0.0
    slow: float = 0.0
    repeat_rows: float = 0.0
    repeat_cursor: float = 0.0
    seed: int = 0

    @classmethod
    def parse(cls, text: str) -> Faults:
        """Read faults from text such as ``429=0.08,5xx=0.08,reset=0.03,seed=3``.

        Raises:
            UsageError: a part is not name=share, its name is unknown or given twice, its share not in 0 to 1, or the
                shares sum up to more than 1.
        """
        names = [field.name for field in fields(cls)]
        wording = {value: key for key, value in _NAMES.items()}
        hint = "Known faults: " + ", ".join(wording.get(name, name) for name in names) + "."
        values: dict[str, float] = {}
        for part in filter(None, map(str.strip, text.split(","))):
            name, _, number = map(str.strip, part.partition("="))
            name = _NAMES.get(name, name)
            if name not in names:
                raise UsageError(f"Unknown fault in {part!r}.", hint)
            if name in values:
                raise UsageError(f"Fault given twice: {part!r}.", hint)
            values[name] = _number(part, number, is_whole=name == "seed")
        if sum(share for name, share in values.items() if name != "seed") > 1:
            raise UsageError(f"The shares in {text!r} sum up to more than 1.", "Each is a share of all requests.")
        return cls(seed=int(values.pop("seed", 0)), **values)

    def decide(self, number: int, *, is_list: bool) -> tuple[str | None, Random]:
        """The fault of a request, None for none, and the randomness that its details are drawn from."""
        rng = seeded(self.seed * 1_000_003 + number)
        draw = rng.random()
        for fault in fields(self)[:-1]:
            if fault.name.startswith("repeat") and not is_list:
                continue
            share = getattr(self, fault.name)
            if draw < share:
                return fault.name, rng
            draw -= share
        return None, rng


def _number(part: str, number: str, *, is_whole: bool) -> float:
    hint = "Write a share of requests such as 429=0.08, or seed=3."
    try:
        value = int(number) if is_whole else float(number)
    except ValueError:
        raise UsageError(f"Not a number in {part!r}.", hint) from None
    if not is_whole and not 0 <= value <= 1:
        raise UsageError(f"The share in {part!r} is not between 0 and 1.", hint)
    return value
