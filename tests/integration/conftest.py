"""What the tests of commands and whole syncs share."""

from __future__ import annotations

import pytest

from tests.helpers.few_models import FEW
from tests.helpers.recording_app import assert_equals


@pytest.fixture
def few_keys(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Tests of the copy look at the lake; those that compare it with a recount, at conversations and their metrics."""
    return FEW if hasattr(request.module, assert_equals.__name__) else ("marts.dim_agents",)
