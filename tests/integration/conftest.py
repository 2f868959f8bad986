"""What the tests of commands and whole syncs share."""

from __future__ import annotations

import pytest

from tests.helpers.few_models import FEW
from tests.helpers.nights import SyncedNights
from tests.helpers.recording_app import assert_equals


@pytest.fixture
def few_keys(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Tests of the copy look at the lake; those that compare it with a recount, at conversations and their metrics."""
    return FEW if hasattr(request.module, assert_equals.__name__) else ("marts.dim_agents",)


@pytest.fixture(scope="session")
def synced_nights(tmp_path_factory):
    with SyncedNights(tmp_path_factory.mktemp("nights") / "home [1]").served() as synced:
        yield synced
