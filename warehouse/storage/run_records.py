"""Run records: rows of ``sync_runs``, in the landing one file per run, and in the lake one file of all.

They are kept with the landing because they cannot be rebuilt from anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from warehouse.schema.operations import SYNC_RUNS
from warehouse.storage import lake, landing_files, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_sequence import MERGED


def records(home: Home) -> pl.DataFrame:
    """The current record of every run."""
    return parquet.read_consistently(lambda: landing_files.list_files(home, home.runs), read)


def read(files: Iterable[Path]) -> pl.DataFrame:
    """The current record of every run in some files; a run that continues after a merge gets its own file again."""
    merged_first = sorted(files, key=lambda file: not landing_files.is_merged(file))
    rows = parquet.read_files(SYNC_RUNS, merged_first, file_column="file")
    is_merged = pl.col("file").str.contains(MERGED, literal=True)
    in_order = rows.sort(~is_merged, "ended_at", maintain_order=True).drop("file")
    return in_order.unique("run_id", keep="last", maintain_order=True)


def write(home: Home, record: Mapping[str, object]) -> None:
    """Write the record of a run, in place of its last."""
    parquet.write_file(home, home.file(home.runs, str(record["run_id"])), parquet.frame(SYNC_RUNS, [record]))
    refresh_lake(home)


def refresh_lake(home: Home) -> None:
    """Make the table ``sync_runs`` equal to the records."""
    rows = records(home)
    if rows.is_empty():
        return
    for file in home.files(home.table(SYNC_RUNS)):
        if file != home.file(home.table(SYNC_RUNS)):  # version 0.2.0 wrote a file per run
            file.unlink()
    lake.overwrite_table(home, SYNC_RUNS, rows)
