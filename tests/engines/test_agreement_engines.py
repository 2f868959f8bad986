"""One agent's week has the same numbers through DuckDB 1, chDB on Delta Lake, and Superset."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.helpers import agreement

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]

PYTHON = Path(__file__).parents[2] / ".venv" / "engines" / "bin" / "python"


@pytest.mark.parametrize("reader", ["DuckDB", "chDB on Delta"])
def test_a_reader_has_the_numbers(reader, published):
    place = published.home.warehouse if reader == "DuckDB" else published.delta
    command = [PYTHON, agreement.__file__, reader, str(place), published.agent, str(published.week)]
    ended = subprocess.run(command, capture_output=True, timeout=500, check=False, cwd="/")  # noqa: S603 - chDB reads below
    assert ended.returncode == 0, ended.stderr.decode()
    assert tuple(json.loads(ended.stdout)) == published.numbers


@pytest.mark.tools
def test_superset_has_the_numbers(superset, published):
    (row,) = superset.weeks(published.agent, published.week)
    assert tuple(row[column] for column in agreement.COLUMNS) == published.numbers
