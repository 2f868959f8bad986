"""A home with conversations, published, and Superset on a copy of it: what the tools of these tests read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.agreement_home import Published, publish_scorecard
from tests.helpers.running_superset import Superset, running
from warehouse.storage.home import Home


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Ten days of conversations, with all models; nobody changes it."""
    folder = tmp_path_factory.mktemp("published")
    return publish_scorecard(folder, conversations=250, days=10, has_all_models=True)


@pytest.fixture(scope="session")
def synced_home(published: Published) -> Home:
    return published.home


@pytest.fixture(scope="session")
def superset(synced_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    with running(synced_home, tmp_path_factory.mktemp("superset")) as server:
        yield server
