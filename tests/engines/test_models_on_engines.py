"""Every table of the demo is the same on DuckDB, Sail and a cluster of Spark: row by row, with types.

``make sail`` runs the tests of Sail, ``make spark`` those of Spark, both in ``.venv/spark``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import polars as pl
import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers import day
from tests.helpers.engine_increments import FEW, ChangingLake
from tests.helpers.engine_tables import current_folders, differences, read
from tests.helpers.run_cli import run
from tests.helpers.spark_cluster import SparkCluster, find_spark_home, running_cluster, running_server
from warehouse.engines import spark as spark_module
from warehouse.engines.build import EngineBuild, build_tables
from warehouse.engines.duckdb import duckdb_engine
from warehouse.engines.engine import Engine
from warehouse.engines.spark import sail_engine, spark_engine
from warehouse.errors import EngineError
from warehouse.models.project import Project, read_project

pytestmark = pytest.mark.timeout(3600)

ROOT = Path(__file__).parents[2]
ZONE = "Europe/Berlin"


def build(
    connection: AbstractContextManager[Engine],
    lakes: list[Path],
    into: Path,
    *,
    project: Project | None = None,
    on_model=lambda _: None,
):
    with connection as engine:
        return build_tables(
            engine,
            project or read_project(),
            lakes=[str(lake) for lake in lakes],
            into=str(into),
            build_id="build_1",
            zones={"main": ZONE},
            progress=lambda model, _number, _total: on_model(model),
        )


def assert_whole(built: EngineBuild) -> None:
    assert [(result.check.name, result.n_failing) for result in built.failed] == []
    assert built.is_current
    assert len(built.folders) == sum(not model.is_view for model in read_project().models)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of the demo."""
    home = tmp_path_factory.mktemp("demo") / "home"
    assert run(home.parent, "demo", "--home", str(home)).code == 0
    return home / "lake"


@pytest.fixture(scope="module")
def expected(lake: Path) -> Path:
    """The tables of the demo, built by DuckDB with the seeds of its home."""
    project = read_project(user_seeds=lake.parent / "seeds")
    assert_whole(build(duckdb_engine(), [lake], lake.parent / "duckdb", project=project))
    return lake.parent / "duckdb"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster"), find_spark_home()) as cluster:
        yield cluster


@pytest.mark.sail
def test_the_command_builds_the_same_tables_on_sail_and_a_model_that_fails_is_named(lake: Path, expected: Path) -> None:
    into = lake.parent / "sail"
    options = ("--home", str(lake.parent), "--engine", "sail", "--into", str(into))
    built = run(lake.parent, "build", "--json", *options, CONVOHOUSE_TIMEZONE=ZONE)
    assert (built.code, built.data["engine"], built.data["is_current"], built.data["failed"]) == (0, "sail", True, [])
    assert built.data["tables"].keys() == current_folders(into).keys()
    assert differences(read_project().models, current_folders(expected), current_folders(into)) == {}
    before = json.loads((into / "current.json").read_text())
    broken = lake.parent / "broken" / "conversations" / "day=2026-11-20" / "rows.parquet"
    broken.parent.mkdir(parents=True)
    broken.write_text("no Parquet")
    failed = run(lake.parent, "build", "--lake", str(lake.parent / "broken"), *options)
    assert failed.code == 1
    assert "lake.conversations failed on the engine: " in failed.err
    remote = "sc://127.0.0.1:1/;token=pa55word"
    nowhere = run(lake.parent, "build", *options[:2], "--engine", "spark", "--remote", remote, "--into", str(into))
    assert (nowhere.code, "There is no Spark Connect server at sc://127.0.0.1:1: " in nowhere.err) == (1, True)
    assert "pa55word" not in nowhere.err
    assert json.loads((into / "current.json").read_text()) == before


@pytest.mark.sail
def test_a_value_a_type_and_a_row_that_differ_are_noticed(expected: Path, tmp_path: Path) -> None:
    changes = {
        "marts.fct_turns": lambda rows: rows.head(-1),
        "marts.dim_dates": lambda rows: rows.with_columns(pl.col("iso_week").cast(pl.Int32)),
        "metrics.cost_daily": lambda rows: rows.with_columns(pl.col("cost_credits") + 1),
    }
    shutil.copytree(expected, tmp_path / "changed")
    for key, change in changes.items():
        folder = current_folders(tmp_path / "changed")[key]
        change(read(folder)).write_parquet(folder / "rows.parquet")
    assert (
        differences(read_project().models, current_folders(expected), current_folders(tmp_path / "changed")).keys()
        == changes.keys()
    )


