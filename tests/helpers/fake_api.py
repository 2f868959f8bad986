"""An API in one process for the tests of the client: answers in turn, and a clock that only waiting moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import ListQuery, get_conversation, list_page
from pipelines.settings import Settings

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
        await asyncio.sleep(0)

    def monotonic(self) -> float:
        return self.secs

    def clock(self) -> datetime:
        return datetime(2026, 3, 1, 12, tzinfo=UTC)

    def connect(self, settings: Settings, **options: Any) -> ApiClient:
        """A client over the network whose retries do not wait."""
        return ApiClient(settings.base_url, settings.key(), sleep=self.sleep, monotonic=self.monotonic, **options)


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
