"""Files without rows are written once in this process, and copied from then on: a new home begins with one per table.

To write them takes 20 ms of a first sync, which is a second at most.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from warehouse.storage import parquet

_write_parquet = parquet._write_parquet
_contents: dict[tuple[tuple[str, pl.DataType], ...], bytes] = {}


def keep_empty_files() -> None:
    """Write files without rows from memory; for the start of the process."""
    parquet._write_parquet = _write


def _write(path: Path, data: pl.DataFrame, footer: dict[str, str] | None) -> Any:
    if data.height or footer:
        _write_parquet(path, data, footer)
        return
    columns = tuple(data.schema.items())
    if columns in _contents:
        path.write_bytes(_contents[columns])
    else:
        _write_parquet(path, data, footer)
        _contents[columns] = path.read_bytes()
