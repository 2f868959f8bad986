"""Read tables of the lake as docs/engines.md says, each engine with its own code.

Needs only pyarrow and the engine, so that it also runs as a script in an environment without convohouse:
``python lake_engines.py ENGINE FOLDER OUTPUT DAY TABLE…`` writes ``TABLE.arrow`` and, of tables with a folder of that
day, ``TABLE.one_day.arrow``.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

PAGE = Path(__file__).parents[2] / "docs" / "engines.md"
TABLE_OF_PAGE, DAY_OF_PAGE, DATE_OF_PAGE = "turns", "2026-11-25", "datetime.date(2026, 11, 25)"

VARIANTS = {
    "DuckDB, hive on": """
import duckdb
rows = duckdb.sql("from read_parquet('data/lake/turns/**/*.parquet', hive_partitioning = true)")
one_day = rows.filter("day = '2026-11-25'")
""",
    "DuckDB, hive off": """
import duckdb
rows = duckdb.sql("from read_parquet('data/lake/turns/**/*.parquet', hive_partitioning = false)")
one_day = rows.filter("start_date = '2026-11-25'")
""",
    "Polars, no hive": """
import datetime
import polars as pl
rows = pl.scan_parquet("data/lake/turns/**/*.parquet")
one_day = rows.filter(pl.col("start_date") == datetime.date(2026, 11, 25))
""",
    "PyArrow dataset, no hive": """
import datetime
import pyarrow.dataset as ds
rows = ds.dataset("data/lake/turns")
one_day = rows.filter(ds.field("start_date") == datetime.date(2026, 11, 25))
""",
    "DataFusion, no DDL": """
from datafusion import SessionContext
context = SessionContext()
context.register_parquet("turns", "data/lake/turns")
rows = context.table("turns")
one_day = context.sql("select * from turns where start_date = date '2026-11-25'")
""",
}
"""Other ways in which people read the lake, beside those of the page."""


_NAMESPACES: list[dict[str, Any]] = []
"""Kept until the end: a session of Spark is used again, and needs the server of the code that started it."""


def snippets() -> dict[str, str]:
    """The code of the page by engine, and the variants."""
    text = PAGE.read_text(encoding="utf-8")
    return (
        dict(re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
        | VARIANTS
    )


def read(engine: str, table: str, day: str | None) -> tuple[pa.Table, pa.Table | None]:
    """All rows of a table below ``data/lake`` of the current folder, and those of a day, if it has days."""
    code = re.sub(rf"\b{TABLE_OF_PAGE}\b", table, snippets()[engine])
    if day is None:
        code = "\n".join(line for line in code.splitlines() if not line.startswith("one_day"))
    else:
        year, month, of_month = map(int, day.split("-"))
        code = code.replace(DATE_OF_PAGE, f"datetime.date({year}, {month}, {of_month})").replace(DAY_OF_PAGE, day)
    values: dict[str, Any] = {}
    _NAMESPACES.append(values)
    exec(code, values)  # noqa: S102 - the code of our page
    return _to_arrow(values["rows"]), _to_arrow(values["one_day"]) if day else None


def _to_arrow(rows: Any) -> pa.Table:
    """Rows of any engine as an Arrow table."""
    library = type(rows).__module__.partition(".")[0]
    if library == "polars":
        return rows.collect().to_arrow()
    if library == "dask":
        rows, library = rows.compute(), "pandas"
    if library == "pandas":
        return pa.Table.from_pandas(rows, preserve_index=False)
    names = {"duckdb": "to_arrow_table", "_duckdb": "to_arrow_table", "datafusion": "to_arrow_table"}
    names |= {"pyspark": "toArrow", "daft": "to_arrow"}
    if isinstance(rows, pa.Table):
        return rows
    return getattr(rows, names.get(library, "to_table"))()


if __name__ == "__main__":
    engine, folder, output, day, *tables = sys.argv[1:]
    os.chdir(folder)
    for table in tables:
        has_day = Path("data", "lake", table, f"day={day}").exists()
        for name, rows in zip((table, f"{table}.one_day"), read(engine, table, day if has_day else None), strict=True):
            if rows is not None:
                with pa.OSFile(f"{output}/{name}.arrow", "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
                    writer.write_table(rows)
