"""One synced home for all tests of the page; a test that changes it takes a copy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.page_home import kept_open
from warehouse.storage.home import Home


@pytest.fixture(scope="session")
def page_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with kept_open(tmp_path_factory.getbasetemp()) as home:
        yield home