@pytest.mark.spark
def test_every_table_is_the_same_on_a_cluster_that_loses_a_worker(
    lake: Path, expected: Path, cluster: SparkCluster
) -> None:
    """The worker is killed in the middle of the models, with its executor and what it has shuffled."""
    killed = threading.Event()

    def kill_once(model: str) -> None:
        if model == "marts.fct_conversations" and not killed.is_set():
            killed.set()
            threading.Thread(target=lambda: (time.sleep(1), cluster.kill_worker())).start()

    project = read_project(user_seeds=lake.parent / "seeds")
    assert_whole(
        build(spark_engine(cluster.remote), [lake], lake.parent / "spark", project=project, on_model=kill_once)
    )
    assert killed.is_set()
    assert cluster.workers[0].wait(timeout=60) != 0
    assert differences(read_project().models, current_folders(expected), current_folders(lake.parent / "spark")) == {}


@pytest.mark.spark
def test_without_the_rule_for_decimals_costs_differ(
    lake: Path, expected: Path, cluster: SparkCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = {name: value for name, value in spark_module.SESSION.items() if "allowPrecisionLoss" not in name}
    monkeypatch.setattr(spark_module, "SESSION", session)
    monkeypatch.setattr("warehouse.engines.build.all_checks", lambda _: ())  # they read more models than these
    key, target = "intermediate.int_cost_components", lake.parent / "imprecise"
    project = read_project(user_seeds=lake.parent / "seeds").upstream(key)
    built = build(spark_engine(cluster.remote), [lake], target, project=project)
    left, right = {key: current_folders(expected)[key]}, {key: target / built.folders[key]}
    assert differences(read_project().models, left, right).keys() == {key}


@pytest.mark.spark
def test_the_hand_worked_cases_on_spark(tmp_path: Path) -> None:
    log = tmp_path / "cases.log"
    with running_server(tmp_path, find_spark_home()) as remote, log.open("wb") as output:
        command = [sys.executable, "-m", "pytest", "--numprocesses", "2", "--dist", "loadfile", "--timeout", "600"]
        command += ["--engine", remote, "-m", "every_engine", "tests/sql"]
        ended = subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, check=False)  # noqa: S603 - ours
    assert ended.returncode == 0, log.read_text()[-5000:]


@pytest.mark.sail
def test_days_that_changed_are_built_again_as_a_whole_build_has_them(lake: Path, tmp_path: Path) -> None:
    changing = ChangingLake(sail_engine, FEW, lake, tmp_path)
    changing.build()
    changing.raise_cost(changing.days("conversations")[-3])
    changing.days("turns")[2].unlink()
    built = changing.build()
    assert "intermediate.int_agent_names" in built.reused
    assert "marts.fct_conversations" not in built.reused
    assert changing.differences_from_a_whole_build() == {}
    assert set(changing.build().reused) == built.folders.keys()


@pytest.mark.sail
def test_two_lakes_make_the_tables_of_one_home_with_both(tmp_path: Path) -> None:
    """Each shard was synced into its own home; the same conversation in two of them is refused."""
    until = day.now()
    worlds = {name: World(seed=seed, conversations=60, days=4, until=until) for name, seed in (("a", 3), ("b", 8))}
    with (
        running(create_app(worlds["a"], clock=lambda: until)) as url_a,
        running(create_app(worlds["b"], clock=lambda: until)) as url_b,
    ):
        for home, names in (("only_a", ("a",)), ("only_b", ("b",)), ("both", ("a", "b"))):
            for name in names:
                url = {"a": url_a, "b": url_b}[name]
                settings = Settings(home=tmp_path / home, base_url=url, api_key="demo", workspace=name)
                assert sync.sync(Context(settings, clock=lambda: until), run_id=f"{name}").problems == ()
    lakes = [tmp_path / name / "lake" for name in ("only_a", "only_b")]
    assert build(duckdb_engine(), [tmp_path / "both" / "lake"], tmp_path / "expected").is_current
    for connection, project in ((duckdb_engine(), read_project()), (sail_engine(), FEW)):
        union = tmp_path / f"union_of_{len(project.models)}"
        assert build(connection, lakes, union, project=project).is_current
        right = current_folders(union)
        left = {key: folder for key, folder in current_folders(tmp_path / "expected").items() if key in right}
        assert left.keys() == {model.key for model in project.models if not model.is_view}
        # metrics.sync_health has the times of the runs
        assert differences(project.models, left, right).keys() <= {"metrics.sync_health"}
    with pytest.raises(EngineError, match=r"Conversation conv_\w+ exists twice, in the workspaces a and a"):
        build(duckdb_engine(), [*lakes, lakes[0]], tmp_path / "twice")
    assert not (tmp_path / "twice" / "current.json").exists()
