"""Send one HTTP request and return its response, or why there was none.

httpx is the interface, with aiohttp as the transport under it, which takes a third of the CPU time. The classes of its
errors say little: refused connections, failed DNS lookups and resets all arrive as ``httpx.ConnectTimeout``, and
malformed HTTP as aiohttp's own error, whose ``repr`` holds the request's headers. So every failure of the transport is
handled alike, and only its text is kept.
"""

from __future__ import annotations

import asyncio
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import TracebackType
from typing import Any, Self

import aiohttp
import httpx
import httpx_aiohttp

from pipelines.api.download import UnusableBodyError, read, stream
from pipelines.api.error_mapping import CHECK_HOST, PROXY_VARIABLES
from pipelines.api.request import ApiRequest, ConnectionFailure
from pipelines.errors import SettingsError

CONNECT_TIMEOUT_SECS = 10.0
KEEP_ALIVE_SECS = 30.0
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class _NoCookies(httpx.Cookies):
    """Stores no cookies: the key alone authenticates, and parsing cookies takes a twentieth of a request's time."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Do nothing, on purpose."""


class _Client(httpx_aiohttp.HttpxAiohttpClient):
    cookies: Any = _NoCookies()


class Transport:
    """Sends requests to ``base_url`` with the key; an async context manager. Redirects are never followed.

    Args:
        base_url: Scheme and host, with a path where a gateway needs one.
        key: The API key, of characters that a header can carry.
        connect_secs: Timeout of a connection attempt, capped at 10 s.
        connections: The most open connections.
        transport: Replaces the network, for tests.

    Raises:
        SettingsError: ``base_url`` is not a URL, or the environment names a proxy or certificates that cannot be used.
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
        is_loopback = url.host in LOOPBACK
        self.host = url.host
        self._base_url = base_url.rstrip("/")
        self.has_proxy = not is_loopback and _has_proxy(url)
        trust = _no_trust() if is_loopback and url.scheme == "http" else _system_trust()
        with _proxy_errors():
            self._http = _Client(
                headers={
                    "xi-api-key": key,
                    "accept": "application/json",
                    "accept-encoding": "gzip, deflate",
                    "user-agent": "convohouse",
                },
                timeout=httpx.Timeout(None, connect=min(CONNECT_TIMEOUT_SECS, connect_secs)),
                limits=httpx.Limits(max_connections=connections, keepalive_expiry=KEEP_ALIVE_SECS),
                follow_redirects=False,
                trust_env=not is_loopback,  # no proxy of the environment for the emulator on this machine
                verify=trust,
                transport=transport,
            )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def handle_request(self, request: ApiRequest[Any], secs: float) -> httpx.Response | ConnectionFailure:
        """Send one attempt; ``secs`` is the timeout up to the last byte, or for each chunk of a download."""
        try:
            async with asyncio.timeout(secs) as limit:
                http_request = httpx.Request(
                    request.method,
                    self._base_url + request.path,
                    params=request.params or None,
                    headers=self._http.headers,
                    json=request.body,
                )
                if request.into is None:
                    return await read(await self._http.send(http_request, stream=True))
                return await stream(self._http, http_request, request.into, limit, secs, max_bytes=request.max_bytes)
        except UnusableBodyError as error:
            return ConnectionFailure(str(error), is_malformed=True)
        except TimeoutError:
            return ConnectionFailure(f"nothing complete within {secs:g} s", is_timeout=True)
        except (httpx.RequestError, aiohttp.ClientError, OSError, UnicodeError) as error:  # UnicodeError: host name
            reason = " ".join(str(error).split()).replace(" ssl:default", "")  # aiohttp's word for usual trust
            return ConnectionFailure(reason or type(error).__name__)


def is_readable_on_the_way(base_url: str) -> bool:
    """Whether requests to ``base_url``, with the key, leave this machine without encryption."""
    url = _parse_base_url(base_url)
    return url.scheme == "http" and url.host not in LOOPBACK


def _parse_base_url(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL()
    if not url.host:
        raise SettingsError("ELEVENLABS_BASE_URL is not a URL with a host.", CHECK_HOST)
    return url


def _has_proxy(url: httpx.URL) -> bool:
    """Whether the environment names a proxy for requests to ``url``, by the rules of httpx.

    Raises:
        SettingsError: it is none for HTTP. aiohttp would take a SOCKS proxy for one.
    """
    if urllib.request.proxy_bypass(url.host):
        return False
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if proxy and "://" in proxy and not proxy.lower().startswith(("http://", "https://")):
        raise _proxy_error()
    return bool(proxy)


@contextmanager
def _proxy_errors() -> Iterator[None]:
    """Name the cause if the environment has a proxy that httpx rejects, also one for another kind of host."""
    try:
        yield
    except (ValueError, httpx.InvalidURL):  # its text may quote a part of a password
        raise _proxy_error() from None


def _proxy_error() -> SettingsError:
    """It does not show the proxy, which may have a password."""
    return SettingsError(f"The proxy in {PROXY_VARIABLES} is not the URL of an HTTP proxy.", "Write http://HOST:PORT.")


@cache
def _system_trust() -> ssl.SSLContext:
    """The certificate authorities of httpx or of SSL_CERT_FILE; cached, as loading them takes over 20 ms.

    Raises:
        SettingsError: the file cannot be read, or has no certificate.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # ssl.SSLError is one
        reason = "it has no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        message = f"The certificates in SSL_CERT_FILE cannot be read: {reason}."
        raise SettingsError(message, "Name a file with certificates in PEM format, or remove the variable.") from error


@cache
def _no_trust() -> ssl.SSLContext:
    """For plain HTTP to this machine, which has no certificate to verify: loads nothing."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
