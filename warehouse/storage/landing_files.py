"""Which files of the landing a reader has to read, so that it sees every landed row once, also during a merge.

A merge (``landing_merge``) replaces some files of a folder by one: a record in ``landing/merges`` names them, the
merged file is renamed into place, the files are removed, the record is removed. Between two of these steps rows are in
two files; the record says which of them to leave out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from warehouse.schema.types import Table
from warehouse.storage import parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_sequence import MERGED


def list_files(home: Home, folder: Path, below: str = "") -> list[Path]:
    """The workspace's files in a folder, or below it as in ``Home.files``, without those that a merge has replaced."""
    files = home.files(folder, below)
    # A folder is not listed at one instant: a merge meanwhile could show neither the merged file nor those it replaced.
    # The files are complete if a second look misses none of them and finds no other merged file.
    while _is_merge_between(files, files_again := home.files(folder, below)):
        files = files_again
    replaced_files = {file for merge in merges(home) if merge.merged in files for file in merge.replaced}
    return [file for file in files if file not in replaced_files]


def is_merged(file: Path) -> bool:
    """Whether a merge wrote the file."""
    return file.stem.endswith(MERGED)


def _is_merge_between(files: Sequence[Path], files_again: Sequence[Path]) -> bool:
    earlier_files, later_files = set(files), set(files_again)
    return bool(earlier_files - later_files) or any(map(is_merged, later_files - earlier_files))


def read(
    home: Home,
    table: Table,
    folder: Path,
    *,
    below: str = "",
    columns: Sequence[str] | None = None,
    where: pl.Expr | None = None,
) -> pl.DataFrame:
    """Rows of the files in a folder of the landing, each once; other arguments as in ``parquet.read_files``."""
    return parquet.read_consistently(
        lambda: list_files(home, folder, below), lambda files: parquet.read_files(table, files, columns, where)
    )


class Merge:
    """A merge that is not finished: ``merged`` replaces the files ``replaced`` from the moment it exists."""

    def __init__(self, record: Path, merged: Path, replaced: Iterable[Path]) -> None:
        """``record`` is the file that says so."""
        self.record, self.merged, self.replaced = record, merged, tuple(replaced)


def merges(home: Home) -> list[Merge]:
    """Merges that are going on or were killed."""
    return parquet.read_consistently(
        lambda: sorted(merge_records(home).glob(f"{home.workspace}.*.json")),
        lambda records: [_parse(home, record) for record in records],
    )


def merge_records(home: Home) -> Path:
    """Folder of the records of merges."""
    return home.landing / "merges"


def _parse(home: Home, record: Path) -> Merge:
    """The merge of a record; a damaged record replaces nothing: a row that is read twice counts once."""
    try:
        paths: dict[str, Any] = json.loads(record.read_bytes())
    except ValueError:
        return Merge(record, record, ())
    return Merge(record, home.landing / paths["merged"], (home.landing / path for path in paths["replaced"]))
