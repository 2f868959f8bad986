"""Stream a response that is too large for memory into a file."""

from __future__ import annotations

import asyncio
from typing import BinaryIO

import httpx

CHUNK_BYTES = 65_536


async def stream(
    client: httpx.AsyncClient, request: httpx.Request, into: BinaryIO, limit: asyncio.Timeout, secs: float
) -> httpx.Response:
    """Send ``request``; the body of a success replaces the content of the file, an error's body is read into memory.

    Args:
        client: Sends it.
        request: What to send.
        into: A file open for writing; its content is dropped first, as an earlier attempt may have left a part.
        limit: The timeout around this function; each chunk moves it on.
        secs: How long the server may be silent.
    """
    loop = asyncio.get_running_loop()
    into.seek(0)
    into.truncate()
    response = await client.send(request, stream=True)
    try:
        if not response.is_success:
            await response.aread()
            return response
        async for chunk in response.aiter_bytes(CHUNK_BYTES):
            into.write(chunk)
            limit.reschedule(loop.time() + secs)
    finally:
        await response.aclose()
    return response
