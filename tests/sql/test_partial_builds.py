"""A build that reuses what has not changed leaves the same warehouse as a full refresh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.helpers.small_project import (
    Build,
    build,
    builder,
    checked,
    everything,
    model,
    rebuilt,
    small_home,
    warn,
)
from warehouse.build.runner import BuildResult
from warehouse.schema.registry import BY_NAME
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home

pytestmark = pytest.mark.whole_build


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return small_home(tmp_path / "home", monkeypatch)


@pytest.fixture
def build_sql(tmp_path: Path, home: Home) -> Build:
    return builder(home, tmp_path / "sql")


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
