"""A build that keeps what did not change leaves the warehouse that a build of everything would leave."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse.build.runner import BuildResult, build
from warehouse.connection import open_warehouse
from warehouse.schema.conversations import WARNINGS
from warehouse.schema.registry import BY_NAME
from warehouse.storage import lake, landing, parquet
from warehouse.storage.home import Home

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


def warn(home: Home, *numbers: int) -> None:
    """The warnings of a day, anew."""
    rows = [{"conversation_id": "c1", "start_date": DAY, "warning_index": n, "warning": "!"} for n in numbers]
    lake.overwrite_partition(home, WARNINGS, DAY, parquet.frame(WARNINGS, rows))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home").open()
    lake.ensure_schema_files(home)
    warn(home, 0, 1)
    return home


@pytest.fixture
def build_sql(tmp_path: Path, home: Home) -> Build:
    """Build a small project, some of its files changed."""

    def run(changed: dict[str, str] | None = None, *, anew: bool = False) -> BuildResult:
        for path, text in ({} if (tmp_path / "sql").exists() else SQL).items() | (changed or {}).items():
            target = tmp_path / "sql" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return build(home, sql_dir=tmp_path / "sql", full_refresh=anew)

    return run


def made(result: BuildResult) -> list[str]:
    return sorted(each.key for each in result.models if not each.is_reused)


def checked(result: BuildResult) -> list[str]:
    return [each.check.name for each in result.checks if not each.is_reused]


def everything(home: Home) -> dict[str, Any]:
    """All rows of all relations, their columns, types and comments; of the record, all but the time of its file."""
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


def told(result: BuildResult) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = [(each.key, each.n_rows, each.types) for each in result.models]
    return [*found, *((each.check, each.n_failing) for each in result.checks), (result.is_swapped,)]


def test_nothing_changed_and_nothing_is_made_or_checked(home: Home, build_sql: Build) -> None:
    first = build_sql()
    before = everything(home)
    second = build_sql()
    assert made(first) == sorted(each.key for each in first.models)
    assert (made(second), checked(second)) == ([], [])
    assert told(second) == told(first)
    assert everything(home) == before
    assert made(build_sql(anew=True)) == made(first)


def test_nothing_changed_and_the_file_is_left_alone_but_what_was_rejected_goes(home: Home, build_sql: Build) -> None:
    result = build_sql()
    before, rejected = home.warehouse.stat(), home.root / "warehouse.duckdb.rejected"
    rejected.touch()
    again = build_sql()
    after = home.warehouse.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (told(again), made(again), rejected.exists()) == (told(result), [], False)


def test_changed_rows_are_seen_by_all_that_reads_them_and_by_nothing_else(home: Home, build_sql: Build) -> None:
    build_sql()
    warn(home, 0, 1, 2)
    result = build_sql()
    assert made(result) == ["marts.doubled", "marts.warned", "staging.stg_warnings"]
    names = ("lake_warnings", "staging_stg_warnings", "marts_warned", "marts_doubled")
    assert {name for name in checked(result) if not name.startswith(names)} == set()
    assert "marts_warned_references_n" in checked(result)
    found = everything(home)
    assert found["rows"]["marts.doubled"] == [(0,), (2,), (4,)]
    assert told(build_sql(anew=True)) == told(result)
    assert everything(home) == found


def test_a_changed_seed_is_checked_against_by_models_that_are_kept(home: Home, build_sql: Build) -> None:
    build_sql()
    result = build_sql({"seeds/allowed.csv": "allowed_number\n0\n1\n7\n"})
    assert made(result) == ["marts.allowed", "metrics.both"]
    assert "marts_warned_references_n" in checked(result)
    found = everything(home)
    assert found["rows"]["metrics.both"] == [(0,), (1,), (7,), (1042,)]
    build_sql(anew=True)
    assert everything(home) == found
    assert [each.check.name for each in build_sql({"seeds/allowed.csv": "allowed_number\n0\n"}).failed] == [
        "marts_warned_references_n"
    ]


def test_a_changed_text_makes_the_model_anew_with_its_comment(home: Home, build_sql: Build) -> None:
    build_sql()
    result = build_sql({"marts/constant.sql": model("select 43 as n", about="Another.")})
    assert made(result) == ["marts.constant", "metrics.both", "metrics.still"]
    found = everything(home)
    assert ("marts.constant", "Another.") in found["names"]
    assert found["rows"]["metrics.still"] == [(44,)]
    build_sql(anew=True)
    assert everything(home) == found


def test_where_most_is_stale_and_where_a_model_came_or_went_nothing_is_kept(
    home: Home, build_sql: Build, tmp_path: Path
) -> None:
    every = made(build_sql())
    warn(home, 1)
    assert made(build_sql({"seeds/allowed.csv": "allowed_number\n1\n"})) == every
    assert made(build_sql({"marts/more.sql": model("select 1 as n")})) == sorted([*every, "marts.more"])
    (tmp_path / "sql" / "marts" / "more.sql").unlink()
    assert made(build_sql()) == every


def test_a_rejected_build_is_built_upon_by_none(home: Home, build_sql: Build) -> None:
    build_sql()
    refused = build_sql({"metrics/still.sql": model("select -1 as n from marts.constant")})
    assert [each.check.name for each in refused.failed] == ["metrics_still_at_least_n"]
    assert not refused.is_swapped
    assert made(build_sql()) == ["metrics.still"]
    result = build_sql({"metrics/still.sql": SQL["metrics/still.sql"]})
    assert (made(result), result.is_swapped) == ([], True)
    assert everything(home)["rows"]["metrics.still"] == [(43,)]


def test_a_warehouse_that_somebody_wrote_into_is_not_built_upon(home: Home, build_sql: Build) -> None:
    every = made(build_sql())
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("update marts.constant set n = 7")
    assert made(build_sql()) == every
    assert everything(home)["rows"]["marts.constant"] == [(42,)]


def test_a_damaged_warehouse_is_built_upon_by_none(home: Home, build_sql: Build) -> None:
    every = made(build_sql())
    stat = home.warehouse.stat()
    content = bytearray(home.warehouse.read_bytes())
    content[12_288:] = bytes(len(content) - 12_288)
    home.warehouse.write_bytes(content)
    os.utime(home.warehouse, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert made(build_sql()) == every
    assert everything(home)["rows"]["marts.constant"] == [(42,)]


def test_a_home_that_was_moved_shows_its_own_lake(home: Home, build_sql: Build, tmp_path: Path) -> None:
    build_sql()
    moved = Home(tmp_path / "moved")
    shutil.copytree(home.root, moved.root)
    shutil.rmtree(home.root)
    build(moved, sql_dir=tmp_path / "sql")
    assert everything(moved)["rows"]["lake.warnings"] != []


def test_after_an_erasure_nothing_is_kept(home: Home, build_sql: Build) -> None:
    every = made(build_sql())
    tombstone = {"conversation_id": "c9", "start_date": DAY, "start_time_at": NOON, "fetched_at": NOON}
    landing.land_documents(home, [tombstone | {"kind": landing.ERASED}])
    assert made(build_sql()) == every
    assert made(build_sql()) == []


def test_a_second_redaction_of_the_same_conversation_keeps_nothing_either(home: Home, build_sql: Build) -> None:
    reading = {"conversation_id": "c9", "start_date": DAY, "start_time_at": NOON, "kind": "document"}
    build_sql()
    for number in range(2):
        at = NOON + timedelta(hours=number)
        landing.land_documents(home, [reading | {"fetched_at": at, "is_redacted": True}])
        assert len(made(build_sql())) > 0
        assert made(build_sql()) == []


def test_many_builds_do_not_grow_the_file(home: Home, build_sql: Build) -> None:
    many = model("select 1000000 * n + unnest(range(300000)) as n from marts.warned")
    build_sql({"marts/doubled.sql": many})
    fresh = home.warehouse.stat().st_size
    sizes = []
    for number in range(8):
        warn(home, number % 2, 2)
        assert len(made(build_sql())) == 3
        sizes.append(home.warehouse.stat().st_size)
    assert max(sizes) <= 2.5 * fresh


def test_the_whole_project_is_the_same_after_changes_as_made_anew(rows: Any) -> None:
    rows.call("c1", cost_credits=60, call_duration_secs=7)
    rows.call("c2", agent_id="a2", cost_credits=3000)
    rows.add("turns", turn_index=0, role="agent", message="Hi")
    rows.add("tool_calls", turn_index=0, call_index=0, depth=0, tool_name="t")
    rows.tokens("initiated", -1, "input", 0.1)
    home = rows.write()
    assert build(home).is_swapped
    for name, row in (
        ("warnings", {"warning_index": 0, "warning": "w"}),
        ("evaluation_results", {"criteria_id": "e", "result": "success"}),
        ("data_collection_results", {"data_collection_id": "d", "value": "v"}),
        ("platform_usage", {"category": "voice", "charge_credits": 3.0, "price_usd": 0.1}),
    ):
        table = BY_NAME[name]
        known = {"conversation_id": "c1", "start_date": rows.day} | row
        lake.overwrite_partition(home, table, rows.day, parquet.frame(table, [known]))
    result = build(home)
    assert {"staging.stg_warnings", "metrics.evaluation_rates", "metrics.cost_daily"} <= set(made(result))
    assert "marts.fct_turns" not in made(result)
    assert len(checked(result)) < len(result.checks)
    found = everything(home)
    assert found["rows"]["metrics.evaluation_rates"] != []
    assert told(build(home, full_refresh=True)) == told(result)
    assert everything(home) == found
