"""A home folder in its first moments, in odd places, and after it was copied or moved."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from glob import escape

import duckdb
import polars as pl
import pytest

from tests.helpers import kill_at
from tests.helpers.layout_2 import downgrade_views
from tests.helpers.run_cli import run
from tests.helpers.small_lake import DAYS, fill
from warehouse.build.runner import build
from warehouse.connection import HOME_VARIABLE, connect
from warehouse.errors import HomeError, QueryError
from warehouse.models.data_quality import check_warehouse
from warehouse.schema.transcript import TURNS
from warehouse.serve.query import query
from warehouse.storage import lock
from warehouse.storage.home import LAYOUT_VERSION, UPGRADABLE_LAYOUT, Home

pytestmark = pytest.mark.usefixtures("few_models")

AT = datetime(2026, 11, 2, 3, tzinfo=UTC)
MARKER = ".convohouse.json"
UNREACHABLE = {"ELEVENLABS_API_KEY": "demo", "ELEVENLABS_BASE_URL": "http://127.0.0.1:1"}
"""A sync begins a home before its first request."""
KILLS = [
    *(("pathlib:Path.mkdir", number, "home") for number in range(1, 5)),
    ("pathlib:Path.open", 1, MARKER),
    ("os:fsync", 1, ""),
    ("pathlib:Path.replace", 1, MARKER),
    ("pathlib:Path.unlink", 1, MARKER),
]


@pytest.fixture
def few_keys():
    return ("staging.stg_turns", "marts.dim_agents")


def count(home):
    return query(home, "select count(*) as n from lake.turns")["n"].item()


def count_staged(home):
    return query(home, "select count(*) as n from staging.stg_turns")["n"].item()


def command_in(home, code, **settings):
    environment = os.environ | settings | {"CONVOHOUSE_HOME": str(home.root)}  # noqa: TID251 - a process of its own
    return subprocess.run([sys.executable, *code], env=environment, capture_output=True, timeout=60, check=False)  # noqa: S603 - ours


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: f"{kill[0].rpartition('.')[2]} {kill[1]}")
def test_a_kill_while_a_home_is_made_does_not_lock_it_out(kill, tmp_path):
    home = Home(tmp_path / "home")
    kill_at.die(kill, "sync", CONVOHOUSE_HOME=str(home.root), **UNREACHABLE)
    with lock.write_lock(home.open(), what="build", now=AT):
        names = sorted(path.name for path in home.root.iterdir())
    assert names == [MARKER, ".lock", ".lock.owner", ".tmp", "lake", "landing"]
    assert home.root.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_was_there_before_is_closed_to_others_once(tmp_path):
    home = Home(tmp_path / "home")
    home.root.mkdir(mode=0o755)
    home.open()
    assert home.root.stat().st_mode & 0o777 == 0o700
    home.root.chmod(0o750)
    assert home.open().root.stat().st_mode & 0o777 == 0o750
    home.write_marker(upgraded_from=UPGRADABLE_LAYOUT)  # a home of an earlier version
    assert home.root.stat().st_mode & 0o777 == 0o700


READER = """
import sys, time
from pathlib import Path
from warehouse.connection import Limits, connect
with connect(temporary=Path(sys.argv[1]), limits=Limits("30MB", 1)) as connection:
    connection.execute("create temp table large as select range as n, random() as text from range(8000000)")
    print(flush=True)
    time.sleep(600)
