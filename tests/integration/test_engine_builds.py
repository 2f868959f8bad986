"""``convohouse build --into``: the same tables as in the warehouse, current only when whole."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from tests.helpers import day
from tests.helpers.engine_increments import FEW, ChangingLake
from tests.helpers.engine_tables import current_folders, read
from tests.helpers.kept_home import KeptHome
from tests.helpers.reference_docs import ROOT
from tests.helpers.run_cli import run
from warehouse.connection import open_warehouse
from warehouse.engines import build as engine_build
from warehouse.engines.duckdb import DuckDBEngine, duckdb_engine
from warehouse.errors import EngineError
from warehouse.models.checks import Check, row_check
from warehouse.models.project import read_project
from warehouse.storage.home import Home
from warehouse.storage.lock import write_lock

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


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The tables that builds have where all are not the subject."""
    project = read_project().upstream("marts.dim_agents")
    monkeypatch.setattr("pipelines.usecases.engine_build.read_project", lambda *_, **__: project)
    return {model.key for model in project.models if not model.is_view}


def builds(target: Path) -> set[str]:
    return {path.name for path in (target / "builds").iterdir()}


def test_the_tables_are_those_of_the_warehouse(folder: Path, built: Path) -> None:
    with open_warehouse(Home(folder / "data")) as connection:
        for key, table_folder in current_folders(built).items():
            grain = list(TABLES[key].header.grain)
            expected = connection.sql(f"from {key}").pl()
            assert_frame_equal(read(table_folder).sort(grain), expected.sort(grain), check_exact=True)


def test_the_python_that_docs_scale_shows_reads_a_table_of_the_current_build(folder: Path, built: Path) -> None:
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    values: dict[str, Any] = {}
    exec(code.replace("/srv/tables", str(built)), values)  # noqa: S102 - of our page
    with open_warehouse(Home(folder / "data")) as connection:
        expected = connection.sql("from metrics.cost_daily").pl()
    grain = list(TABLES["metrics.cost_daily"].header.grain)
    assert_frame_equal(values["costs"].sort(grain), expected.sort(grain), check_exact=True)


