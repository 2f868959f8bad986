"""The client over a real socket: what it makes of resets, cuts and silence depends on aiohttp, and no mock shows it."""

import asyncio
import io
import logging
import socket
import struct
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from pipelines.api.client import ApiClient
from pipelines.api.download import MAX_BODY_BYTES
from pipelines.api.endpoints import ListQuery, get_audio, get_conversation, list_page
from pipelines.emulator.server.audio import silence
from pipelines.errors import ApiError, ApiUnavailableError, MalformedResponseError

T = TypeVar("T")
Action = Callable[[asyncio.StreamWriter], Awaitable[None]]

KEY = "sk_0123456789abcdef"
DETAIL = b'{"conversation_id": "conv_1", "metadata": {"start_time_unix_secs": 1782336379}}'


def http(body: bytes, status: str = "200 OK", headers: str = "", *, length: int | None = None) -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}"
    return f"{head}content-length: {len(body) if length is None else length}\r\n\r\n".encode() + body


def says(answer: bytes) -> Action:
    async def action(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return action


def then_closes(answer: bytes) -> Action:
    async def action(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    return action


async def resets(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def is_silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def stalls_after(answer: bytes) -> Action:
    async def action(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await asyncio.Event().wait()

    return action


class RawServer:
    """Does one action for each request, the last one for ever; counts its connections, and the client's waits."""

    def __init__(self, *actions: Action) -> None:
        self.actions = list(actions)
        self.request_lines: list[bytes] = []
        self.connections = 0
        self.n_waits = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                action = self.actions[min(len(self.request_lines), len(self.actions) - 1)]
                self.request_lines.append(head.split(b"\r\n")[0])
                await action(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self.serve(reader, writer))
        self.tasks.add(task)


async def conversation(api: ApiClient) -> bytes:
    return await get_conversation(api, "conv_1")


async def no_wait(_secs: float) -> None:
    await asyncio.sleep(0)


def ask(server: RawServer, call: Callable[[ApiClient], Awaitable[T]], *, timeout_secs: float = 20.0) -> T:
    async def wait(_secs: float) -> None:
        server.n_waits += 1
        await asyncio.sleep(0)

    async def main() -> T:
        listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        api = ApiClient(f"http://127.0.0.1:{port}", KEY, timeout_secs=timeout_secs, concurrency=4, sleep=wait)
        try:
            async with api:
                return await call(api)
        finally:
            listening.close()
            for task in server.tasks:
                task.cancel()
            await asyncio.gather(*server.tasks, return_exceptions=True)
            await listening.wait_closed()

    return asyncio.run(main())


CUT = http(DETAIL[:30], length=len(DETAIL))
CUT_CHUNKED = b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"con\r\n'
FAILURES = {
    "reset": resets,
    "closed": then_closes(b""),
    "cut": then_closes(CUT),
    "cut chunked": then_closes(CUT_CHUNKED),
    "cut without a length": then_closes(b"HTTP/1.1 200 OK\r\n\r\n" + DETAIL[:30]),
    "no HTTP": then_closes(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "bad chunk": then_closes(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZZ\r\n"),
    "bad gzip": says(http(b"not gzip", headers="content-encoding: gzip\r\n")),
    "429": says(http(b'{"detail": {"status": "system_busy"}}', "429 Too Many Requests")),
    "503": says(http(b"<h1>Busy</h1>", "503 Service Unavailable")),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_one_failure_is_survived(failure: Action) -> None:
    server = RawServer(failure, says(http(DETAIL)))

    assert ask(server, conversation) == DETAIL
    assert len(server.request_lines) == 2


@pytest.mark.parametrize("silence", [is_silent, stalls_after(CUT)], ids=["no head", "half a body"])
def test_silence_is_ended_by_the_timeout_of_one_attempt(silence: Action) -> None:
    server = RawServer(silence)

    with pytest.raises(ApiUnavailableError, match=r"nothing complete within 0\.25 s"):
        ask(server, lambda api: list_page(api, ListQuery(), None), timeout_secs=0.25)

    assert server.n_waits == 3  # four attempts, also where a busy machine leaves the server no time to read one


@pytest.mark.parametrize("name", ["reset", "closed", "cut", "cut chunked", "no HTTP", "bad chunk", "bad gzip"])
def test_a_transport_that_fails_for_ever_ends_in_an_error_without_the_key(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    with pytest.raises(ApiUnavailableError) as caught:
        ask(RawServer(FAILURES[name]), conversation)

    error = caught.value
    assert (error.__cause__, error.__context__) == (None, None)
    assert KEY not in repr(error) + str(error) + caplog.text


def test_a_body_cut_without_a_length_is_malformed() -> None:
    with pytest.raises(MalformedResponseError, match="answered 200 with a body that cannot be read") as caught:
        ask(RawServer(FAILURES["cut without a length"]), conversation)

    assert caught.value.status == 200


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid", "a..b"], ids=["refused", "no name", "no IDNA"])
def test_a_host_that_does_not_exist_is_an_error_that_says_so(host: str) -> None:
    async def main() -> None:
        async with ApiClient(f"http://{host}", KEY, timeout_secs=2.0, sleep=no_wait) as api:
            with pytest.raises(ApiUnavailableError, match="got no answer from"):
                await conversation(api)
            assert (api.stats.requests, api.stats.retries) == (4, 3)

    asyncio.run(main())


def test_one_connection_serves_requests_in_turn_and_bytes_are_counted() -> None:
    server = RawServer(says(http(DETAIL)))

    async def thrice(api: ApiClient) -> int:
        for _ in range(3):
            await conversation(api)
        return api.stats.bytes_received

    assert ask(server, thrice) == 3 * len(DETAIL)
    assert (len(server.request_lines), server.connections) == (3, 1)


def test_no_more_connections_are_opened_than_requests_may_be_in_flight() -> None:
    server = RawServer(says(http(DETAIL)))

    async def many(api: ApiClient) -> None:
        await asyncio.gather(*(conversation(api) for _ in range(40)))

    ask(server, many)

    assert len(server.request_lines) == 40
    assert server.connections <= 4


def test_path_and_query_arrive_unchanged() -> None:
    server = RawServer(
        says(http(b'{"metadata": {"start_time_unix_secs": 1}}')),
        says(http(b'{"conversations": [], "has_more": false}')),
    )

    async def odd(api: ApiClient) -> None:
        await get_conversation(api, "../a?b%2F")
        await list_page(api, ListQuery(search="x y+z"), "a+b/c==&d")

    ask(server, odd)

    assert server.request_lines == [
        b"GET /v1/convai/conversations/..%2Fa%3Fb%252F HTTP/1.1",
        b"GET /v1/convai/conversations?page_size=100&search=x+y%2Bz&cursor=a%2Bb/c%3D%3D%26d HTTP/1.1",
    ]


def test_a_redirect_is_not_followed_over_the_wire() -> None:
    server = RawServer(says(http(b"", "302 Found", "location: /v1/elsewhere\r\n")))

    with pytest.raises(ApiError, match="never followed with the key"):
        ask(server, conversation)

    assert len(server.request_lines) == 1


def bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(400)) + packer.flush()


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "br"])
def test_a_body_that_decompresses_to_gigabytes_is_not_read_into_memory(encoding: str) -> None:
    body = bomb() if encoding == "gzip" else b"x" * 100
    server = RawServer(says(http(body, headers=f"content-encoding: {encoding}\r\n")))
    tracemalloc.start()
    try:
        with pytest.raises(MalformedResponseError, match=r"more than 64 MiB|not requested"):
            ask(server, conversation)
        assert tracemalloc.get_traced_memory()[1] < 2 * MAX_BODY_BYTES
    finally:
        tracemalloc.stop()


def test_a_large_error_body_is_not_read_into_memory() -> None:
    refusal = http(bytes(MAX_BODY_BYTES + 1), "400 Bad Request")
    with pytest.raises(MalformedResponseError, match="more than 64 MiB"):
        ask(RawServer(says(refusal)), conversation)


MP3 = silence(2)


def test_a_recording_may_take_longer_than_the_server_may_be_silent() -> None:
    async def in_pieces(writer: asyncio.StreamWriter) -> None:
        answer = http(MP3)
        for begin in range(0, len(answer), len(answer) // 5 + 1):
            writer.write(answer[begin : begin + len(answer) // 5 + 1])
            await writer.drain()
            await asyncio.sleep(0.1)

    file, server = io.BytesIO(), RawServer(in_pieces)
    ask(server, lambda api: get_audio(api, "conv_1", file), timeout_secs=0.3)
    assert (file.getvalue(), len(server.request_lines)) == (MP3, 1)


@pytest.mark.parametrize(
    "answer",
    [
        then_closes(b"HTTP/1.1 200 OK\r\n\r\n" + MP3[:-104]),
        then_closes(http(MP3, length=len(MP3) + 104)),
        then_closes(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n68\r\n" + MP3[:104] + b"\r\n"),
        says(http(MP3[:-1])),
    ],
    ids=["without a length", "before its length", "before its last chunk", "in a frame"],
)
def test_a_recording_that_was_cut_short_is_fetched_again(answer: Action) -> None:
    file = io.BytesIO()
    server = RawServer(answer, says(http(MP3)))
    ask(server, lambda api: get_audio(api, "conv_1", file))
    assert (file.getvalue(), len(server.request_lines)) == (MP3, 2)
