"""The pictures of docs/images, of the demo's conversations: ``python -m tests.helpers.screenshots [FOLDER]``.

With a folder, every page is taken there at three widths, light and dark, to be looked at; without one, the few pictures
that the documents show are written, as WebP, which is a third of a PNG.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from pipelines.page.app import VIEWS
from tests.helpers.browsing import SCHEMES, WIDTHS, Visitor, chromium, served
from tests.helpers.page_home import synced
from tests.helpers.reference_docs import ROOT
from warehouse.serve.query import query
from warehouse.storage.home import Home

IMAGES = ROOT / "docs" / "images"
WEBP_QUALITY = 82
SHOWN_HEIGHT = 1000
"""Pixels from the top that a picture in a document shows."""


def conversation_path(home: Home) -> str:
    """A conversation that failed, with a tool that failed."""
    conversation_id = query(
        home,
        "select conversation_id from marts.fct_conversations where n_tool_errors between 1 and 2 and n_waits > 5 "
        "and call_successful = 'failure' and main_language = 'en' order by started_at desc, conversation_id limit 1",
    ).item()
    return f"/conversations/{conversation_id}"


def names(home: Home) -> dict[str, str]:
    """Path by name of the picture."""
    pages = {view.name.lower(): view.path for view in VIEWS if "{" not in view.path}
    return pages | {"conversation": conversation_path(home), "entry": "/catalogue/metrics.agent_daily.success_rate"}


def take_all(browser: Browser, url: str, paths: dict[str, str], folder: Path) -> None:
    """Every page, whole, at every width, in both schemes."""
    for width in WIDTHS:
        for scheme in SCHEMES:
            visitor = Visitor(browser, url, width=width, scheme=scheme)
            for name, path in paths.items():
                visitor.open(path).screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)


def take_shown(browser: Browser, url: str, paths: dict[str, str], folder: Path) -> None:
    """What the documents show: every page in the light, two in the dark."""
    for scheme in SCHEMES:
        visitor = Visitor(browser, url, width=1280, scheme=scheme)
        visitor.page.set_viewport_size({"width": 1280, "height": SHOWN_HEIGHT})
        for name, path in paths.items():
            if scheme == "light" or name in ("overview", "conversation"):
                page = visitor.open(path)
                options = {"format": "webp", "quality": WEBP_QUALITY}
                content = page.context.new_cdp_session(page).send("Page.captureScreenshot", options)["data"]
                (folder / f"{name}-{scheme}.webp").write_bytes(base64.b64decode(content))


def main() -> None:
    """Take the pictures."""
    with tempfile.TemporaryDirectory() as temporary, synced(Path(temporary)) as home:
        paths = names(home)
        with served(home) as url, chromium() as browser:
            if sys.argv[1:]:
                take_all(browser, url, paths, Path(sys.argv[1]))
            else:
                IMAGES.mkdir(exist_ok=True)
                take_shown(browser, url, paths, IMAGES)


if __name__ == "__main__":
    main()
