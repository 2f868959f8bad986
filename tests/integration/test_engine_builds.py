"""``convohouse build --into``: the same tables as in the warehouse, current only when whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from tests.helpers import day
from tests.helpers.engine_tables import current_folders, read
from tests.helpers.run_cli import run
from warehouse.connection import open_warehouse
from warehouse.engines import build as engine_build
from warehouse.engines.duckdb import DuckDBEngine
from warehouse.errors import EngineError
from warehouse.models.checks import Check
from warehouse.models.project import read_project
from warehouse.storage.home import Home

TABLES = {model.key: model for model in read_project().models if not model.is_view}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a synced home ``data``."""
    folder = tmp_path_factory.mktemp("engine")
    world = World(seed=5, conversations=40, days=3, until=day.now())
    with running(create_app(world, clock=day.now)) as url:
        assert run(folder, "sync", ELEVENLABS_API_KEY="demo", ELEVENLABS_BASE_URL=url).code == 0
    assert run(folder, "build").code == 0  # with the run itself, which ended after its build
    return folder


@pytest.fixture(scope="module")
def built(folder: Path) -> Path:
    """The tables of the home, built by DuckDB into Parquet."""
    ended = run(folder, "build", "--into", "tables", "--json")
    assert (ended.code, ended.data["engine"], ended.data["is_current"], ended.data["failed"]) == (0, "duckdb", True, [])
    assert ended.data["tables"].keys() == TABLES.keys()
    return folder / "tables"


def builds(target: Path) -> set[str]:
    return {path.name for path in (target / "builds").iterdir()}


def test_the_tables_are_those_of_the_warehouse(folder: Path, built: Path) -> None:
    with open_warehouse(Home(folder / "data")) as connection:
        for key, table_folder in current_folders(built).items():
            grain = list(TABLES[key].header.grain)
            expected = connection.sql(f"from {key}").pl()
            assert_frame_equal(read(table_folder).sort(grain), expected.sort(grain), check_exact=True)


def test_a_build_that_fails_leaves_the_current_one(
    folder: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "tables"
    shutil.copytree(built, target)
    before = (target / "current.json").read_bytes()
    materialize = DuckDBEngine.materialize

    def break_one(self, model, types, into):
        if model.key == "marts.dim_agents":
            raise EngineError("The disk is full.")
        materialize(self, model, types, into)

    monkeypatch.setattr(DuckDBEngine, "materialize", break_one)
    ended = run(folder, "build", "--into", str(target))
    assert (ended.code, "The disk is full." in ended.err) == (1, True)
    assert (target / "current.json").read_bytes() == before
    assert len(builds(target)) == 2


def test_a_failed_check_is_named_and_the_tables_before_stay_current(
    folder: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "tables"
    shutil.copytree(built, target)
    before = (target / "current.json").read_bytes()
    failing = Check("no_agent", "marts.dim_agents", "There is no agent.", "select agent_id from marts.dim_agents")
    monkeypatch.setattr(engine_build, "all_checks", lambda _project: (failing,))
    ended = run(folder, "build", "--into", str(target))
    assert ended.code == 1
    assert "no_agent" in ended.text
    assert "stay current" in ended.err
    assert (target / "current.json").read_bytes() == before


def test_the_build_before_stays_for_its_readers_and_older_ones_are_removed(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "tables"
    ids = [run(folder, "build", "--into", str(target), "--json").data["build"] for _ in range(3)]
    assert builds(target) == set(ids[1:])
    document = json.loads((target / "current.json").read_text())
    assert (document["build"], document["previous_build"]) == (ids[2], ids[1])


def test_a_conversation_in_two_lakes_is_refused(folder: Path, tmp_path: Path) -> None:
    lake = str(folder / "data" / "lake")
    ended = run(folder, "build", "--lake", lake, "--lake", lake, "--into", str(tmp_path / "tables"))
    assert ended.code == 1
    assert "is there twice, in the workspaces main and main." in ended.err
    assert not (tmp_path / "tables" / "current.json").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--engine", "spark", "--into", "x"], "Spark needs the address of its server. Give --remote"),
        (["--engine", "sail"], "There is no target for the tables. Give --into"),
        (["--remote", "sc://host:1", "--into", "x"], "DuckDB runs in this process."),
        (["--lake", "ftp://host/lake", "--into", "x"], "DuckDB cannot read ftp://host/lake."),
        (["--lake", "nowhere", "--into", "x"], "lake.conversations failed on DuckDB: "),
        (["--engine", "sail", "--into", "x"], "pip install 'convohouse[sail]'"),
    ],
)
def test_what_cannot_be_done_is_said(options: list[str], message: str, folder: Path) -> None:
    ended = run(folder, "build", *options)
    assert ended.code in (1, 2)
    assert message in " ".join(ended.err.split())


def test_the_settings_name_the_target_once_and_for_all(folder: Path, tmp_path: Path) -> None:
    ended = run(folder, "build", "--json", CONVOHOUSE_ENGINE_INTO=str(tmp_path / "tables"))
    assert ended.data["into"] == str(tmp_path / "tables")
    assert current_folders(tmp_path / "tables").keys() == TABLES.keys()
