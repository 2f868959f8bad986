"""Which warehouse a build may reuse: not one that was rejected, changed, damaged, or holds what was erased."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.helpers.small_project import (
    SQL,
    Build,
    build,
    builder,
    everything,
    model,
    rebuilt,
    small_home,
    warn,
)
from warehouse.build import runner, state
from warehouse.errors import QueryError
from warehouse.storage import landing
from warehouse.storage.home import Home

pytestmark = pytest.mark.whole_build

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return small_home(tmp_path / "home", monkeypatch)


@pytest.fixture
def build_sql(tmp_path: Path, home: Home) -> Build:
    return builder(home, tmp_path / "sql")


def test_a_rejected_build_is_no_baseline(home: Home, build_sql: Build) -> None:
    build_sql()
    refused = build_sql({"metrics/still.sql": model("select -1 as n from marts.constant")})
    assert [check.check.name for check in refused.failed] == ["metrics_still_at_least_n"]
    assert not refused.is_swapped
    assert rebuilt(build_sql()) == ["metrics.still"]
    result = build_sql({"metrics/still.sql": SQL["metrics/still.sql"]})
    assert (rebuilt(result), result.is_swapped) == ([], True)
    assert everything(home)["rows"]["metrics.still"] == [(43,)]


def test_a_warehouse_that_somebody_changed_is_no_baseline(home: Home, build_sql: Build) -> None:
    all_models = rebuilt(build_sql())
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("update marts.constant set n = 7")
    assert rebuilt(build_sql()) == all_models
    assert everything(home)["rows"]["marts.constant"] == [(42,)]


def damaged(file: Path) -> bytes:
    """A database whose headers are whole, and nothing else."""
    headers = file.read_bytes()[:12_288]
    return headers.ljust(file.stat().st_size, b"\0")


def test_a_damaged_warehouse_is_no_baseline(home: Home, build_sql: Build) -> None:
    all_models = rebuilt(build_sql())
    stat = home.warehouse.stat()
    home.warehouse.write_bytes(damaged(home.warehouse))
    os.utime(home.warehouse, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert rebuilt(build_sql()) == all_models
    assert everything(home)["rows"]["marts.constant"] == [(42,)]


def test_a_time_zone_that_was_changed_is_that_of_the_next_build(home: Home, build_sql: Build, tmp_path: Path) -> None:
    build_sql()
    before = everything(home)["rows"]["seeds.workspaces"]
    build(home, sql_dir=tmp_path / "sql", zones={"main": "Europe/Berlin"})
    assert everything(home)["rows"]["seeds.workspaces"] == [("main", "Europe/Berlin")] != before


FOREIGN = """
import duckdb, os, signal, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("update marts.constant set n = 7")
os.kill(os.getpid(), signal.SIGKILL)
"""


def write_and_die(home: Home) -> None:
    """Another program changes the warehouse, and leaves its log."""
    subprocess.run([sys.executable, "-c", FOREIGN, str(home.warehouse)], check=False)  # noqa: S603 - ours


@pytest.mark.parametrize("changed", [(), (0, 1, 2)], ids=["nothing new", "new rows"])
def test_the_log_of_a_foreign_writer_is_refused_by_readers_and_dropped_by_the_next_build(
    changed: tuple[int, ...], home: Home, build_sql: Build
) -> None:
    build_sql()
    write_and_die(home)
    assert home.warehouse_log.exists()
    with pytest.raises(QueryError, match=r"Another program has written to .*warehouse\.duckdb\.wal"):
        everything(home)
    if changed:
        warn(home, *changed)
    assert build_sql().is_swapped
    assert not home.warehouse_log.exists()
    assert everything(home)["rows"]["marts.constant"] == [(42,)]


def test_a_log_that_appears_during_a_build_is_not_kept_beside_the_new_file(
    home: Home, build_sql: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_sql()
    write_and_die(home)
    log = home.warehouse_log.read_bytes()
    real = runner.materialize

    def materialize(*arguments: Any, **options: Any) -> Any:
        home.warehouse_log.write_bytes(log)
        return real(*arguments, **options)

    monkeypatch.setattr(runner, "materialize", materialize)
    warn(home, 0, 1, 2)
    assert build_sql().is_swapped
    assert not home.warehouse_log.exists()
    assert everything(home)["rows"]["marts.constant"] == [(42,)]


def test_a_file_that_proves_damaged_only_while_it_is_reused_is_rebuilt(
    home: Home, build_sql: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_models = rebuilt(build_sql())
    copied = []

    def copy_damaged(source: Path, target: Path) -> None:
        target.write_bytes(damaged(source))
        copied.append(target)

    monkeypatch.setattr(runner.shutil, "copyfile", copy_damaged)
    warn(home, 0, 1, 2)
    result = build_sql()
    assert (len(copied), rebuilt(result), result.is_swapped) == (1, all_models, True)
    assert everything(home)["rows"]["marts.doubled"] == [(0,), (2,), (4,)]


@pytest.mark.parametrize(("n_free", "n_reused"), [(50, 7), (51, 0)])
def test_a_file_with_many_free_blocks_is_no_baseline(n_free: int, n_reused: int, home: Home, build_sql: Build) -> None:
    build_sql()

    class Connection:
        """The warehouse, with other numbers of blocks."""

        def __init__(self, real: duckdb.DuckDBPyConnection) -> None:
            self.real = real

        def execute(self, sql: str) -> Any:
            if "pragma_database_size" not in sql:
                return self.real.execute(sql)
            return self.real.execute(f"select 100, {n_free}")

    with duckdb.connect() as connection:
        connection.execute(f"attach '{home.warehouse}' as {state.BASELINE_DATABASE} (read_only)")
        baseline = state.read_state(Connection(connection), home.warehouse)  # type: ignore[arg-type]
    assert len(baseline.models) == n_reused


def test_a_home_that_was_moved_shows_its_own_lake(home: Home, build_sql: Build, tmp_path: Path) -> None:
    build_sql()
    moved = Home(tmp_path / "moved")
    shutil.copytree(home.root, moved.root)
    shutil.rmtree(home.root)
    build(moved, sql_dir=tmp_path / "sql")
    assert everything(moved)["rows"]["lake.warnings"] != []


def test_after_an_erasure_nothing_is_reused(home: Home, build_sql: Build) -> None:
    all_models = rebuilt(build_sql())
    tombstone = {"conversation_id": "c9", "start_date": NOON.date(), "start_time_at": NOON, "fetched_at": NOON}
    landing.land_documents(home, [tombstone | {"kind": landing.ERASED}])
    assert rebuilt(build_sql()) == all_models
    assert rebuilt(build_sql()) == []


def test_after_a_second_redaction_of_a_conversation_nothing_is_reused(home: Home, build_sql: Build) -> None:
    snapshot = {"conversation_id": "c9", "start_date": NOON.date(), "start_time_at": NOON, "kind": "document"}
    build_sql()
    for number in range(2):
        at = NOON + timedelta(hours=number)
        landing.land_documents(home, [snapshot | {"fetched_at": at, "is_redacted": True}])
        assert len(rebuilt(build_sql())) > 0
        assert rebuilt(build_sql()) == []
