"""A build that reuses what has not changed leaves the same warehouse as a full refresh."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.helpers.small_builds import keep_few_tables, with_comments
from warehouse.build import runner, state
from warehouse.build.runner import BuildResult
from warehouse.connection import open_warehouse
from warehouse.errors import QueryError
from warehouse.schema.conversations import WARNINGS
from warehouse.schema.registry import BY_NAME
from warehouse.storage import lake, landing, parquet
from warehouse.storage.home import Home

pytestmark = pytest.mark.whole_build

DAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)

MODEL = """/*
description = "{about}"
grain = ["n"]

[columns]
n = "A number."

[tests]
at_least = {{ n = 0 }}
{tests}
*/
with final as (
    {select}
)

select n from final
"""

Build = Callable[..., BuildResult]


def model(select: str, about: str = "Numbers.", tests: str = "") -> str:
    return MODEL.format(select=select, about=about, tests=tests)


SQL = {
    "staging/stg_warnings.sql": model("select warning_index as n from lake.warnings"),
    "marts/warned.sql": model(
        "select n from staging.stg_warnings", tests='references = { n = "seeds.allowed.allowed_number" }'
    ),
    "marts/doubled.sql": model("select 2 * n as n from marts.warned"),
    "marts/allowed.sql": model("select allowed_number as n from seeds.allowed"),
    "marts/constant.sql": model("select 42 as n"),
    "metrics/both.sql": model("select n from marts.allowed union all select n + 1000 as n from marts.constant"),
    "metrics/still.sql": model("select n + 1 as n from marts.constant"),
    "seeds/allowed.toml": (
        'description = "Numbers."\ngrain = ["allowed_number"]\n[columns]\nallowed_number = "Number."\n'
        '[types]\nallowed_number = "bigint"\n'
    ),
    "seeds/allowed.csv": "allowed_number\n0\n1\n2\n3\n",
}


def build(home: Home, **options: Any) -> BuildResult:
    """Build with the descriptions of seeds and models, which are compared as well."""
    with with_comments("seeds.", "staging.", "intermediate.", "marts.", "metrics.", "main."):
        return runner.build(home, **options)


def warn(home: Home, *numbers: int) -> None:
    """Write the warnings of a day."""
    rows = [{"conversation_id": "c1", "start_date": DAY, "warning_index": n, "warning": "!"} for n in numbers]
    lake.overwrite_partition(home, WARNINGS, DAY, parquet.frame(WARNINGS, rows))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    keep_few_tables(monkeypatch)
    home = Home(tmp_path / "home").open()
    lake.ensure_schema_files(home)
    warn(home, 0, 1)
    return home


@pytest.fixture
def build_sql(tmp_path: Path, home: Home) -> Build:
    """Build a small project, some of its files changed."""

    def run(changed: dict[str, str] | None = None, *, full_refresh: bool = False) -> BuildResult:
        for path, text in ({} if (tmp_path / "sql").exists() else SQL).items() | (changed or {}).items():
            target = tmp_path / "sql" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return build(home, sql_dir=tmp_path / "sql", full_refresh=full_refresh)

    return run


def rebuilt(result: BuildResult) -> list[str]:
    return sorted(model.key for model in result.models if not model.is_reused)


def checked(result: BuildResult) -> list[str]:
    return [check.check.name for check in result.checks if not check.is_reused]


def everything(home: Home) -> dict[str, Any]:
    """All relations with their rows, columns, types and comments; without the file time in seeds.build_inputs."""
    with open_warehouse(home) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name, comment from duckdb_tables() union all "
            "select schema_name || '.' || view_name, comment from duckdb_views() where not internal order by 1"
        ).fetchall()
        columns = connection.execute(
            "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() "
            "where not internal order by schema_name, table_name, column_index"
        ).fetchall()
        rows = {name: connection.table(name).order("all").fetchall() for name, _ in names}
    rows["seeds.build_inputs"] = [row for row in rows["seeds.build_inputs"] if row[0] != "file"]
    return {"names": names, "columns": columns, "rows": rows}


def summary(result: BuildResult) -> list[tuple[object, ...]]:
    models: list[tuple[object, ...]] = [(model.key, model.n_rows, model.types) for model in result.models]
    return [*models, *((check.check, check.n_failing) for check in result.checks), (result.is_swapped,)]


def test_if_nothing_changed_nothing_is_rebuilt_or_checked(home: Home, build_sql: Build) -> None:
    first = build_sql()
    before = everything(home)
    second = build_sql()
    assert rebuilt(first) == sorted(model.key for model in first.models)
    assert (rebuilt(second), checked(second)) == ([], [])
    assert summary(second) == summary(first)
    assert everything(home) == before
    assert rebuilt(build_sql(full_refresh=True)) == rebuilt(first)


def test_if_nothing_changed_the_file_is_not_touched_and_a_rejected_one_is_removed(home: Home, build_sql: Build) -> None:
    result = build_sql()
    before, rejected = home.warehouse.stat(), home.root / "warehouse.duckdb.rejected"
    rejected.touch()
    again = build_sql()
    after = home.warehouse.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (summary(again), rebuilt(again), rejected.exists()) == (summary(result), [], False)


def test_changed_rows_rebuild_all_that_reads_them_and_nothing_else(home: Home, build_sql: Build) -> None:
    build_sql()
    warn(home, 0, 1, 2)
    result = build_sql()
    assert rebuilt(result) == ["marts.doubled", "marts.warned", "staging.stg_warnings"]
    names = ("lake_warnings", "staging_stg_warnings", "marts_warned", "marts_doubled")
    assert {name for name in checked(result) if not name.startswith(names)} == set()
    assert "marts_warned_references_n" in checked(result)
    content = everything(home)
    assert content["rows"]["marts.doubled"] == [(0,), (2,), (4,)]
    assert summary(build_sql(full_refresh=True)) == summary(result)
    assert everything(home) == content


def test_a_changed_seed_is_checked_against_by_models_that_are_reused(home: Home, build_sql: Build) -> None:
    build_sql()
    result = build_sql({"seeds/allowed.csv": "allowed_number\n0\n1\n7\n"})
    assert rebuilt(result) == ["marts.allowed", "metrics.both"]
    assert "marts_warned_references_n" in checked(result)
    content = everything(home)
    assert content["rows"]["metrics.both"] == [(0,), (1,), (7,), (1042,)]
    build_sql(full_refresh=True)
    assert everything(home) == content
    assert [check.check.name for check in build_sql({"seeds/allowed.csv": "allowed_number\n0\n"}).failed] == [
        "marts_warned_references_n"
    ]


def test_a_changed_text_rebuilds_the_model_with_its_comment(home: Home, build_sql: Build) -> None:
    build_sql()
    result = build_sql({"marts/constant.sql": model("select 43 as n", about="Another.")})
    assert rebuilt(result) == ["marts.constant", "metrics.both", "metrics.still"]
    content = everything(home)
    assert ("marts.constant", "Another.") in content["names"]
    assert content["rows"]["metrics.still"] == [(44,)]
    build_sql(full_refresh=True)
    assert everything(home) == content


def test_nothing_is_reused_if_most_is_stale_or_a_model_is_added_or_removed(
    home: Home, build_sql: Build, tmp_path: Path
) -> None:
    all_models = rebuilt(build_sql())
    warn(home, 1)
    assert rebuilt(build_sql({"seeds/allowed.csv": "allowed_number\n1\n"})) == all_models
    assert rebuilt(build_sql({"marts/more.sql": model("select 1 as n")})) == sorted([*all_models, "marts.more"])
    (tmp_path / "sql" / "marts" / "more.sql").unlink()
    assert rebuilt(build_sql()) == all_models


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


def test_a_damaged_warehouse_is_no_baseline(home: Home, build_sql: Build) -> None:
    all_models = rebuilt(build_sql())
    stat = home.warehouse.stat()
    content = bytearray(home.warehouse.read_bytes())
    content[12_288:] = bytes(len(content) - 12_288)
    home.warehouse.write_bytes(content)
    os.utime(home.warehouse, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert rebuilt(build_sql()) == all_models
    assert everything(home)["rows"]["marts.constant"] == [(42,)]


FOREIGN = """
import duckdb, os, signal, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("update marts.constant set n = 7")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("changed", [(), (0, 1, 2)], ids=["nothing new", "new rows"])
def test_the_log_of_a_foreign_writer_is_refused_by_readers_and_dropped_by_the_next_build(
    changed: tuple[int, ...], home: Home, build_sql: Build
) -> None:
    build_sql()
    subprocess.run([sys.executable, "-c", FOREIGN, str(home.warehouse)], check=False)  # noqa: S603 - ours
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
    subprocess.run([sys.executable, "-c", FOREIGN, str(home.warehouse)], check=False)  # noqa: S603 - ours
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
        content = bytearray(source.read_bytes())
        content[12_288:] = bytes(len(content) - 12_288)
        target.write_bytes(content)
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
    tombstone = {"conversation_id": "c9", "start_date": DAY, "start_time_at": NOON, "fetched_at": NOON}
    landing.land_documents(home, [tombstone | {"kind": landing.ERASED}])
    assert rebuilt(build_sql()) == all_models
    assert rebuilt(build_sql()) == []


