"""Which failures are retried, when, and for how long."""

import asyncio

import httpx
import pytest

from pipelines.api.client import ApiClient
from pipelines.errors import ApiUnavailableError, MalformedResponseError
from tests.helpers.fake_api import DETAIL, HTML, KEY, Server, Time, ask, client, conversation, first_page, vendor_error


def test_a_busy_server_is_retried_after_growing_waits() -> None:
    time = Time()
    server = Server(
        vendor_error(429, "system_busy"),
        httpx.Response(502, html="<h1>Bad gateway</h1>"),
        httpx.ReadError("reset"),
        ConnectionResetError("reset"),
        httpx.Response(408),
        httpx.Response(200, content=DETAIL),
    )
    api = client(server, time)

    assert ask(api, conversation) == DETAIL
    assert time.waits == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert (api.stats.requests, api.stats.retries) == (6, 5)


@pytest.mark.parametrize(
    ("header", "wait"), [("7", 7.5), ("Sun, 01 Mar 2026 12:00:09 GMT", 9.5), ("9999", 60.5), ("soon", 0.5)]
)
def test_retry_after_is_honoured(header: str, wait: float) -> None:
    time = Time()
    busy = httpx.Response(429, headers={"retry-after": header})

    ask(client(Server(busy, httpx.Response(200, content=DETAIL)), time), conversation)

    assert time.waits == [wait]


@pytest.mark.parametrize(("first", "limits"), [(200, range(20, 33)), (500, range(9, 13))])
def test_a_failure_of_any_kind_ends_the_slow_start(first: int, limits: range) -> None:
    """Each success raises the limit of eight by one, or by about an eighth after a failure, while more are waiting."""

    server = Server(httpx.Response(first, content=DETAIL), httpx.Response(200, content=DETAIL))

    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.001)  # so that requests are in flight together
        return server(request)

    async def both(api: ApiClient) -> int:
        await conversation(api)
        await asyncio.gather(*(conversation(api) for _ in range(40)))
        return api.limiter.limit

    time = Time()
    api = ApiClient("https://api.example", KEY, concurrency=64, transport=httpx.MockTransport(answer), sleep=time.sleep)
    assert ask(api, both) in limits


def test_no_attempt_starts_after_the_deadline() -> None:
    time = Time()
    server = Server(vendor_error(503, "system_busy", "try later", **{"x-trace-id": "t-77"}))

    with pytest.raises(ApiUnavailableError) as caught:
        ask(client(server, time, deadline_secs=20.0), conversation)

    assert time.waits == [0.5, 1.0, 2.0, 4.0, 8.0]  # the next wait, 16 s, would end at 31.5 s
    assert len(server.requests) == 6
    assert (caught.value.status, caught.value.code, caught.value.exit_code) == (503, "system_busy", 3)
    assert caught.value.message == (
        "GET /v1/convai/conversations/conv_1 answered 503: system_busy: try later (trace t-77)."
    )


def test_a_host_that_never_responded_is_given_up_soon() -> None:
    time = Time()
    server = Server(httpx.ConnectTimeout("Cannot connect to host api.example:443 [Name or service not known]"))

    with pytest.raises(
        ApiUnavailableError, match=r"no answer from api\.example: .*Name or service not known"
    ) as caught:
        ask(client(server, time), first_page)

    assert (len(server.requests), sum(time.waits)) == (4, 3.5)
    assert "ELEVENLABS_BASE_URL" in caught.value.hint


def test_a_host_that_responded_once_is_retried_until_the_deadline() -> None:
    time = Time()
    server = Server(httpx.Response(200, content=DETAIL), httpx.ConnectTimeout("reset by peer"))

    async def twice(api: ApiClient) -> None:
        await conversation(api)
        with pytest.raises(ApiUnavailableError, match="reset by peer"):
            await conversation(api)

    ask(client(server, time, deadline_secs=180.0), twice)

    assert len(server.requests) == 1 + 11
    assert 150 < time.secs < 180


def test_a_host_that_is_not_the_api_is_detected_soon() -> None:
    time = Time()
    server = Server(HTML)

    with pytest.raises(MalformedResponseError, match="does not look like the ElevenLabs API") as caught:
        ask(client(server, time), first_page)

    assert (len(server.requests), sum(time.waits), caught.value.exit_code) == (4, 3.5, 3)


def test_the_error_of_a_malformed_conversation_holds_nothing_of_its_body() -> None:
    cut = httpx.Response(200, content=DETAIL[:40], headers={"content-type": "application/json"})
    server = Server(cut)

    with pytest.raises(MalformedResponseError) as caught:
        ask(client(server), conversation)

    assert caught.value.status == 200
    held = repr(vars(caught.value)) + str(caught.value)
    assert "conv_1" not in held.replace("/v1/convai/conversations/conv_1", "")
    assert len(server.requests) == 4


def test_a_body_nested_without_end_is_malformed() -> None:
    with pytest.raises(MalformedResponseError):
        ask(client(Server(httpx.Response(200, content=b"[" * 100_000))), conversation)


def test_a_body_that_is_malformed_for_a_while_is_requested_again() -> None:
    busy = [httpx.Response(503)] * 4  # these do not use up the few attempts of a malformed body
    server = Server(*busy, HTML, HTML, HTML, httpx.Response(200, content=DETAIL))

    assert ask(client(server), conversation) == DETAIL
