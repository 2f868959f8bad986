"""Read a response: into memory up to a limit, or into a file.

A body of 400 kB can decompress to gigabytes, so it is decompressed piece by piece and the reading ends at the limit.
"""

from __future__ import annotations

import asyncio
from typing import BinaryIO

import httpx

from pipelines.errors import TooLargeError

MAX_BODY_BYTES = 64 * 2**20
"""Decompressed bytes of a response that is kept in memory; the largest conversations have some megabytes."""
ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})
"""Encodings that are read: a piece of 16 KiB becomes 16 MiB at most. Others, or several, have no such limit."""


class UnusableBodyError(ValueError):
    """The body is too large, compressed in another way, or perhaps incomplete."""


async def read(response: httpx.Response) -> httpx.Response:
    """Read the body of a streamed response into memory, as ``Response.aread`` does.

    Raises:
        UnusableBodyError: it has more than ``MAX_BODY_BYTES``, or another encoding.
    """
    try:
        _check_encoding(response)
        pieces, n_bytes = [], 0
        async for piece in response.aiter_bytes():
            n_bytes += len(piece)
            if n_bytes > MAX_BODY_BYTES:
                raise UnusableBodyError(f"it has more than {MAX_BODY_BYTES >> 20} MiB")
            pieces.append(piece)
    finally:
        await response.aclose()
    response._content = b"".join(pieces)  # noqa: SLF001 - where aread stores it
    return response


def _check_encoding(response: httpx.Response) -> None:
    if (encoding := response.headers.get("content-encoding", "").strip().lower()) not in ENCODINGS:
        raise UnusableBodyError(f"it is encoded as {encoding!r}, which was not requested")


async def stream(
    client: httpx.AsyncClient,
    request: httpx.Request,
    into: BinaryIO,
    limit: asyncio.Timeout,
    secs: float,
    *,
    max_bytes: float,
) -> httpx.Response:
    """Send ``request``; the body of a success replaces the content of the file, an error's body is read into memory.

    Args:
        client: Sends it.
        request: What to send.
        into: A file open for writing; its content is dropped first, as an earlier attempt may have left a part.
        limit: The timeout around this function; each piece moves it on.
        secs: How long the server may be silent.
        max_bytes: The size of the file at which the reading ends: the server may never end.

    Raises:
        TooLargeError: the body has more than ``max_bytes``.
        UnusableBodyError: it has another encoding, or nothing says where it ends; or see ``read``.
    """
    loop = asyncio.get_running_loop()
    into.seek(0)
    into.truncate()
    response = await client.send(request, stream=True)
    if not response.is_success:
        return await read(response)
    try:
        _check_encoding(response)
        async for piece in response.aiter_bytes():  # as they come: a slow server is not silent
            into.write(piece)
            if into.tell() > max_bytes:
                raise TooLargeError("The recording is larger than allowed.")
            limit.reschedule(loop.time() + secs)
        if into.tell() and not response.headers.keys() & {"content-length", "transfer-encoding"}:
            raise UnusableBodyError("it has no length, so it may be cut short")
    finally:
        await response.aclose()
    return response
