"""A browser for all tests of this folder. Where there is none they skip and say so; in CI that is a failure."""

from __future__ import annotations

import pytest

from tests.helpers.browsing import chromium, require_chromium, served
from tests.helpers.page_home import kept_open


@pytest.fixture(scope="session")
def page_home(tmp_path_factory):
    with kept_open(tmp_path_factory.getbasetemp()) as home:
        yield home


@pytest.fixture(scope="session")
def url(page_home):
    with served(page_home) as address:
        yield address


@pytest.fixture(scope="module")
def browser(page_home):
    """After the home is made, and closed with the file: while it is open, nothing can start an event loop here."""
    require_chromium()
    with chromium() as started:
        yield started
