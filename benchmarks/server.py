"""A minimal server: prebuilt bodies over a bare protocol, so that only the client is measured.

The emulator generates each response and would be the slower side. Run as ``python -m benchmarks.server COUNT``; it
prints its URL once it listens, and serves until it is terminated.
"""

from __future__ import annotations

import argparse
import asyncio
from bisect import bisect_left
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs

import uvloop

from benchmarks.corpus import Conversation, corpus

LIST = "/v1/convai/conversations"


class Api:
    """The two endpoints that a copy of the conversations needs: the list, and one conversation."""

    def __init__(self, conversations: Sequence[Conversation]) -> None:
        """Rows are built once; a document is built on request, by replacements in prebuilt bytes."""
        self._rows = [conversation.row for conversation in conversations]
        self._starts = [-conversation.start for conversation in conversations]
        self._conversations = {conversation.conversation_id: conversation for conversation in conversations}

    def answer(self, target: str) -> bytes:
        """The complete response to a GET of a path with its query."""
        path, _, query = target.partition("?")
        if path == LIST:
            return _ok(self._page({name: values[0] for name, values in parse_qs(query).items()}))
        conversation = self._conversations.get(path.rpartition("/")[2])
        return _ok(conversation.detail) if conversation else b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"

    def _page(self, query: dict[str, str]) -> bytes:
        until = query.get("call_start_before_unix")
        since = query.get("call_start_after_unix")
        first = bisect_left(self._starts, -int(until)) if until else 0
        last = bisect_left(self._starts, -int(since) + 1) if since else len(self._rows)
        begin = max(first, int(query.get("cursor", 0)))
        end = min(begin + int(query.get("page_size", 30)), last)
        cursor = b'"%d","has_more":true' % end if end < last else b'null,"has_more":false'
        return b'{"conversations":[' + b",".join(self._rows[begin:end]) + b'],"next_cursor":' + cursor + b"}"


def _ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


class Connection(asyncio.Protocol):
    """One keep-alive connection; each response waits ``latency`` seconds."""

    def __init__(self, answer: Callable[[str], bytes], latency: float) -> None:
        """``answer`` turns the target of a GET into bytes."""
        self._answer = answer
        self._latency = latency
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for the responses."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every complete request."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            answer = self._answer(head.split(b" ", 2)[1].decode())
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._write, answer)
            else:
                self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def _serve(api: Api, latency: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Connection(api.answer, latency), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds a request")
    parser.add_argument("--revised", action="store_true", help="one conversation in a hundred differs")
    options = parser.parse_args()
    api = Api(corpus(options.count, is_revised=options.revised))
    uvloop.run(_serve(api, options.latency))


if __name__ == "__main__":
    main()
