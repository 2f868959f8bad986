"""One agent's week has the same numbers through DuckDB 1, and through chDB on Delta Lake."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.helpers import agreement
from tests.helpers.agreement_home import publish_scorecard

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]

PYTHON = Path(__file__).parents[2] / ".venv" / "engines" / "bin" / "python"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return publish_scorecard(tmp_path_factory.mktemp("agreement"))


@pytest.mark.parametrize("reader", ["DuckDB", "chDB on Delta"])
def test_a_reader_has_the_numbers(reader, published):
    place = published.home.warehouse if reader == "DuckDB" else published.delta
    command = [PYTHON, agreement.__file__, reader, str(place), published.agent, str(published.week)]
    ended = subprocess.run(command, capture_output=True, timeout=500, check=False)  # noqa: S603 - ours
    assert ended.returncode == 0, ended.stderr.decode()
    assert tuple(json.loads(ended.stdout)) == published.numbers
