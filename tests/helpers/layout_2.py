"""A home folder as version 0.2.0 wrote it: day folders called like the column, a file for each run, and its views."""

from __future__ import annotations

import json
from glob import escape

import duckdb

from warehouse.connection import sql_literal
from warehouse.schema.operations import SYNC_RUNS
from warehouse.schema.registry import TABLES
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home


def downgrade(home: Home) -> None:
    """Give the files of a home the names that they had in layout 2."""
    for table in TABLES:
        if table.is_daily:
            lake.schema_file(home, table).replace(home.table(table) / lake.SCHEMA_FILE)
            folder = lake.schema_file(home, table).parent
            if not any(folder.iterdir()):
                folder.rmdir()
    for row in lake.read(home.all_workspaces, SYNC_RUNS).iter_rows(named=True):
        workspace, record = home.for_workspace(row["workspace"]), parquet.frame(SYNC_RUNS, [row])
        for folder in (home.runs, home.table(SYNC_RUNS)):
            parquet.write_file(home, workspace.file(folder, row["run_id"]), record)
        workspace.file(home.table(SYNC_RUNS)).unlink(missing_ok=True)
    for folder in home.lake.glob(f"*/{lake.DAY_FOLDERS}"):
        folder.rename(folder.with_name(f"start_date={folder.name.partition('=')[2]}"))
    (home.root / ".convohouse.json").write_text(json.dumps({"product": "convohouse", "layout": 2}) + "\n")


def downgrade_views(home: Home) -> None:
    """Give the warehouse the views that version 0.2.0 wrote: always on the files of this folder."""
    with duckdb.connect(str(home.warehouse)) as connection:
        for table in TABLES:
            files = sql_literal(f"{escape(str(home.table(table).resolve()))}/**/*.parquet")
            connection.execute(
                f"create or replace view lake.{table.name} as select {', '.join(table.column_names)} "  # noqa: S608 - ours
                f"from read_parquet([{files}], union_by_name = true, hive_partitioning = false)"
            )
