"""An answer that is too long for memory goes into a file as it comes."""

from __future__ import annotations

import asyncio
from typing import BinaryIO

import httpx

CHUNK_BYTES = 65_536


async def stream(
    client: httpx.AsyncClient, request: httpx.Request, into: BinaryIO, limit: asyncio.Timeout, secs: float
) -> httpx.Response:
    """Send ``request``; a success's body takes the place of all that the file held, any other body is read whole.

    Args:
        client: Sends it.
        request: What to send.
        into: A file open for writing.
        limit: The time-out around this call; each chunk sets it anew.
        secs: How long nothing may come.
    """
    loop = asyncio.get_running_loop()
    into.seek(0)
    into.truncate()
    answer = await client.send(request, stream=True)
    try:
        if not answer.is_success:
            await answer.aread()
            return answer
        async for chunk in answer.aiter_bytes(CHUNK_BYTES):
            into.write(chunk)
            limit.reschedule(loop.time() + secs)
    finally:
        await answer.aclose()
    return answer
