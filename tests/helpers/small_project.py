"""A project of seven models on warnings of one day, built again and again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.small_builds import keep_few_tables, with_comments
from warehouse.build import runner
from warehouse.build.runner import BuildResult
from warehouse.connection import open_warehouse
from warehouse.schema.conversations import WARNINGS
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home

DAY = date(2026, 11, 2)

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


def small_home(folder: Path, patch: pytest.MonkeyPatch) -> Home:
    """A home of three tables, with two warnings of a day."""
    keep_few_tables(patch)
    home = Home(folder).open()
    lake.ensure_schema_files(home)
    warn(home, 0, 1)
    return home


def builder(home: Home, sql: Path) -> Build:
    """A function that writes the small project, some of its files changed, and builds it."""

    def run(changed: dict[str, str] | None = None, *, full_refresh: bool = False) -> BuildResult:
        for path, text in ({} if sql.exists() else SQL).items() | (changed or {}).items():
            target = sql / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return build(home, sql_dir=sql, full_refresh=full_refresh)

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
