"""What a client sends, how many requests at once, and which settings it rejects."""

import asyncio
import json
import traceback

import httpx
import pytest

from pipelines.api.client import ApiClient, Stats
from pipelines.api.endpoints import get_conversation
from pipelines.errors import CredentialsError, SettingsError, UsageError
from tests.helpers.fake_api import DETAIL, KEY, Server, ask, client, conversation


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


@pytest.mark.parametrize("key", ["", "ключ-sk", "sk_1\nx: y", " sk_1"])
def test_a_key_that_no_header_can_carry_is_rejected_and_not_shown(key: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        ApiClient("https://api.example", key)

    assert "sk" not in repr(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("base_url", ["https://", "api.example", "https://[::1"])
def test_a_base_url_without_a_host_is_refused(base_url: str) -> None:
    with pytest.raises(SettingsError, match="ELEVENLABS_BASE_URL"):
        ApiClient(base_url, KEY)


@pytest.mark.parametrize("proxy", ["http://me:pa55/word@127.0.0.1:1", "gopher://me:pa55word@127.0.0.1:1"])
def test_a_proxy_that_is_no_url_is_refused_and_not_shown(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(SettingsError, match="is not the URL of an HTTP proxy") as caught:
        ApiClient("https://api.example", KEY)
    assert "pa55" not in "".join(traceback.format_exception(caught.value))


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
def test_an_id_that_a_path_would_drop_is_never_sent(conversation_id: str) -> None:
    server = Server(httpx.Response(200, content=DETAIL))

    with pytest.raises(UsageError):
        ask(client(server), lambda api: get_conversation(api, conversation_id))

    assert server.requests == []
