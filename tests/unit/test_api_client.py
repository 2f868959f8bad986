import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar

import httpx
import pytest

from pipelines.api.client import ApiClient, Stats
from pipelines.api.endpoints import ListQuery, get_conversation, iterate_list, list_page
from pipelines.errors import (
    ApiError,
    CredentialsError,
    CursorRefusedError,
    GarbledError,
    GoneError,
    SettingsError,
    UnreachableError,
    UsageError,
)

T = TypeVar("T")

KEY = "sk_0123456789abcdef"
DETAIL = b'{"conversation_id": "conv_1", "metadata": {"start_time_unix_secs": 1782336379}}'
LAST_PAGE: dict[str, object] = {"conversations": [], "next_cursor": None, "has_more": False}
HTML = httpx.Response(200, html="<h1>Welcome to nginx</h1>")


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.secs = 0.0
        self.waits: list[float] = []

    async def sleep(self, secs: float) -> None:
        self.waits.append(secs)
        self.secs += secs

    def monotonic(self) -> float:
        return self.secs

    def clock(self) -> datetime:
        return datetime(2026, 3, 1, 12, tzinfo=UTC)


class Server:
    """Gives its answers in turn, the last one for ever, and remembers what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def vendor_error(status: int, code: str, message: str = "words", **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"detail": {"status": code, "message": message}}, headers=headers)


def client(server: Server, time: Time | None = None, **options: float) -> ApiClient:
    time = time or Time()
    return ApiClient(
        "https://api.example",
        KEY,
        transport=httpx.MockTransport(server),
        sleep=time.sleep,
        random=lambda: 1.0,
        clock=time.clock,
        monotonic=time.monotonic,
        **{"concurrency": 8, **options},  # type: ignore[arg-type]
    )


def ask(api: ApiClient, call: Callable[[ApiClient], Awaitable[T]]) -> T:
    async def main() -> T:
        async with api:
            return await call(api)

    return asyncio.run(main())


async def conversation(api: ApiClient) -> bytes:
    return await get_conversation(api, "conv_1")


async def first_page(api: ApiClient) -> object:
    return await list_page(api, ListQuery(), None)


async def next_page(api: ApiClient) -> object:
    return await list_page(api, ListQuery(), "abc")


async def whole_list(api: ApiClient) -> list[str | None]:
    return [page.next_cursor async for page in iterate_list(api, ListQuery())]


@pytest.mark.parametrize("base_url", ["https://gateway.example/eleven", "https://gateway.example/eleven/"])
def test_a_base_url_can_have_a_path(base_url: str) -> None:
    server = Server(httpx.Response(200, content=DETAIL))

    ask(ApiClient(base_url, KEY, transport=httpx.MockTransport(server)), conversation)

    assert str(server.requests[0].url) == "https://gateway.example/eleven/v1/convai/conversations/conv_1"


def test_a_conversation_comes_back_byte_for_byte() -> None:
    server = Server(httpx.Response(200, content=DETAIL))

    assert ask(client(server), conversation) == DETAIL

    (request,) = server.requests
    assert str(request.url) == "https://api.example/v1/convai/conversations/conv_1"
    assert request.headers["xi-api-key"] == KEY
    assert "authorization" not in request.headers


def test_a_busy_server_is_asked_again_after_growing_waits() -> None:
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


def test_no_attempt_starts_after_the_deadline() -> None:
    time = Time()
    server = Server(vendor_error(503, "system_busy", "try later", **{"x-trace-id": "t-77"}))

    with pytest.raises(UnreachableError) as caught:
        ask(client(server, time, deadline_secs=20.0), conversation)

    assert time.waits == [0.5, 1.0, 2.0, 4.0, 8.0]  # the next wait, 16 s, would end at 31.5 s
    assert len(server.requests) == 6
    assert (caught.value.status, caught.value.code, caught.value.exit_code) == (503, "system_busy", 3)
    assert caught.value.message == (
        "GET /v1/convai/conversations/conv_1 answered 503: system_busy: try later (trace t-77)."
    )


def test_a_host_that_never_answered_is_given_up_soon() -> None:
    time = Time()
    server = Server(httpx.ConnectTimeout("Cannot connect to host api.example:443 [Name or service not known]"))

    with pytest.raises(UnreachableError, match=r"no answer from api\.example: .*Name or service not known") as caught:
        ask(client(server, time), first_page)

    assert (len(server.requests), sum(time.waits)) == (4, 3.5)
    assert "ELEVENLABS_BASE_URL" in caught.value.hint


def test_a_host_that_answered_once_is_tried_until_the_deadline() -> None:
    time = Time()
    server = Server(httpx.Response(200, content=DETAIL), httpx.ConnectTimeout("reset by peer"))

    async def twice(api: ApiClient) -> None:
        await conversation(api)
        with pytest.raises(UnreachableError, match="reset by peer"):
            await conversation(api)

    ask(client(server, time, deadline_secs=180.0), twice)

    assert len(server.requests) == 1 + 11
    assert 150 < time.secs < 180


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (vendor_error(401, "invalid_api_key", "Invalid API key"), "the key is wrong; invalid_api_key: Invalid API key"),
        (vendor_error(400, "invalid_api_key"), "the key is wrong"),
        (vendor_error(401, "needs_authorization"), "no key arrived"),
        (vendor_error(401, "missing_permissions"), "lacks a scope"),
        (vendor_error(401, "quota_exceeded"), "quota or payment"),
        (vendor_error(401, "a_new_word"), "the key is wrong; a_new_word: words"),
        (httpx.Response(401), "the key is wrong"),
        (httpx.Response(402), "quota or payment"),
        (httpx.Response(403), "lacks a scope"),
    ],
)
def test_a_refused_key_stops_at_once_and_says_why(answer: httpx.Response, said: str) -> None:
    server = Server(answer)

    with pytest.raises(CredentialsError) as caught:
        ask(client(server), next_page)

    assert said in caught.value.message
    assert caught.value.hint
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("call", "answer", "error"),
    [
        (conversation, vendor_error(404, "conversation_not_found"), GoneError),
        (conversation, httpx.Response(404, json={"detail": "Not Found"}), GoneError),
        (conversation, httpx.Response(404, html="<h1>no such site</h1>"), ApiError),
        (conversation, httpx.Response(422, json={"detail": [{"msg": "no"}]}), ApiError),
        (first_page, vendor_error(404, "not_found"), ApiError),
        (first_page, vendor_error(400, "bad"), ApiError),
        (next_page, vendor_error(400, "invalid_cursor"), CursorRefusedError),
        (next_page, vendor_error(404, "not_found"), CursorRefusedError),
        (next_page, httpx.Response(422, json={"detail": [{"msg": "no"}]}), CursorRefusedError),
    ],
)
def test_other_refusals_stop_at_once_with_their_own_error(
    call: Callable[[ApiClient], Awaitable[object]], answer: httpx.Response, error: type[ApiError]
) -> None:
    server = Server(answer)

    with pytest.raises(ApiError) as caught:
        ask(client(server), call)

    assert type(caught.value) is error
    assert caught.value.status == answer.status_code
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://login.example/?token=secret", "a redirect to login.example,"),
        ("/elsewhere", "a redirect to another path of the same host,"),
    ],
)
def test_a_redirect_is_not_followed_and_names_the_host_alone(location: str, named: str) -> None:
    server = Server(httpx.Response(307, headers={"location": location}))

    with pytest.raises(ApiError) as caught:
        ask(client(server), first_page)

    assert named in caught.value.message
    assert "secret" not in str(caught.value)
    assert [request.url.host for request in server.requests] == ["api.example"]


def test_a_host_that_is_not_the_api_is_found_out_soon() -> None:
    time = Time()
    server = Server(HTML)

    with pytest.raises(GarbledError, match="does not look like the ElevenLabs API") as caught:
        ask(client(server, time), first_page)

    assert (len(server.requests), sum(time.waits), caught.value.exit_code) == (4, 3.5, 3)


def test_a_garbled_conversation_is_handed_over_in_the_error_but_not_in_its_text() -> None:
    cut = httpx.Response(200, content=DETAIL[:40], headers={"content-type": "application/json"})
    server = Server(cut)

    with pytest.raises(GarbledError) as caught:
        ask(client(server), conversation)

    assert caught.value.body == DETAIL[:40]
    assert "conv_1" not in caught.value.message.replace("/v1/convai/conversations/conv_1", "")
    assert len(server.requests) == 4


def test_a_body_nested_without_end_is_garbled() -> None:
    with pytest.raises(GarbledError):
        ask(client(Server(httpx.Response(200, content=b"[" * 100_000))), conversation)


def test_a_body_garbled_for_a_while_is_asked_for_again() -> None:
    busy = [httpx.Response(503)] * 4  # these do not use up the few attempts of a garbled body
    server = Server(*busy, HTML, HTML, HTML, httpx.Response(200, content=DETAIL))

    assert ask(client(server), conversation) == DETAIL


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"detail": {"status": "invalid_api_key", "message": f"No such key: {KEY}"}}),
        httpx.Response(400, json={"detail": "x" * 290 + KEY}, headers={"x-trace-id": KEY}),
        httpx.Response(302, headers={"location": f"https://{KEY}.example/"}),
        httpx.Response(200, text="?", headers={"content-type": f"text/{KEY}"}),
        httpx.Response(503, json={"detail": KEY}),
        httpx.ReadError(f"sent {KEY}"),
    ],
)
def test_the_key_is_in_no_error_repr_or_log(
    answer: httpx.Response | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api = client(Server(answer))

    with pytest.raises(ApiError) as caught:
        ask(api, first_page)

    error = caught.value
    assert (error.__cause__, error.__context__) == (None, None)
    for text in (str(error), repr(error), error.hint, repr(api), caplog.text):
        assert KEY[:8] not in text


@pytest.mark.parametrize("key", ["", "ключ-sk", "sk_1\nx: y", " sk_1"])
def test_a_key_that_no_header_can_carry_is_refused_unnamed(key: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        ApiClient("https://api.example", key)

    assert "sk" not in repr(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("base_url", ["https://", "api.example", "https://[::1"])
def test_a_base_url_without_a_host_is_refused(base_url: str) -> None:
    with pytest.raises(SettingsError, match="ELEVENLABS_BASE_URL"):
        ApiClient(base_url, KEY)


def test_no_more_requests_than_allowed_are_in_flight() -> None:
    in_flight: list[int] = []
    now = 0

    async def slow(request: httpx.Request) -> httpx.Response:
        nonlocal now
        now += 1
        in_flight.append(now)
        for _ in range(5):
            await asyncio.sleep(0)
        now -= 1
        name = request.url.path.rsplit("/", 1)[1]
        return httpx.Response(200, json={"conversation_id": name, "metadata": {"start_time_unix_secs": 1}})

    async def many(api: ApiClient) -> list[bytes]:
        return await asyncio.gather(*(get_conversation(api, f"conv_{number}") for number in range(20)))

    api = ApiClient("https://api.example", KEY, concurrency=3, transport=httpx.MockTransport(slow))
    bodies = ask(api, many)

    assert [json.loads(body)["conversation_id"] for body in bodies] == [f"conv_{number}" for number in range(20)]
    assert max(in_flight) == 3
    assert api.stats == Stats(requests=20, retries=0, bytes_received=0)  # a mock has no wire


def test_every_filter_goes_with_every_page() -> None:
    query = ListQuery(
        call_start_after_unix=1000,
        call_start_before_unix=2000,
        agent_id="agent_1",
        call_successful="failure",
        user_id="u@example.org",
        summary_mode="include",
        search="a & b",
    )
    server = Server(
        httpx.Response(200, json={"conversations": [], "next_cursor": "a+b/c==", "has_more": True}),
        httpx.Response(200, json=LAST_PAGE),
    )

    async def pages(api: ApiClient) -> list[str | None]:
        return [page.next_cursor async for page in iterate_list(api, query)]

    assert ask(client(server), pages) == ["a+b/c==", None]

    filters = {
        "page_size": "100",
        "call_start_after_unix": "1000",
        "call_start_before_unix": "2000",
        "agent_id": "agent_1",
        "call_successful": "failure",
        "user_id": "u@example.org",
        "summary_mode": "include",
        "search": "a & b",
    }
    assert [dict(request.url.params) for request in server.requests] == [filters, {**filters, "cursor": "a+b/c=="}]


def test_a_filter_that_is_not_given_is_not_sent() -> None:
    server = Server(httpx.Response(200, json=LAST_PAGE))

    ask(client(server), first_page)

    assert server.requests[0].url.query == b"page_size=100"


def test_a_list_whose_cursor_repeats_is_ended_with_an_error() -> None:
    def answers() -> Iterable[httpx.Response]:
        for cursor in ("a", "b", "a"):
            yield httpx.Response(200, json={"conversations": [], "next_cursor": cursor, "has_more": True})

    server = Server(*answers())

    with pytest.raises(ApiError, match="loops"):
        ask(client(server), whole_list)

    assert len(server.requests) == 3


def test_a_list_can_be_left_before_its_end() -> None:
    server = Server(httpx.Response(200, json={"conversations": [], "next_cursor": "a", "has_more": True}))

    async def one(api: ApiClient) -> None:
        pages: AsyncIterator[object] = iterate_list(api, ListQuery())
        await anext(pages)

    ask(client(server), one)

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("conversation_id", "path"),
    [
        ("../agents", b"/v1/convai/conversations/..%2Fagents"),
        ("a?b#c", b"/v1/convai/conversations/a%3Fb%23c"),
        ("%2e%2e", b"/v1/convai/conversations/%252e%252e"),
        ("é x", b"/v1/convai/conversations/%C3%A9%20x"),
    ],
)
def test_an_odd_id_stays_one_segment_of_the_path(conversation_id: str, path: bytes) -> None:
    server = Server(httpx.Response(200, json={"metadata": {"start_time_unix_secs": 1}}))

    ask(client(server), lambda api: get_conversation(api, conversation_id))

    assert [request.url.raw_path for request in server.requests] == [path]


@pytest.mark.parametrize("conversation_id", ["", ".", ".."])
def test_an_id_that_a_path_would_swallow_is_never_sent(conversation_id: str) -> None:
    server = Server(httpx.Response(200, content=DETAIL))

    with pytest.raises(UsageError):
        ask(client(server), lambda api: get_conversation(api, conversation_id))

    assert server.requests == []