"""


def test_the_next_run_removes_what_a_killed_reader_has_spilled_and_nothing_of_one_that_lives(tmp_path):
    home = Home(tmp_path / "home").open()
    command = [sys.executable, "-c", READER, str(home.temporary)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]  # noqa: S603 - ours
    try:
        for reader in readers:
            reader.stdout.readline()
        spills = {folder: sorted(folder.iterdir()) for folder in home.temporary.iterdir()}
        assert len(spills) == 2
        assert all(spills.values())
        readers[0].kill()
        readers[0].wait()
        with lock.write_lock(home, what="build", now=AT):
            (living,) = home.temporary.iterdir()
        assert sorted(living.iterdir()) == spills[living]
        readers[1].kill()
        readers[1].wait()
        with lock.write_lock(home, what="build", now=AT):
            assert list(home.temporary.iterdir()) == []
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate()


def test_a_reader_leaves_no_folder_and_needs_none(tmp_path):
    home = Home(tmp_path / "home").open()
    with connect(temporary=home.temporary) as first, connect(temporary=home.temporary) as second:
        folders = [c.execute("select current_setting('temp_directory')").fetchone() for c in (first, second)]
        assert folders[0] == folders[1]
    assert list(home.temporary.iterdir()) == []
    with connect(temporary=tmp_path / "read-only" / ".tmp") as connection:
        assert connection.execute("select 1").fetchall() == [(1,)]


def test_a_full_disk_leaves_no_empty_marker(tmp_path):
    home = Home(tmp_path / "home")
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "
    ended = command_in(home, ["-c", full + "from pipelines.cli.main import main; main()", "sync"], **UNREACHABLE)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 2), ended.stderr.decode()
    assert list(home.root.iterdir()) == []
    assert home.open().exists()


def test_an_empty_marker_of_an_earlier_version_is_replaced(tmp_path):
    home = Home(tmp_path / "home").open()
    (home.root / MARKER).write_bytes(b"")
    assert not home.exists()
    assert home.open().layout() == LAYOUT_VERSION


def test_the_root_of_a_file_system_may_become_a_home_and_other_content_may_not(tmp_path):
    (tmp_path / "disk" / "lost+found").mkdir(parents=True)
    assert Home(tmp_path / "disk").open().exists()
    (tmp_path / "theirs" / "landing").mkdir(parents=True)
    (tmp_path / "theirs" / "landing" / "thesis.txt").write_text("mine")
    with pytest.raises(HomeError, match="is not a convohouse home"):
        Home(tmp_path / "theirs").open()
    assert [path.name for path in (tmp_path / "theirs").rglob("*")] == ["landing", "thesis.txt"]


def test_a_copy_without_the_hidden_files_is_told_from_another_folder(tmp_path):
    home = Home(tmp_path / "home").open()
    (home.landing / "runs").mkdir()
    (home.root / MARKER).unlink()
    with pytest.raises(HomeError, match="is not a convohouse home") as refused:
        home.open()
    assert "lacks the files whose names begin with a dot, such as .convohouse.json" in refused.value.hint


@pytest.mark.parametrize("name", ["what?", "back\\slash"])
def test_a_path_below_which_no_database_can_be_written_is_refused_at_once(name, tmp_path):
    ended = run(tmp_path, "--home", f"{name}/data", "build")
    assert (ended.code, len(ended.err.splitlines())) == (2, 2), ended.err
    assert "DuckDB" in ended.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a [1]", "a*b", "[!a]", "{a,b}", "it's #1 %20", "ä"])
def test_a_path_with_the_characters_of_a_pattern_is_a_path(name, tmp_path):
    Home(tmp_path / "a1").open()  # what the pattern would match
    home = Home(tmp_path / name).open()
    fill(home)
    assert build(home).is_swapped
    assert (count(home), count_staged(home)) == (15, 15)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("built") / "home").open()
    fill(home)
    assert build(home).is_swapped
    return home


@pytest.fixture
def copy(built, tmp_path):
    """A copy that lacks a day of the turns."""
    home = Home(tmp_path / "a copy [1]")
    shutil.copytree(built.root, home.root)
    shutil.rmtree(home.partition(TURNS, DAYS[2]))
    return home


def test_a_copy_answers_from_its_own_files(built, copy):
    assert (count(copy), count_staged(copy), count(built)) == (9, 9, 15)


def test_the_checks_of_a_copy_see_its_own_files(copy):
    file = copy.file(copy.partition(TURNS, DAYS[1]))
    rows = pl.read_parquet(file, glob=False)
    pl.concat([rows, rows]).write_parquet(file)
    failed = {result.check.name for result in check_warehouse(copy) if not result.is_passed}
    assert "lake_turns_unique" in failed


def test_the_next_build_of_a_copy_lets_every_program_read_its_files(built, copy):
    with duckdb.connect(copy.warehouse, read_only=True) as connection:
        assert connection.execute("select count(*) from lake.turns").fetchall() == [(15,)]
        connection.execute(f"set variable {HOME_VARIABLE} = '{escape(str(copy.root))}'")
        assert connection.execute("select count(*) from staging.stg_turns").fetchall() == [(9,)]
    assert build(copy).is_swapped
    with duckdb.connect(copy.warehouse, read_only=True) as connection:
        assert connection.execute("select count(*) from lake.turns").fetchall() == [(9,)]


def test_views_of_an_earlier_version_are_read_only_where_they_were_built(copy, tmp_path):
    assert build(copy).is_swapped
    downgrade_views(copy)
    assert count(copy) == 9
    moved = Home(tmp_path / "moved")
    shutil.move(copy.root, moved.root)
    with pytest.raises(QueryError, match="another folder") as raised:
        count(moved)
    assert "convohouse build" in raised.value.hint
    assert build(moved).is_swapped
    assert count(moved) == 9
