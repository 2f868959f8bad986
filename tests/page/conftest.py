"""One synced home for all tests of the page; a test that changes it takes a copy."""

from __future__ import annotations

import pytest

from tests.helpers.page_home import shared
from warehouse.storage.home import Home


@pytest.fixture(scope="session")
def page_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return shared(tmp_path_factory.getbasetemp())
