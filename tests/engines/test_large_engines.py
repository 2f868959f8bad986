"""Engines that are large or need Java read the lake as we read it: ``make engines`` installs and runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pytest

from tests.helpers import lake_engines
from tests.helpers.lake_tables import COMPARED, DAY, assert_equals, has_day
from tests.helpers.layout_2 import downgrade
from tests.helpers.small_lake import LATE_COLUMNS, drop_columns, fill
from warehouse.schema.operations import AGENTS
from warehouse.schema.transcript import TURNS
from warehouse.storage import lake
from warehouse.storage.home import Home

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]

ENVIRONMENTS = Path(__file__).parents[2] / ".venv"
ENGINES = ("DuckDB", "DuckDB, hive on", "DuckDB, hive off", "chDB", "Daft", "Sail", "Spark")
"""DuckDB is 1.x here."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "data").open()
    fill(home)
    drop_columns(home, TURNS, *LATE_COLUMNS)
    drop_columns(home, AGENTS, "agent_name")
    for table in (TURNS, AGENTS):
        lake.update_columns(home, table)
    return home


def read(engine: str, home: Home) -> subprocess.CompletedProcess[bytes]:
    """Read the tables in a process of the engines' environment; it writes them into the folder of the home."""
    tables = [table.name for table in COMPARED.values()]
    output = home.root.parent
    environment = "spark" if engine in ("Sail", "Spark") else "engines"
    python = ENVIRONMENTS / environment / "bin" / "python"
    command = [python, lake_engines.__file__, engine, output, output, DAY.isoformat(), *tables]
    return subprocess.run(command, capture_output=True, timeout=500, check=False)  # noqa: S603 - ours


def read_output(home: Home, name: str) -> pa.Table:
    with pa.OSFile(str(home.root.parent / f"{name}.arrow")) as file:
        return pa.ipc.open_file(file).read_all()


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_reads_what_we_read(engine: str, home: Home) -> None:
    if engine == "Spark" and not shutil.which("java"):
        if os.environ.get("CI") == "true":  # noqa: TID251 - of the test run, not of the product
            pytest.fail("Spark needs Java 17: install openjdk-17-jre-headless.")
        pytest.skip("Spark needs Java 17, which is not installed.")
    ended = read(engine, home)
    assert ended.returncode == 0, ended.stderr.decode()
    for table in COMPARED.values():
        assert_equals(home, engine, table, read_output(home, table.name))
        if has_day(home, table):
            assert_equals(home, engine, table, read_output(home, f"{table.name}.one_day"), DAY)


@pytest.mark.parametrize(
    ("engine", "message"), [("DuckDB, hive on", "Hive partition mismatch"), ("Sail", "mixed partition values")]
)
def test_the_folder_names_of_layout_2_are_refused(engine: str, message: str, home: Home) -> None:
    downgrade(home)
    ended = read(engine, home)
    assert ended.returncode == 1
    assert message in ended.stderr.decode()
