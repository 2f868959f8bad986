"""One agent's week has the same numbers through DuckDB 1, chDB on Delta Lake, and Superset."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from tests.helpers import agreement
from tests.helpers.running_superset import METRICS

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]

PYTHON = Path(__file__).parents[2] / ".venv" / "engines" / "bin" / "python"


@pytest.mark.parametrize("reader", ["DuckDB", "chDB on Delta"])
def test_a_reader_has_the_numbers(reader, published):
    place = published.home.warehouse if reader == "DuckDB" else published.delta
    command = [PYTHON, agreement.__file__, reader, str(place), published.agent, str(published.week)]
    ended = subprocess.run(command, capture_output=True, timeout=500, check=False)  # noqa: S603 - ours
    assert ended.returncode == 0, ended.stderr.decode()
    assert tuple(json.loads(ended.stdout)) == published.numbers


def test_superset_has_the_numbers(superset, published):
    time_range = f"{published.week} : {published.week + timedelta(days=7)}"
    rows = [row for dataset in METRICS for row in superset.rows(dataset, ["agent_id"], time_range)]
    agent_daily, waits = (row for row in rows if row["agent_id"] == published.agent)
    assert tuple((agent_daily | waits)[column] for column in agreement.COLUMNS) == published.numbers
