"""Who may see the page, and what a browser may do with it.

Without a token the server is for this machine alone: it answers only requests whose ``Host`` is a loopback name, so
that a web page elsewhere cannot read it by a name that leads to 127.0.0.1, and none that a proxy has forwarded. With a
token, a browser signs in once and then has a cookie, which is derived from the token and is not the token. A link from
elsewhere opens the page; a request that another site makes behind its own page does not.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from pipelines.listener import is_loopback, is_proxied
from pipelines.page.render import render

COOKIE = "convohouse_page"
SIGN_IN = "/sign-in"
MAX_FORM_BYTES = 8192
FORM_SECS = 10
"""For all of a form."""
OWN_ADDRESS = r"/(?![/\\]|sign-in)[!-~]{0,4000}"
"""An address of this site, to return to after signing in; what begins with two slashes is another host."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Next = Callable[[Request], Awaitable[Response]]


def host_name(header: str) -> str:
    """The name or address of a ``Host`` header without its port; empty for anything else that a header can hold."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?", header)
    return match[1] if match else ""


class Guard(BaseHTTPMiddleware):
    """Lets in those who may see the page, and adds the headers that keep a browser from doing more."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        super().__init__(app)
        self._token = token.encode() if token else None

    async def dispatch(self, request: Request, call_next: Next) -> Response:
        """Answer a request, or refuse it."""
        response = await self._answer(request, call_next)
        for name, value in HEADERS.items():
            response.headers[name] = value
        response.headers.setdefault("Cache-Control", "no-store")  # what is erased must not stay in a cache
        return response

    async def _answer(self, request: Request, call_next: Next) -> Response:
        refusal = self._refusal(request)
        if refusal:
            return PlainTextResponse(refusal, 403)
        if self._token is None:
            return await call_next(request)
        if request.url.path == SIGN_IN and request.method == "POST":
            return await self._sign_in(request)
        if request.url.path.startswith("/static/page."):  # how the form looks; nothing of the data
            return await call_next(request)
        if self._is_equal(request.cookies.get(COOKIE, ""), self._cookie()) or self._has_bearer(request):
            return await call_next(request)
        query = f"?{request.url.query}" if request.url.query else ""
        return self._ask("", f"{request.url.path}{query}")

    def _refusal(self, request: Request) -> str:
        """Why nobody who sends such a request gets an answer; empty if somebody may."""
        site, mode = (request.headers.get(f"sec-fetch-{name}", "") for name in ("site", "mode"))
        if site == "cross-site" and mode != "navigate":
            return "This page does not answer requests from other sites."
        if self._token is None and not is_loopback(host_name(request.headers.get("host", ""))):
            return "This page is only for the machine that it runs on."
        if self._token is None and is_proxied(request.headers):
            return "This page is only for the machine that it runs on; behind a proxy, it needs CONVOHOUSE_PAGE_TOKEN."
        return ""

    async def _sign_in(self, request: Request) -> Response:
        body = bytearray()
        try:
            async with asyncio.timeout(FORM_SECS):
                async for part in request.stream():
                    body += part
                    if len(body) > MAX_FORM_BYTES:
                        return PlainTextResponse("The form is too long.", 413)
        except TimeoutError:
            return PlainTextResponse("The form took too long.", 408)
        form = parse_qs(body.decode("utf-8", "replace"))
        token, target = (form.get(name, [""])[0] for name in ("token", "target"))
        if not self._is_equal(token, (self._token or b"").decode()):
            return self._ask("That is not the token.", target)
        response = RedirectResponse(target if re.fullmatch(OWN_ADDRESS, target) else "/", 303)
        secure = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
        response.set_cookie(COOKIE, self._cookie(), httponly=True, samesite="lax", secure=secure)
        return response

    def _ask(self, message: str, target: str) -> Response:
        return HTMLResponse(render("sign_in.html", message=message, action=SIGN_IN, target=target), 401)

    def _has_bearer(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._is_equal(token, (self._token or b"").decode())

    def _cookie(self) -> str:
        return hmac.new(self._token or b"", b"convohouse page", hashlib.sha256).hexdigest()

    @staticmethod
    def _is_equal(token: str, expected: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "surrogateescape"), expected.encode())
