"""A home folder of layout 2 is upgraded by the next writer, in place, at whatever step that is killed."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import polars as pl
import pytest

from pipelines.emulator.server.serve import running
from pipelines.transform import flatten
from pipelines.usecases import sync
from tests.helpers import kill_at
from tests.helpers.layout_2 import downgrade, downgrade_views
from tests.helpers.nights import Nights
from tests.helpers.run_cli import run
from tests.helpers.small_lake import LATE_COLUMNS, drop_columns, fill
from warehouse.build import runner
from warehouse.errors import HomeError
from warehouse.schema.conversations import CONVERSATION_CHECKS
from warehouse.schema.operations import AGENTS, SYNC_RUNS
from warehouse.schema.registry import TABLES
from warehouse.schema.transcript import TURNS
from warehouse.storage import damage, lake, lock, parquet, run_records
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models")

AT = datetime(2026, 11, 2, 3, tzinfo=UTC)
KILLS = {
    "before the marker": ("pathlib:Path.replace", 1, ".convohouse.json"),
    "before the first rename": ("pathlib:Path.rename", 1, "start_date="),
    "between two renames": ("pathlib:Path.rename", 2, "start_date="),
    "before a file gets its columns": ("pathlib:Path.replace", 1, "main.parquet"),
    "between two files": ("pathlib:Path.replace", 3, "main.parquet"),
    "before a schema file": ("pathlib:Path.replace", 2, "schema.parquet"),
    "before an old schema file goes": ("pathlib:Path.unlink", 2, "schema.parquet"),
    "before the last marker": ("pathlib:Path.replace", 2, ".convohouse.json"),
}


def rows(home):
    return {table.name: lake.read(home.all_workspaces, table) for table in TABLES}


def assert_same(home, expected):
    for name, frame in rows(home).items():
        assert frame.equals(expected[name]), name


def assert_current(home):
    """The folders of layout 3 and no others, all columns in every file, and no file that a run would set aside."""
    assert damage.other_files(home) == []
    assert json.loads((home.root / ".convohouse.json").read_text()) == {"product": "convohouse", "layout": 3}
    for table in TABLES:
        files = list(home.table(table).rglob("*.parquet"))
        assert lake.schema_file(home, table) in files
        assert {file.parent.name.partition("=")[0] for file in files} == {"day" if table.is_daily else table.name}
        for file in files:
            assert parquet.file_schema(file) == pl.Schema(parquet.polars_schema(table)), file
    assert not list(home.lake.glob("*/start_date=*"))


@pytest.fixture
def old(tmp_path):
    """A filled home of layout 2 in which a workspace has files without columns that were declared later."""
    home = Home(tmp_path / "home [1]*").open()
    fill(home)
    drop_columns(home, TURNS, *LATE_COLUMNS)
    drop_columns(home, AGENTS, "agent_name")
    expected = rows(home)
    downgrade(home)
    return home, expected


def test_the_next_writer_upgrades_a_home_and_changes_no_row(old):
    home, expected = old
    assert expected["turns"].height == 15
    assert expected["turns"].filter(workspace="main")["message"].null_count() == 9
    with lock.write_lock(home.open(), what="build", now=AT):
        assert_current(home)
    assert_same(home, expected)
    before = {file: file.stat().st_ino for file in home.lake.rglob("*.parquet")}
    with lock.write_lock(home.open(), what="build", now=AT):
        pass
    assert {file: file.stat().st_ino for file in home.lake.rglob("*.parquet")} == before


def test_the_next_writer_merges_the_records_of_runs_and_names_none_as_a_file_of_somebody_else(tmp_path):
    home = Home(tmp_path / "home").open()
    for run_id in ("night-1", "night-2"):
        run_records.write(home, {"workspace": "main", "run_id": run_id, "started_at": AT, "ended_at": AT})
    expected = lake.read(home, SYNC_RUNS)
    assert expected["run_id"].to_list() == ["night-1", "night-2"]
    lake.ensure_schema_files(home)
    downgrade(home)
    names = [f"main.{run_id}.parquet" for run_id in ("night-1", "night-2")]
    assert sorted(file.name for file in home.table(SYNC_RUNS).iterdir()) == [*names, "schema.parquet"]
    with lock.write_lock(home.open(), what="build", now=AT):
        assert_current(home)
    assert lake.read(home, SYNC_RUNS).equals(expected)
    assert damage.repair(home, AT) == []


def test_the_first_sync_after_the_update_flattens_every_day_again_without_a_warning(tmp_path):
    home = Home(tmp_path / "home")
    nights = Nights(home.root, conversations=20, days=3)
    with running(nights.app) as url:
        context = nights.context(url)
        sync.sync(context, run_id="1")
        expected = rows(home)
        shutil.rmtree(home.table(CONVERSATION_CHECKS))  # 0.2.0 did not have the table
        (home.table(CONVERSATION_CHECKS) / "day=1970-01-01").mkdir(parents=True)
        parquet.write_file(home, lake.schema_file(home, CONVERSATION_CHECKS), parquet.frame(CONVERSATION_CHECKS, []))
        downgrade(home)
        with lock.write_lock(home, what="sync", now=AT):
            assert damage.repair(home, AT) == []
        assert rows(home)["turns"].equals(expected["turns"])
        result = sync.sync(context, run_id="2")
    assert (result.problems, result.warnings) == ((), ())
    assert rows(home)["turns"].equals(expected["turns"])
    checked = rows(home)["conversation_checks"].select("conversation_id", "parser_version")
    assert checked.equals(expected["conversation_checks"].select("conversation_id", "parser_version"))


@pytest.mark.parametrize("step", KILLS)
def test_killed_at_any_step_the_next_writer_goes_on(step, old):
    home, expected = old
    kill_at.die(KILLS[step], "build", CONVOHOUSE_HOME=str(home.root))
    with pytest.raises(HomeError, match="earlier version"):
        lake.read(home, TURNS)
    with lock.write_lock(home.open(), what="build", now=AT):
        assert_current(home)
    assert_same(home, expected)


def test_from_the_first_step_on_the_earlier_version_refuses_the_home(old, monkeypatch):
    home, _ = old

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(lake, "update_columns", stop)
    with pytest.raises(KeyboardInterrupt), lock.write_lock(home.open(), what="build", now=AT):
        pass
    assert '"layout": 2' not in (home.root / ".convohouse.json").read_text()  # what 0.2.0 looks for


def test_until_then_what_reads_the_lake_says_what_to_do_and_the_warehouse_answers(old, tmp_path):
    home, expected = old
    with lock.write_lock(home.open(), what="build", now=AT):
        runner.build(home)
    downgrade(home)
    downgrade_views(home)
    for arguments in (["status"], ["drift"], ["check"]):
        ended = run(tmp_path, "--home", str(home.root), *arguments)
        assert (ended.code, len(ended.err.splitlines())) == (2, 2), ended
        assert "convohouse build" in ended.err
    ended = run(tmp_path, "--home", str(home.root), "query", "select count(*) as n from lake.turns", "--json")
    assert ended.data == [{"n": expected["turns"].height}]
    built = run(tmp_path, "--home", str(home.root), "build")
    assert built.code == 0, built.err
    assert_current(home)
    assert run(tmp_path, "--home", str(home.root), "status").code == 0


@pytest.mark.parametrize("into", [(), ("--into", "tables")])
def test_a_build_flattens_again_what_an_earlier_version_has_flattened(into, tmp_path, monkeypatch):
    home = Home(tmp_path / "home")
    nights = Nights(home.root, conversations=20, days=3)
    with running(nights.app) as url:
        sync.sync(nights.context(url), run_id="1")
    expected = rows(home)
    assert expected["turns"].height > 100
    for day in lake.days(home, TURNS):
        for file in lake.day_files(home, TURNS, day):
            earlier = pl.read_parquet(file, glob=False).with_columns(message=pl.lit(None, pl.String))
            earlier.write_parquet(file)
    for module in ("sync_steps", "merge_days", "refresh_lake"):
        package = "usecases" if module == "sync_steps" else "transform"
        monkeypatch.setattr(f"pipelines.{package}.{module}.PARSER_VERSION", flatten.PARSER_VERSION + 1)
    ended = run(tmp_path, "--home", str(home.root), "build", *into)
    assert ended.code == 0, ended
    assert rows(home)["turns"].equals(expected["turns"])
    for day in lake.days(home, CONVERSATION_CHECKS):
        versions = pl.concat(map(pl.read_parquet, lake.day_files(home, CONVERSATION_CHECKS, day)))["parser_version"]
        assert set(versions) <= {flatten.PARSER_VERSION + 1}


def test_a_column_that_is_declared_later_is_in_every_file_after_the_next_build(tmp_path):
    home = Home(tmp_path / "home").open()
    fill(home)
    expected = rows(home)
    for workspace in (home, home.for_workspace("second")):
        drop_columns(workspace, TURNS, "role")
        schema = lake.schema_file(home, TURNS)
    pl.read_parquet(schema, glob=False).drop("role").write_parquet(schema)
    lake.ensure_schema_files(home)
    assert_current(home)
    without = expected | {"turns": expected["turns"].with_columns(role=pl.lit(None, pl.String))}
    assert_same(home, without)


def test_a_rewrite_that_was_cut_short_is_finished_by_the_next(tmp_path, monkeypatch):
    home = Home(tmp_path / "home").open()
    fill(home)
    expected, schema, write = rows(home), lake.schema_file(home, TURNS), parquet.write_file
    for file in (home, home.for_workspace("second")):
        drop_columns(file, TURNS, "extra")
    pl.read_parquet(schema, glob=False).drop("extra").write_parquet(schema)
    targets = []

    def stop(home, target, *rest, **named):
        targets.append(target)
        if len(targets) == 3:
            raise KeyboardInterrupt
        write(home, target, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(parquet, "write_file", stop)
        with pytest.raises(KeyboardInterrupt):
            lake.ensure_schema_files(home)
    lake.ensure_schema_files(home)
    assert_current(home)
    assert_same(home, expected | {"turns": expected["turns"].with_columns(extra=pl.lit(None, pl.String))})


def test_a_damaged_file_does_not_stop_the_upgrade(old):
    home, _ = old
    file = next(home.table(TURNS).glob("start_date=*/second.parquet"))
    file.write_bytes(file.read_bytes()[:-20])
    with lock.write_lock(home.open(), what="build", now=AT):
        pass
    assert home.layout() == 3
    with pytest.raises(pl.exceptions.PolarsError):
        lake.read(home.all_workspaces, TURNS)


@pytest.mark.parametrize(
    ("marker", "message", "hint"),
    [
        ('{"product": "convohouse", "layout": 4}', "by a newer version", "Update this one. "),
        ('{"product": "convohouse", "layout": 1}', "by an older version", "Choose another folder "),
        ('{"product": "convo', "is damaged", "Restore it from a backup."),
        ('{"product": "convohouse"}', "is damaged", "Restore it from a backup."),
    ],
)
def test_another_layout_is_refused(marker, message, hint, tmp_path):
    home = Home(tmp_path / "home").open()
    (home.root / ".convohouse.json").write_text(marker)
    with pytest.raises(HomeError, match=message) as refused:
        home.open()
    assert refused.value.hint.startswith(hint)
