"""All that a folder holds, decompressed: what must not be on the disk must not be in here."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl


def contents(folder: Path) -> bytes:
    """Every file as it is, and every text and binary value of each Parquet file and DuckDB table."""
    parts: list[bytes] = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        parts += [file.name.encode(), file.read_bytes()]
        if file.suffix == ".parquet":
            parts += _values(pl.read_parquet(file, glob=False))
        if file.suffix == ".duckdb":
            parts += _of_database(file)
    return b"\n".join(parts)


def _of_database(file: Path) -> list[bytes]:
    with duckdb.connect(file, read_only=True) as connection:
        names = connection.execute("select table_schema, table_name from information_schema.tables").fetchall()
        return [value for schema, name in names for value in _values(connection.sql(f'from "{schema}"."{name}"').pl())]


def _values(frame: pl.DataFrame) -> list[bytes]:
    """Every value once; what is neither text nor bytes as JSON."""
    values_as_bytes: list[bytes] = []
    for column in frame.iter_columns():
        values = column.drop_nulls().unique().to_list()
        values_as_bytes += [
            value if isinstance(value, bytes) else str(value).encode(errors="replace") for value in values
        ]
    return values_as_bytes
