import asyncio
import random
from itertools import pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.api.adaptive_limiter import AdaptiveLimiter
from pipelines.api.client import ApiClient
from pipelines.api.endpoints import get_conversation


def after(events: str, bound: int = 64, start: int = 8) -> list[int]:
    """The limit after each event while all slots are in use: a success (s), a failure that is not an overload (f), an
    overload (p), or the overload of a request that was sent before the last cut (o).
    """
    limiter, limits = AdaptiveLimiter(bound, start), []
    limiter._in_flight = bound
    for event in events:
        match event:
            case "s":
                limiter.on_success()
            case "f":
                limiter.on_failure()
            case "p":
                limiter.on_overload(limiter.n_cuts)
            case "o":
                limiter.on_overload(limiter.n_cuts - 1)
        limits.append(limiter.limit)
    return limits


@pytest.mark.parametrize(
    ("events", "bound", "start", "limits"),
    [
        ("s", 64, 1, [2]),
        ("ssssss", 64, 2, [3, 4, 5, 6, 7, 8]),  # slow start: each round of successes doubles the limit
        ("fsss", 64, 2, [2, 2, 2, 3]),  # after a failure: one more a round of successes
        ("ssfsssss", 64, 2, [3, 4, 4, 4, 4, 4, 4, 5]),
        ("sspssso", 64, 2, [3, 4, 2, 2, 2, 3, 3]),  # the slow start does not come back after a cut
        ("p", 64, 8, [4]),
        ("pppp", 64, 8, [4, 2, 1, 1]),  # never shut
        ("poop", 64, 8, [4, 4, 4, 2]),  # one cut for all that was in flight
        ("ps", 64, 3, [1, 2]),
        ("ss", 2, 1, [2, 2]),  # never above the bound
        ("", 3, 8, []),
    ],
)
def test_the_limit_after_events(events, bound, start, limits):
    assert after(events, bound, start) == limits


def test_a_bound_below_the_start_is_the_start():
    assert (AdaptiveLimiter(3).limit, AdaptiveLimiter(64).limit) == (3, 8)


def test_after_a_failure_rounds_of_successes_open_the_gate_one_by_one_up_to_the_bound():
    limits = after("f" + "s" * 2100)
    assert limits == sorted(limits)
    assert {b - a for a, b in pairwise(limits)} == {0, 1}
    assert (limits[1999] < 64, limits[-1]) == (True, 64)


def test_until_the_first_failure_three_rounds_of_successes_open_the_gate_up_to_the_bound():
    assert after("s" * (8 + 16 + 32)) == list(range(9, 65))
    assert set(after("s" * 200)[56:]) == {64}


@given(st.text("sssfpo"), st.integers(1, 64), st.integers(1, 64))
def test_the_limit_stays_within_its_bounds_and_halves_under_pressure(events, bound, start):
    limits = [min(start, bound), *after(events, bound, start)]
    for number, (event, (before, limit)) in enumerate(zip(events, pairwise(limits), strict=True)):
        assert 1 <= limit <= bound
        match event:
            case "s":
                is_slow_start = set(events[:number]) <= {"s"}
                assert limit == min(before + 1, bound) if is_slow_start else before <= limit <= before + 1
            case "p":
                assert limit == max(before // 2, 1)
            case "f":
                assert limit == before


@given(st.text("sssspp"), st.integers(1, 64))
def test_after_the_first_failure_a_round_of_successes_raises_the_limit_by_one_at_most(events, bound):
    limits = [min(8, bound), *after("f" + events, bound)]
    for begin, limit in enumerate(limits):
        if set(events[begin : begin + limit]) <= {"s"}:
            assert max(limits[begin + 1 :][: limit + 1], default=limit) <= limit + 1


def test_a_limit_that_is_not_used_up_does_not_grow():
    limiter = AdaptiveLimiter(64)

    async def one_at_a_time():
        for _ in range(100):
            async with limiter.slot():
                limiter.on_success()

    asyncio.run(one_at_a_time())
    assert limiter.limit == 8


@pytest.mark.parametrize("seed", range(5))
def test_no_more_than_the_bound_get_in_whatever_happens_and_no_slot_is_lost(seed):
    chance = random.Random(seed)
    limiter = AdaptiveLimiter(12)
    inside = 0
    peaks = []

    async def visit():
        nonlocal inside
        async with limiter.slot():
            inside += 1
            peaks.append(inside)
            try:
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)
                limiter.on_success() if chance.random() < 0.98 else limiter.on_overload(limiter.n_cuts)
            finally:
                inside -= 1

    async def many():
        visits = [asyncio.create_task(visit()) for _ in range(300)]
        for _ in range(40):
            await asyncio.sleep(0)
            chance.choice(visits).cancel()  # waiting, inside, or just let in
        await asyncio.gather(*visits, return_exceptions=True)

    asyncio.run(many())
    assert 8 < max(peaks) <= 12
    assert (limiter._in_flight, len(limiter._queue)) == (0, 0)


def test_slots_are_given_in_the_order_of_arrival():
    limiter, order = AdaptiveLimiter(2), []

    async def visit(number):
        async with limiter.slot():
            order.append(number)
            await asyncio.sleep(0)

    async def many():
        await asyncio.gather(*(visit(number) for number in range(9)))

    asyncio.run(many())
    assert order == list(range(9))


class OverloadedApi:
    """An API that rejects 40 requests in a row, and counts what is in flight."""

    def __init__(self, rejection):
        self.rejection, self.n_requests, self.in_flight, self.peaks = rejection, 0, 0, []

    async def __call__(self, request):
        self.n_requests += 1
        self.in_flight += 1
        self.peaks.append(self.in_flight)
        is_rejected = 400 <= self.n_requests < 440
        for _ in range(5):  # so that all that may be in flight are
            await asyncio.sleep(0)
        self.in_flight -= 1
        if is_rejected:
            return await self.rejection()
        name = request.url.path.rsplit("/", 1)[1]
        return httpx.Response(200, json={"conversation_id": name, "metadata": {"start_time_unix_secs": 1}})


async def busy():
    return httpx.Response(429)


async def late():
    return httpx.Response(504)


async def hanging():
    raise TimeoutError  # what the timeout of an attempt raises


async def broken():
    return httpx.Response(500)


@pytest.mark.parametrize(("rejection", "is_pressure"), [(busy, True), (late, True), (hanging, True), (broken, False)])
def test_the_load_falls_under_pressure_rises_again_and_stays_within_the_bound(rejection, is_pressure):
    api = OverloadedApi(rejection)
    client = ApiClient(
        "https://api.example",
        "sk_1",
        concurrency=20,
        transport=httpx.MockTransport(api),
        sleep=lambda _secs: asyncio.sleep(0),
        random=lambda: 0.0,
        monotonic=lambda: 0.0,
    )

    async def many():
        async with client:
            return await asyncio.gather(*(get_conversation(client, f"conv_{number}") for number in range(900)))

    assert len(asyncio.run(many())) == 900
    before, after, end = (max(api.peaks[at : at + 30]) for at in (370, 460, 800))
    assert (api.peaks[0], max(api.peaks[:9]), before, max(api.peaks)) == (1, 8, 20, 20)
    assert (client.limiter.n_cuts > 0) == is_pressure
    assert (after < 10, end == 20) == (is_pressure, True)
