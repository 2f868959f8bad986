"""All that a folder holds, decompressed: what must not be on the disk must not be in here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb
import polars as pl


def contents(folder: Path) -> bytes:
    """Every file as it is, and every text and binary value of each Parquet file and DuckDB table, once."""
    files: list[bytes] = []
    values: set[bytes] = set()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        files += [file.name.encode(), file.read_bytes()]
        if file.suffix == ".parquet":
            values.update(_values(pl.read_parquet(file, glob=False)))
        if file.suffix == ".duckdb":
            values.update(_of_database(file))
    return b"\n".join([*files, *values])


def _of_database(file: Path) -> Iterable[bytes]:
    """Of its tables: what its views show is in them or in the files of the lake."""
    with duckdb.connect(file, read_only=True) as connection:
        names = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        for schema, name in names:
            yield from _values(connection.sql(f'from "{schema}"."{name}"').pl())


def _values(frame: pl.DataFrame) -> Iterable[bytes]:
    """What is neither text nor bytes as JSON."""
    for column in frame.iter_columns():
        # of these few rows, a set in Python is ten times as fast as one in polars
        values = column.to_list() if column.dtype.is_nested() else set(column.to_list())
        for value in values:
            if value is not None:
                yield value if isinstance(value, bytes) else str(value).encode(errors="replace")


def words_in(content: bytes, words: Iterable[str]) -> set[str]:
    """Those of the words that some bytes have: all of them are looked for at once."""
    words_by_bytes = {word.encode().decode("latin-1"): word for word in words}
    matches = pl.Series([content.decode("latin-1")]).str.extract_many([*words_by_bytes], overlapping=True)
    return {words_by_bytes[match] for match in matches[0]}
