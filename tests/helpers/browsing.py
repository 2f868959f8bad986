"""A real Chromium, and the page served to it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from pipelines.listener import base_url, listening
from pipelines.page.app import create_app
from pipelines.page.server import create_server
from tests.helpers.page_home import site
from warehouse.storage.home import Home

WIDTHS = (380, 900, 1600)
SCHEMES = ("light", "dark")
PATIENCE_MS = 90_000
"""For a page on a busy machine: the first one makes the charts' library."""
DRAWN = "[...document.querySelectorAll('.plot')].every((plot) => plot.dataset.drawn)"


NO_CHROMIUM = "there is no Chromium: apt-get install chromium"


def chromium_path() -> str | None:
    """Debian's Chromium, or None: then the tests skip, except in CI."""
    return shutil.which("chromium")


def require_chromium() -> None:
    """Skip the test where there is no Chromium; in CI, which installs it, fail."""
    if chromium_path() is not None:
        return
    if os.environ.get("CI") == "true":  # noqa: TID251 - as CI sets it
        pytest.fail(NO_CHROMIUM)
    pytest.skip(NO_CHROMIUM)


@contextmanager
def chromium() -> Iterator[Browser]:
    if chromium_path() is None:  # Playwright would advise to download its own, which is not the one of the tests
        raise SystemExit(NO_CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def served(home: Home) -> Iterator[str]:
    """The page of a home on a socket, as the command serves it."""
    with listening("127.0.0.1", 0) as listener:
        server = create_server(create_app(site(home)))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield base_url(listener)
        server.should_exit = True
        thread.join(30)


class Visitor:
    """A tab of a browser that keeps what went wrong in it."""

    def __init__(self, browser: Browser, url: str, *, width: int = 1600, scheme: Any = "light") -> None:
        self.url = url
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("console", lambda message: self._note(message.type in ("error", "warning"), message.text))
        self.page.on("pageerror", lambda error: self._note(True, str(error)))  # noqa: FBT003 - always
        self.page.on("request", lambda request: self._note(not self._is_ours(request.url), request.url))

    def open(self, path: str) -> Page:
        """Go to a page, and wait until its charts are drawn."""
        self.page.goto(self.url + path)
        self.page.wait_for_function(DRAWN)
        return self.page

    def _is_ours(self, address: str) -> bool:
        return address.startswith((self.url, "data:"))

    def _note(self, is_problem: bool, text: str) -> None:  # noqa: FBT001 - of a condition
        if is_problem:
            self.problems.append(f"{self.page.url}: {text}")
