"""Two coroutines side by side, of which the first decides."""

from __future__ import annotations

import asyncio

import pytest

from pipelines.api.tasks import run_beside


async def steps(log, name, number, error=None):
    try:
        for step in range(number):
            log.append(f"{name}{step}")
            await asyncio.sleep(0)
        if error:
            raise error
    except asyncio.CancelledError:
        log.append(f"{name} cancelled")
        raise


def test_both_run_side_by_side_to_their_ends():
    log = []
    asyncio.run(run_beside(steps(log, "a", 2), steps(log, "b", 3)))
    assert log == ["a0", "b0", "a1", "b1", "b2"]


@pytest.mark.parametrize("error", [ValueError("down"), KeyboardInterrupt()])
def test_a_failure_of_the_first_cancels_the_second_and_is_raised_itself(error):
    log = []
    with pytest.raises(type(error)):
        asyncio.run(run_beside(steps(log, "a", 2, error), steps(log, "b", 99)))
    assert log == ["a0", "b0", "a1", "b1", "b cancelled"]


def test_a_failure_of_the_second_is_raised_after_the_first_has_ended():
    log = []
    with pytest.raises(ValueError, match="bug"):
        asyncio.run(run_beside(steps(log, "a", 3), steps(log, "b", 1, ValueError("bug"))))
    assert log == ["a0", "b0", "a1", "a2"]
