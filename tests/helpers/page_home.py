"""A home for tests of the page: four weeks of the emulated workspace, synced and built once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app as emulate
from pipelines.emulator.server.serve import running
from pipelines.page.app import Site
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from warehouse.connection import open_warehouse, read_frame
from warehouse.storage.home import Home

UNTIL = datetime(2026, 11, 26, tzinfo=UTC)
FRESH = timedelta(hours=36)


@cache
def shared(folder: Path) -> Home:
    """The home of all tests of pages and browsers in this process, in a folder of it; who changes it takes a copy."""
    (folder / "page").mkdir()
    with synced(folder / "page") as home:
        return home


@contextmanager
def kept_open(folder: Path) -> Iterator[Home]:
    """The shared home with a connection that stays: to open it again takes half of the time of a request."""
    home = shared(folder)
    with open_warehouse(home):
        yield home


@contextmanager
def synced(folder: Path) -> Iterator[Home]:
    """A home with about 420 conversations up to ``UNTIL``, three of them open."""
    world = World(seed=7, conversations=420, days=28, until=UNTIL)
    with running(emulate(world, clock=lambda: UNTIL)) as url:
        context = Context(Settings(home=folder / "home", base_url=url, api_key="demo"), clock=lambda: UNTIL)
        assert sync.sync(context, run_id="1").problems == ()
        yield context.home


def site(home: Home, now: datetime = UNTIL) -> Site:
    """The site of a home at a time."""
    return Site(home, lambda: now, FRESH)


def sql(home: Home, text: str) -> list[dict[str, Any]]:
    """The rows of a query of the warehouse."""
    with open_warehouse(home) as connection:
        return read_frame(connection.sql(text)).to_dicts()


def shown_cards(page: str) -> dict[str, str]:
    """The text of each card's number on a page, by column."""
    sections = re.findall(r'<section class="card[^"]*" data-column="(\w+)">(.*?)</section>', page, re.DOTALL)
    return {column: unescape(re.findall(r'class="value"[^>]*>(.*?)<', text)[0]) for column, text in sections}
