"""The lake is read by other engines as we read it; the folder names of layout 2 were not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import lake_engines
from tests.helpers.lake_tables import COMPARED, DAY, assert_equals, has_day
from tests.helpers.layout_2 import downgrade
from tests.helpers.small_lake import LATE_COLUMNS, drop_columns, fill
from warehouse.schema.operations import AGENTS
from warehouse.schema.transcript import TURNS
from warehouse.storage import lake
from warehouse.storage.home import Home

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # Dask is not ready for pandas 4

HEAVY = {"chDB", "Daft", "Spark", "Sail"}
"""Read in tests/engines, because they are large or need Java."""
ENGINES = sorted(lake_engines.snippets().keys() - HEAVY)
MISREAD = {
    "DuckDB, hive on": "Hive partition mismatch",
    "PyArrow dataset": "start_date has incompatible types",
    "PyArrow table": "start_date has incompatible types",
    "pandas": "start_date has incompatible types",
    "Dask": "start_date has incompatible types",
    "DataFusion": "mixed partition values",
}
"""What the engines say of layout 2, by engine."""
LATE_IN_OLD_FILES = {
    "DuckDB": 'column "message" was',
    "DuckDB, hive off": 'column "message" was',
    "Polars": "missing_columns",
    "Polars, no hive": "missing_columns",
}
"""What engines say of files without the columns that were declared later."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in a folder ``data``; its files from before the late columns were rewritten, as an upgrade does."""
    home = Home(tmp_path_factory.mktemp("engines") / "data").open()
    fill(home)
    drop_columns(home, TURNS, *LATE_COLUMNS)
    drop_columns(home, AGENTS, "agent_name")
    for table in (TURNS, AGENTS):
        lake.update_columns(home, table)
    return home


def test_the_page_names_every_engine() -> None:
    assert len(lake_engines.snippets().keys() - lake_engines.VARIANTS.keys()) == 11
    assert HEAVY | MISREAD.keys() | LATE_IN_OLD_FILES.keys() <= lake_engines.snippets().keys()


@pytest.mark.parametrize("kind", COMPARED)
@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_reads_what_we_read(engine: str, kind: str, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.root.parent)
    table = COMPARED[kind]
    rows, one_day = lake_engines.read(engine, table.name, DAY.isoformat() if has_day(home, table) else None)
    assert_equals(home, engine, table, rows)
    if one_day is not None:
        assert_equals(home, engine, table, one_day, DAY)


@pytest.mark.parametrize(("engine", "message"), MISREAD.items())
def test_the_folder_names_of_layout_2_are_refused(
    engine: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "data").open()
    fill(home)
    downgrade(home)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match=message):
        lake_engines.read(engine, TURNS.name, None)


@pytest.mark.parametrize(("engine", "message"), LATE_IN_OLD_FILES.items())
def test_a_file_without_a_late_column_is_refused(
    engine: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "data").open()
    fill(home)
    drop_columns(home.for_workspace("second"), TURNS, *LATE_COLUMNS)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match=message):
        lake_engines.read(engine, TURNS.name, None)
