"""The randomness of the emulator: seeded, so that a world and its faults can be repeated."""

from __future__ import annotations

from random import Random


def seeded(number: int) -> Random:
    """A generator that follows from ``number`` alone."""
    return Random(number)  # noqa: S311 - a made-up world holds no secret


def happens(rng: Random, share: float) -> bool:
    """Whether something happens that does in a ``share`` of all cases."""
    return rng.random() < share
