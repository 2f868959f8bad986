"""One exchange with the API over the wire, or why there was none.

httpx is the interface and aiohttp the transport under it, for a third of the processor time. Its errors are told apart
by no class: aiohttp's refused connections, failed look-ups and resets all arrive as ``httpx.ConnectTimeout``, and
malformed HTTP as aiohttp's own error, whose ``repr`` holds the request's headers. So every failure of the transport is
handled alike, and only its text is kept.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import cache
from types import TracebackType
from typing import Any, Self

import aiohttp
import httpx
import httpx_aiohttp

from pipelines.api.download import stream
from pipelines.api.error_mapping import CHECK_HOST
from pipelines.api.request import ApiRequest, ConnectionFailure
from pipelines.errors import SettingsError

CONNECT_TIMEOUT_SECS = 10.0
KEEP_ALIVE_SECS = 30.0
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class _NoCookies(httpx.Cookies):
    """Keeps none: the key alone says who asks, and to look for cookies is a twentieth of a request's time."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave them."""


class _Client(httpx_aiohttp.HttpxAiohttpClient):
    cookies: Any = _NoCookies()


class Transport:
    """An async context manager that carries calls to ``base_url``, each with the key; redirects are never followed.

    Args:
        base_url: Scheme and host, with a path where a gateway needs one.
        key: The API key, of characters that a header can carry.
        connect_secs: Time for a connection to be made, 10 s at most.
        connections: How many there may be at once.
        transport: Replaces the network, for tests.

    Raises:
        SettingsError: ``base_url`` is no URL.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        connect_secs: float,
        connections: int,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        url = _parse_base_url(base_url)
        is_ours = url.host in LOOPBACK
        self.host = url.host
        self._base_url = base_url.rstrip("/")
        self._http = _Client(
            headers={"xi-api-key": key, "accept": "application/json", "user-agent": "convohouse"},
            timeout=httpx.Timeout(None, connect=min(CONNECT_TIMEOUT_SECS, connect_secs)),
            limits=httpx.Limits(max_connections=connections, keepalive_expiry=KEEP_ALIVE_SECS),
            follow_redirects=False,
            trust_env=not is_ours,  # proxies of the environment, but not to ourselves
            verify=_no_trust() if is_ours and url.scheme == "http" else _system_trust(trust_env=not is_ours),
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def handle_request(self, call: ApiRequest[Any], secs: float) -> httpx.Response | ConnectionFailure:
        """Send a call and wait ``secs`` for the answer's last byte, or for any byte where it goes into a file."""
        try:
            async with asyncio.timeout(secs) as limit:
                request = httpx.Request(
                    call.method,
                    self._base_url + call.path,
                    params=call.params or None,
                    headers=self._http.headers,
                    json=call.body,
                )
                if call.into is None:
                    return await self._http.send(request)
                return await stream(self._http, request, call.into, limit, secs)
        except TimeoutError:
            return ConnectionFailure(f"nothing complete within {secs:g} s", is_timeout=True)
        except (httpx.RequestError, aiohttp.ClientError, OSError, UnicodeError) as error:  # UnicodeError: host name
            return ConnectionFailure(" ".join(str(error).split()) or type(error).__name__)


def _parse_base_url(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL()
    if not url.host:
        raise SettingsError("ELEVENLABS_BASE_URL is no URL with a host.", CHECK_HOST)
    return url


@cache
def _system_trust(*, trust_env: bool) -> ssl.SSLContext:
    """The authorities that httpx trusts, or those of the environment; read once, as it takes 20 ms and more."""
    return httpx.create_ssl_context(trust_env=trust_env)


@cache
def _no_trust() -> ssl.SSLContext:
    """For plain HTTP to ourselves, where no certificate is ever seen."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
