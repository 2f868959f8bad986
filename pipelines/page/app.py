"""The addresses of the page, and what each answers; nothing in an address is ever a path on the disk.

Requests are answered one after the other. DuckDB shares the open file between the connections of a process, so a
request that overlapped with others could go on reading a file that a build has replaced; and all of them share one
memory limit. A page takes a fraction of a second.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import version
from typing import Any

import duckdb
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from pipelines.errors import UsageError
from pipelines.page import filter as page_filter
from pipelines.page import render
from pipelines.page.security import Guard
from pipelines.page.views import (
    agents,
    catalogue,
    conversation,
    conversations,
    data,
    money,
    outcomes,
    overview,
    speed,
    tools,
)
from pipelines.page.views.base import View, Visit
from warehouse.errors import ConvohouseError, NothingBuiltError
from warehouse.serve.pages.selection import open_reader, require_conversations, select
from warehouse.serve.pages.status import read_choices, read_status
from warehouse.storage import lock
from warehouse.storage.home import Home

VIEWS: tuple[View, ...] = (
    overview.VIEW,
    money.VIEW,
    outcomes.VIEW,
    speed.VIEW,
    tools.VIEW,
    agents.VIEW,
    conversations.VIEW,
    data.VIEW,
    catalogue.VIEW,
    conversation.VIEW,
    catalogue.ENTRY,
)
"""In the order of the navigation; the last two are reached from the others."""

FOREVER = "private, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Site:
    """What all pages have in common: the home whose warehouse they show, the clock, and when data is stale."""

    home: Home
    clock: Callable[[], datetime]
    fresh_for: timedelta


def create_app(site: Site, *, token: str | None = None) -> Starlette:
    """The application; with a ``token``, those who have it may see the page, without one this machine may."""
    turn = threading.Lock()
    routes = [Route(view.path, _endpoint(site, view, turn), methods=["GET"]) for view in VIEWS]
    routes.append(Route("/recordings/{conversation_id:path}", _recording_endpoint(site, turn), methods=["GET"]))
    routes.append(Route("/static/{name}", _static, methods=["GET"]))
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, token=token), Middleware(GZipMiddleware, minimum_size=1000)],
        exception_handlers={404: _not_found, 405: _not_found},
    )


def _endpoint(site: Site, view: View, turn: threading.Lock) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        with turn:
            try:
                return _page(site, view, request)
            except UsageError as error:
                return _state(site, request, "refused.html", 400, error=error)
            except NothingBuiltError:
                is_built = site.home.warehouse.exists()
                return _state(site, request, "nothing_built.html", 503, is_built=is_built)
            except (ConvohouseError, duckdb.Error) as error:
                return _state(site, request, "failed.html", 500, error=error)

    return answer


def _page(site: Site, view: View, request: Request) -> Response:
    with open_reader(site.home) as reader:
        if view.has_filter:
            require_conversations(reader)
        status = read_status(site.home, reader, now=site.clock(), fresh_for=site.fresh_for)
        choices = read_choices(reader)
        filter_ = page_filter.parse(request.query_params, reader, choices, status.newest_listing_at)
        page_reader = select(reader, filter_.selection) if view.has_filter else reader
        visit = Visit(site.home, page_reader, filter_, choices, status, dict(request.path_params))
        values = view.build(visit)
    body = render.render(
        view.template,
        **_shared(site, request),
        view=view,
        filter=filter_,
        choices=choices,
        status=status,
        url=filter_.url,
        filter_texts=page_filter.describe(filter_.values, choices),
        **values,
    )
    return HTMLResponse(body, int(values.get("http_status", 200)))


def _shared(site: Site, request: Request) -> dict[str, Any]:
    return {
        "views": VIEWS[:-2],
        "home_name": site.home.root.resolve().name,
        "running": lock.holder(site.home),
        "path": request.url.path,
        "quick_days": page_filter.QUICK_DAYS,
        "versions": _versions(),
    }


def _state(site: Site, request: Request, template: str, status: int, **values: object) -> Response:
    """A page that says in words why there are no numbers."""
    return HTMLResponse(render.render(template, **_shared(site, request), view=None, **values), status)


def _recording_endpoint(site: Site, turn: threading.Lock) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        with turn:
            try:
                with open_reader(site.home) as reader:
                    file = conversation.recording(site.home, reader, request.path_params["conversation_id"])
            except ConvohouseError:
                file = None
        if file is None:
            raise HTTPException(404)
        return FileResponse(file, media_type="audio/mpeg")

    return answer


STATIC: dict[str, tuple[Callable[[], str], str]] = {
    "page.css": (render.stylesheet, "text/css"),
    "page.js": (render.script, "text/javascript"),
    "charts.js": (render.chart_library, "text/javascript"),
}


def _static(request: Request) -> Response:
    entry = STATIC.get(request.path_params["name"])
    if entry is None:
        raise HTTPException(404)
    read, media_type = entry
    return Response(read(), media_type=media_type, headers={"Cache-Control": FOREVER})


@cache  # the version of a package is read from its files, a tenth of the time of a page
def _versions() -> dict[str, str]:
    """A part of each static file's address that changes with its content."""
    texts = {"page.css": render.stylesheet(), "page.js": render.script(), "charts.js": version("vl-convert-python")}
    return {name: hashlib.sha256(text.encode()).hexdigest()[:12] for name, text in texts.items()}


def _not_found(request: Request, _error: Exception) -> Response:
    return HTMLResponse(
        render.render(
            "not_found.html",
            view=None,
            views=VIEWS[:-2],
            versions=_versions(),
            path=request.url.path,
            home_name="",
            running=None,
        ),
        404,
    )