def test_after_a_second_redaction_of_a_conversation_nothing_is_reused(home: Home, build_sql: Build) -> None:
    snapshot = {"conversation_id": "c9", "start_date": DAY, "start_time_at": NOON, "kind": "document"}
    build_sql()
    for number in range(2):
        at = NOON + timedelta(hours=number)
        landing.land_documents(home, [snapshot | {"fetched_at": at, "is_redacted": True}])
        assert len(rebuilt(build_sql())) > 0
        assert rebuilt(build_sql()) == []


def test_many_builds_do_not_grow_the_file(home: Home, build_sql: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # a file of usual size, with every table of the lake
    many = model("select 1000000 * n + unnest(range(300000)) as n from marts.warned")
    build_sql({"marts/doubled.sql": many})
    fresh = home.warehouse.stat().st_size
    sizes = []
    for number in range(8):
        warn(home, number % 2, 2)
        assert len(rebuilt(build_sql())) == 3
        sizes.append(home.warehouse.stat().st_size)
    assert max(sizes) <= 2.5 * fresh


def test_the_whole_project_is_the_same_after_changes_as_after_a_full_refresh(rows: Any) -> None:
    rows.call("c1", cost_credits=60, call_duration_secs=7)
    rows.call("c2", agent_id="a2", cost_credits=3000)
    rows.add("turns", turn_index=0, role="agent", message="Hi")
    rows.add("tool_calls", turn_index=0, call_index=0, depth=0, tool_name="t")
    rows.tokens("initiated", -1, "input", 0.1)
    home = rows.write()
    assert build(home).is_swapped
    for name, row in (
        ("warnings", {"warning_index": 0, "warning": "w"}),
        ("evaluation_results", {"scope_index": -1, "criteria_id": "e", "result": "success"}),
        ("data_collection_results", {"scope_index": -1, "data_collection_id": "d", "value": "v"}),
        ("platform_usage", {"category": "voice", "charge_credits": 3.0, "price_usd": 0.1}),
    ):
        table = BY_NAME[name]
        key = {"conversation_id": "c1", "start_date": rows.day}
        lake.overwrite_partition(home, table, rows.day, parquet.frame(table, [key | row]))
    result = build(home)
    assert {"staging.stg_warnings", "metrics.evaluation_rates", "metrics.cost_daily"} <= set(rebuilt(result))
    assert "marts.fct_turns" not in rebuilt(result)
    assert len(checked(result)) < len(result.checks)
    content = everything(home)
    assert content["rows"]["metrics.evaluation_rates"] != []
    assert summary(build(home, full_refresh=True)) == summary(result)
    assert everything(home) == content
