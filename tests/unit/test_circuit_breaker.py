"""When a run stops because the API is down."""

from __future__ import annotations

import asyncio

import pytest

from pipelines.api.circuit_breaker import MAX_CONSECUTIVE_FAILURES, CircuitBreaker, is_answered
from pipelines.errors import ApiError, ApiUnavailableError, CredentialsError, MalformedResponseError, NotFoundError


def unavailable(number):
    return ApiUnavailableError(f"no response {number}", status=503)


def test_the_fifth_failure_in_a_row_is_raised_itself_and_the_four_before_are_not():
    breaker = CircuitBreaker()
    errors = [unavailable(number) for number in range(5)]
    for error in errors[:4]:
        breaker.on_error(error)
    with pytest.raises(ApiUnavailableError) as caught:
        breaker.on_error(errors[4])
    assert caught.value is errors[4]
    assert MAX_CONSECUTIVE_FAILURES == 5


def test_a_response_starts_the_count_again():
    breaker = CircuitBreaker(max_failures=2)
    for number in range(10):
        breaker.on_error(unavailable(number))
        breaker.on_response()
    breaker.on_error(unavailable(10))
    with pytest.raises(ApiUnavailableError, match="no response 11"):
        breaker.on_error(unavailable(11))


def test_a_rejected_key_counts_like_an_outage():
    breaker = CircuitBreaker(max_failures=2)
    breaker.on_error(CredentialsError("no scope", status=403))
    with pytest.raises(CredentialsError, match="no scope"):
        breaker.on_error(CredentialsError("no scope", status=403))


@pytest.mark.parametrize("kind", [ApiError, NotFoundError, MalformedResponseError])
def test_an_error_response_is_a_response_and_never_raised(kind):
    breaker = CircuitBreaker(max_failures=2)
    for number in range(10):
        breaker.on_error(unavailable(number))
        breaker.on_error(kind("refused", status=400))
    breaker.on_error(unavailable(10))
    with pytest.raises(ApiUnavailableError):
        breaker.on_error(unavailable(11))


def test_once_open_it_stays_open():
    breaker = CircuitBreaker(max_failures=1)
    for number in range(3):
        with pytest.raises(ApiUnavailableError):
            breaker.on_error(unavailable(number))


def decide(errors, answers):
    """How many errors are an item's until one is raised, and how many probes that takes."""
    breaker, probes = CircuitBreaker(), []

    async def probe():
        probes.append(len(probes))
        return answers[len(probes) - 1]

    async def work():
        for number, error in enumerate(errors):
            try:
                await breaker.on_item_error(error, probe)
            except type(error):
                return number
        return len(errors)

    return asyncio.run(work()), len(probes)


@pytest.mark.parametrize(
    ("kind", "answers", "decision"),
    [
        (ApiUnavailableError, [True, True, True], (12, 2)),
        (ApiUnavailableError, [True, False], (9, 2)),
        (ApiError, [False], (4, 1)),
        (MalformedResponseError, [False], (4, 1)),
        (CredentialsError, [False], (0, 1)),
        (CredentialsError, [True, True, False], (2, 3)),
    ],
)
def test_a_probe_decides_whether_failures_are_those_of_items(kind, answers, decision):
    assert decide([kind("no", status=500) for _ in range(12)], answers) == decision


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, True),
        (NotFoundError("no such conversation", status=404), True),
        (ApiError("refused", status=422), False),
        (MalformedResponseError("HTML", status=200), False),
        (unavailable(1), False),
    ],
)
def test_that_there_is_no_such_item_is_an_answer_and_any_other_error_is_none(error, expected):
    async def probe():
        if error:
            raise error

    assert asyncio.run(is_answered(probe)) is expected
