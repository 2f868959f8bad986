"""Fetch details as fast as one core can, and print the processor seconds: ``python fetch.py WHO URL COUNT IN_FLIGHT``.

``convohouse`` is the client of the sync with its checks, limiter and retries; ``transport`` a bare loop on the same
transport; ``httpx`` httpx with its own pool; ``aiohttp`` aiohttp alone. All get the same paths in the same order.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import httpx
import httpx_aiohttp
import msgspec

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import CONVERSATIONS, get_conversation

Fetch = Callable[[str], Awaitable[bytes]]
HEADERS = {"xi-api-key": "demo"}


@asynccontextmanager
async def convohouse(url: str, in_flight: int) -> AsyncIterator[Fetch]:
    async with ApiClient(url, "demo", concurrency=in_flight) as client:
        yield lambda conversation_id: get_conversation(client, conversation_id)


@asynccontextmanager
async def _over_httpx(client: httpx.AsyncClient, url: str) -> AsyncIterator[Fetch]:
    async def fetch(conversation_id: str) -> bytes:
        return (await client.get(f"{url}{CONVERSATIONS}/{conversation_id}")).content

    async with client:
        yield fetch


def transport(url: str, in_flight: int):  # noqa: ANN201 - as the others
    limits = httpx.Limits(max_connections=in_flight)
    return _over_httpx(httpx_aiohttp.HttpxAiohttpClient(headers=HEADERS, limits=limits, trust_env=False), url)


def own_pool(url: str, in_flight: int):  # noqa: ANN201 - as the others
    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    return _over_httpx(httpx.AsyncClient(headers=HEADERS, limits=limits, trust_env=False), url)


@asynccontextmanager
async def alone(url: str, in_flight: int) -> AsyncIterator[Fetch]:
    async def fetch(conversation_id: str) -> bytes:
        async with session.get(f"{url}{CONVERSATIONS}/{conversation_id}") as answer:
            return await answer.read()

    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(headers=HEADERS, connector=connector) as session:
        yield fetch


CLIENTS = {"convohouse": convohouse, "transport": transport, "httpx": own_pool, "aiohttp": alone}


def listed(url: str, count: int) -> list[str]:
    with httpx.Client(headers=HEADERS, trust_env=False) as client:
        page = client.get(f"{url}{CONVERSATIONS}", params={"page_size": count}).content
    return [row["conversation_id"] for row in msgspec.json.decode(page)["conversations"]]


async def measure(who: str, url: str, conversation_ids: list[str], in_flight: int) -> None:
    remaining = iter(conversation_ids)

    async def work(fetch: Fetch) -> None:
        for conversation_id in remaining:
            await fetch(conversation_id)

    async with CLIENTS[who](url, in_flight) as fetch:
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work(fetch) for _ in range(in_flight)))
        print(time.process_time() - cpu, time.perf_counter() - wall)


if __name__ == "__main__":
    asyncio.run(measure(sys.argv[1], sys.argv[2], listed(sys.argv[2], int(sys.argv[3])), int(sys.argv[4])))