@pytest.mark.usefixtures("few")
def test_a_build_that_fails_leaves_the_current_one(
    folder: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "tables"
    shutil.copytree(built, target)
    before = (target / "current.json").read_bytes()
    materialize = DuckDBEngine.materialize

    def break_one(self, model, types, into, **unchanged_rows):
        if model.key == "marts.dim_agents":
            raise EngineError("The disk is full.")
        materialize(self, model, types, into, **unchanged_rows)

    monkeypatch.setattr(DuckDBEngine, "materialize", break_one)
    ended = run(folder, "build", "--into", str(target), "--full-refresh")
    assert (ended.code, "The disk is full." in ended.err) == (1, True)
    assert (target / "current.json").read_bytes() == before
    assert len(builds(target)) == 2


@pytest.mark.usefixtures("few")
def test_a_failed_check_is_named_and_the_tables_before_stay_current(
    folder: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "tables"
    shutil.copytree(built, target)
    before = (target / "current.json").read_bytes()
    failing = Check("no_agent", "marts.dim_agents", "There is no agent.", "select agent_id from marts.dim_agents")
    monkeypatch.setattr(engine_build, "all_checks", lambda _project: (failing,))
    ended = run(folder, "build", "--into", str(target), "--full-refresh")
    assert ended.code == 1
    assert "no_agent" in ended.text
    assert "stay current" in ended.err
    assert (target / "current.json").read_bytes() == before


@pytest.mark.usefixtures("few")
def test_a_check_that_cannot_be_run_is_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [
        row_check(f"{name}_check", "marts.dim_agents", [name], f"{name} is null", "") for name in ("nil", "agent_id")
    ]
    monkeypatch.setattr(engine_build, "all_checks", lambda _project: checks)
    ended = run(folder, "build", "--into", str(tmp_path / "tables"))
    assert ended.code == 1
    assert "Check nil_check of marts.dim_agents cannot be run" in ended.err


def test_the_build_before_stays_for_its_readers_and_older_ones_are_removed(
    folder: Path, few: set[str], tmp_path: Path
) -> None:
    into = ("--into", str(tmp_path / "tables"))
    refresh = [run(folder, "build", *into, "--json", "--full-refresh").data for _ in range(3)]
    assert [(data["tables"].keys(), data["reused_tables"]) for data in refresh] == [(few, [])] * 3
    assert builds(tmp_path / "tables") == {data["build"] for data in refresh[1:]}
    document = json.loads((tmp_path / "tables" / "current.json").read_text())
    assert (document["build"], document["previous_build"]) == (refresh[2]["build"], refresh[1]["build"])


def test_a_build_of_what_did_not_change_takes_over_every_table_and_check(folder: Path, built: Path) -> None:
    before = current_folders(built)
    ended = run(folder, "build", "--into", "tables", "--json")
    assert (ended.code, set(ended.data["reused_tables"])) == (0, TABLES.keys())
    assert current_folders(built) == before
    assert f", all {len(TABLES)} as before, " in run(folder, "build", "--into", "tables").err


@pytest.fixture(scope="module")
def kept_lake(tmp_path_factory: pytest.TempPathFactory) -> KeptHome:
    return KeptHome(tmp_path_factory.mktemp("changing") / "built")


@pytest.fixture
def changing(folder: Path, kept_lake: KeptHome) -> ChangingLake:
    """A lake that is built once."""
    lake = folder / "data" / "lake"

    def make() -> None:
        assert ChangingLake(duckdb_engine, FEW, lake, kept_lake.root).build().reused == ()

    kept_lake.put(make)
    changing = ChangingLake(duckdb_engine, FEW, lake, kept_lake.root, n_builds=1)
    assert {Path(built).parts[1] for built in changing.builds} == {"build_1"}
    return changing


def test_a_copy_of_a_days_folder_is_named(changing: ChangingLake) -> None:
    folder = changing.days("turns")[0].parent
    copy = folder.with_name(f"{folder.name} (copy)")
    shutil.copytree(folder, copy)
    with pytest.raises(EngineError, match=re.escape(f"{copy} is not a folder of a day")):
        changing.build()
    shutil.rmtree(copy)


def test_after_days_that_changed_or_went_the_tables_are_those_of_a_whole_build(changing: ChangingLake) -> None:
    first = changing.current
    changed = changing.days("conversations")[1]
    changing.raise_cost(changed)
    changing.days("turns")[0].unlink()
    built = changing.build()
    fct = read(first["marts.fct_conversations"]), read(changing.current["marts.fct_conversations"])
    raised = [rows.filter(pl.col("start_date") == date.fromisoformat(changed.parent.name[4:])) for rows in fct]
    assert raised[1]["cost_credits"].sum() == raised[0]["cost_credits"].sum() + raised[0]["cost_credits"].count()
    assert raised[0].height < fct[0].height == fct[1].height
    assert changing.differences_from_a_whole_build() == {}
    assert {"intermediate.int_agent_names", "marts.dim_dates"} & set(built.reused) == {"intermediate.int_agent_names"}


def test_only_the_days_that_changed_are_computed(changing: ChangingLake, monkeypatch: pytest.MonkeyPatch) -> None:
    selects = {}
    materialize = DuckDBEngine.materialize

    def record(self, model, types, into, *, unchanged_rows=""):
        selects[model.key] = (model.sql, unchanged_rows)
        materialize(self, model, types, into, unchanged_rows=unchanged_rows)

    monkeypatch.setattr(DuckDBEngine, "materialize", record)
    changed = changing.days("conversations")[1]
    changing.raise_cost(changed)
    changing.build()
    day = f"NOT start_date IS NULL AND start_date IN (CAST('{changed.parent.name[4:]}' AS DATE))"
    assert day in selects["intermediate.int_conversation_costs"][0]
    assert selects["intermediate.int_conversation_costs"][1].startswith("select * from before.intermediate_")
    assert selects["metrics.anomalies"][1] == ""


def test_tables_that_only_older_builds_have_are_removed(changing: ChangingLake) -> None:
    first = set(changing.build().folders.values())
    changing.raise_cost(changing.days("conversations")[0])
    second = set(changing.build().folders.values())
    assert changing.builds == first | second
    third = set(changing.build().folders.values())
    assert second == third == changing.builds


def test_a_table_that_lost_a_file_is_built_again_and_after_a_deletion_nothing_else_stays(
    changing: ChangingLake,
) -> None:
    lost = changing.current["marts.fct_conversations"]
    (lost / "rows.parquet").unlink()
    built = changing.build()
    assert set(built.folders) - set(built.reused) == {"marts.fct_conversations"}
    assert changing.differences_from_a_whole_build() == {}
    deletions = changing.lake / "deletions" / "day=2026-11-01"
    deletions.mkdir()
    schema = pl.read_parquet_schema(changing.lake / "deletions" / "day=1970-01-01" / "schema.parquet")
    removal = {
        "workspace": "main",
        "conversation_id": "conv_erased",
        "start_date": date(2026, 11, 1),
        "noticed_at": datetime(2026, 11, 2, tzinfo=UTC),
        "evidence": "erased",
        "reason": "erased",
    }
    pl.DataFrame([removal], schema).write_parquet(deletions / "main.parquet")
    (changing.into / "builds" / "failed" / "marts" / "fct_turns").mkdir(parents=True)
    built = changing.build()
    assert built.reused == ()
    assert changing.builds == set(built.folders.values())
    assert json.loads((changing.into / "current.json").read_text())["previous_build"] is None


def test_a_conversation_in_two_lakes_is_refused(folder: Path, tmp_path: Path) -> None:
    lake = str(folder / "data" / "lake")
    ended = run(folder, "build", "--lake", lake, "--lake", lake, "--into", str(tmp_path / "tables"))
    assert ended.code == 1
    assert "exists twice, in the workspaces main and main." in ended.err
    assert not (tmp_path / "tables" / "current.json").exists()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--engine", "spark", "--into", "x"], 2, "Spark needs the address of its server. Give --remote"),
        (["--engine", "sail"], 2, "There is no target for the tables. Give --into"),
        (["--lake", "data/lake"], 2, "There is no target for the tables. Give --into"),
        (["--remote", "sc://host:1"], 2, "There is no target for the tables. Give --into"),
        (["--remote", "sc://host:1", "--into", "x"], 2, "DuckDB runs in this process."),
        (["--lake", "ftp://host/lake", "--into", "x"], 1, "ftp://host/lake/conversations cannot be reached: "),
        (["--into", "ftp://host/tables"], 1, "ftp://host/tables cannot be reached: "),
        (["--lake", "nowhere", "--into", "x"], 1, "There is no lake at nowhere."),
        (["--engine", "sail", "--into", "x"], 2, "pysail is not installed. Install the extra: pip install "),
        (["--engine", "spark", "--remote", "sc://h", "--into", "x"], 2, "pip install 'convohouse[spark]'"),
    ],
)
def test_what_cannot_be_done_is_said(options: list[str], code: int, message: str, folder: Path) -> None:
    ended = run(folder, "build", *options)
    assert (ended.code, message in " ".join(ended.err.split())) == (code, True), ended.err


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("lake", ["data/lake", "data/../data/lake/", "{folder}/data/lake", "file://{folder}/data/lake"])
def test_the_lake_of_the_home_is_locked_however_its_path_is_written(folder: Path, tmp_path: Path, lake: str) -> None:
    home = Home(folder / "data")
    with write_lock(home, what="sync", now=day.now()):
        ended = run(folder, "build", "--lake", lake.format(folder=folder), "--into", str(tmp_path / "tables"))
    assert (ended.code, "Another run is writing to data: sync" in ended.err) == (1, True), ended.err


def test_the_settings_name_the_target_once_and_for_all(folder: Path, few: set[str], tmp_path: Path) -> None:
    ended = run(folder, "build", "--json", CONVOHOUSE_ENGINE_INTO=str(tmp_path / "tables"))
    assert ended.data["into"] == str(tmp_path / "tables")
    assert current_folders(tmp_path / "tables").keys() == few
