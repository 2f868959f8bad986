"""Seeds: small tables that are written by hand, such as rates, rules, budgets and callers to leave out.

The seeds of the project are in ``sql/seeds/``: a CSV file with a TOML header of the same name. A user's file of the
same name in ``<home>/seeds/`` replaces all rows of the seed; the header still says what the columns mean. Seeds are
read and checked before a build writes anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import duckdb
import polars as pl

from warehouse.connection import create_table
from warehouse.errors import ModelError
from warehouse.models.headers import SeedHeader, parse_header
from warehouse.models.seed_csv import TYPES, read_rows
from warehouse.suggestions import did_you_mean, suggest


@dataclass(frozen=True, slots=True)
class Seed:
    """A CSV file with its header and its ``rows``; ``is_own`` says whether the file is the user's."""

    name: str
    path: Path
    header: SeedHeader
    rows: pl.DataFrame = field(compare=False, repr=False)
    is_own: bool

    @property
    def key(self) -> str:
        """Qualified name, such as ``seeds.credits_per_usd``."""
        return f"seeds.{self.name}"

    def load(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Write the seed into the connection's database, in place of an existing table."""
        connection.execute(f"drop table if exists {self.key}")
        create_table(connection, self.key, self.rows)


def read_seeds(folder: Path, user_folder: Path | None = None) -> tuple[Seed, ...]:
    """The seeds of ``folder`` by name; a seed that ``user_folder`` has as well is read from there.

    Raises:
        ModelError: a header is missing or wrong, a user's file has no counterpart, or a CSV file breaks its header;
            names file, line and column.
    """
    paths = {path.stem: path for path in sorted(folder.glob("*.csv"))}
    user_paths = _user_files(user_folder, paths) if user_folder is not None and user_folder.exists() else {}
    return _read(tuple(map(_read_file, paths.values(), map(user_paths.get, paths))))


@dataclass(frozen=True, slots=True)
class _SeedFile:
    """A seed as text: its CSV file, which may be the user's, and the header that is beside ours."""

    path: Path
    content: bytes
    header_path: Path
    header: str
    is_own: bool


def _read_file(path: Path, user_path: Path | None) -> _SeedFile:
    header_path, csv_path = path.with_suffix(".toml"), user_path or path
    if not header_path.exists():
        raise ModelError(f"{path}: the seed has no {header_path.name} beside it.", "Describe its columns there.")
    header = header_path.read_text(encoding="utf-8")
    return _SeedFile(csv_path, csv_path.read_bytes(), header_path, header, user_path is not None)


@lru_cache(maxsize=8)  # a process that builds more than once reads the same files
def _read(files: tuple[_SeedFile, ...]) -> tuple[Seed, ...]:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("create schema seeds")
        return tuple(_read_seed(connection, file, _read_header(file)) for file in files)


def _read_seed(connection: duckdb.DuckDBPyConnection, file: _SeedFile, header: SeedHeader) -> Seed:
    name = file.path.stem
    rows = read_rows(connection, file.path, file.content, f"seeds.{name}", header)
    return Seed(name, file.path, header, rows, file.is_own)


def _read_header(file: _SeedFile) -> SeedHeader:
    path, header = file.header_path, parse_header(file.header_path, file.header, SeedHeader)
    if list(header.types) != list(header.columns):
        raise ModelError(f"{path}: [types] and [columns] are not the same.", "List every column in both, in order.")
    unknown = [type_ for type_ in header.types.values() if type_ not in TYPES]
    if unknown:
        raise ModelError(f"{path}: seeds have no type {unknown[0]}.", f"The types are {', '.join(TYPES)}.")
    return header


def _user_files(folder: Path, paths: dict[str, Path]) -> dict[str, Path]:
    """The user's files by seed; hidden files, which editors and file managers leave behind, are ignored."""
    if not folder.is_dir():
        raise ModelError(f"{folder} is not a folder.", "Your own seeds are CSV files in a folder of this name.")
    user_paths = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.suffix != ".csv" or path.stem not in paths:
            question = did_you_mean([f"{name}.csv" for name in suggest(path.stem, paths)])
            names = ", ".join(f"{name}.csv" for name in paths)
            raise ModelError(f"{path}: there is no seed of this name.", f"{question}The seeds are {names}.")
        user_paths[path.stem] = path
    return user_paths
