"""One agent's week has the same numbers through DuckDB 1.1 and 1.5, chDB on Delta Lake, and Superset."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.helpers import agreement
from tests.helpers.agreement_home import SCORECARD, Published

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]

ENVIRONMENTS = Path(__file__).parents[2] / ".venv"
PLACES: dict[str, Callable[[Published], object]] = {
    "the warehouse": lambda published: published.home.warehouse,
    "Parquet": lambda published: json.dumps([f"{published.files}/{SCORECARD}.parquet"]),
    "the files of Delta": lambda published: json.dumps(
        DeltaTable(published.delta / SCORECARD.replace(".", "/")).file_uris()
    ),
    "Delta": lambda published: published.delta,
}


@pytest.mark.parametrize(
    ("environment", "reader", "place"),
    [
        *((name, "DuckDB", "the warehouse") for name in ("duckdb-1.1", "engines")),
        *(("duckdb-1.1", "DuckDB on files", place) for place in ("Parquet", "the files of Delta")),
        ("engines", "chDB on Delta", "Delta"),
    ],
)
def test_a_reader_has_the_numbers(environment, reader, place, published):
    command = [ENVIRONMENTS / environment / "bin" / "python", agreement.__file__, reader]
    command += [str(PLACES[place](published)), published.agent, str(published.week)]
    ended = subprocess.run(command, capture_output=True, timeout=500, check=False, cwd="/")  # noqa: S603 - chDB reads below
    assert ended.returncode == 0, ended.stderr.decode()
    assert tuple(json.loads(ended.stdout)) == published.numbers


@pytest.mark.tools
def test_superset_has_the_numbers(superset, published):
    (row,) = superset.weeks(published.agent, published.week)
    assert tuple(row[column] for column in agreement.COLUMNS) == published.numbers
