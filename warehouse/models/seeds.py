"""Seeds: the small tables that people write by hand, such as rates, rules, budgets and callers to leave out.

Ours stand in ``sql/seeds/``, each a CSV file with a TOML header beside it. A user's own file of the same name in
``<home>/seeds/`` takes the place of our rows, all of them; what its columns mean stays as our header says. Seeds are
read and checked before a build touches anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from warehouse.errors import ModelError
from warehouse.models.headers import SeedHeader, parse
from warehouse.models.seed_csv import TYPES, read_rows
from warehouse.suggestions import did_you_mean, suggest


@dataclass(frozen=True, slots=True)
class Seed:
    """A CSV file with its header; ``rows`` are what it holds, ``is_own`` says whether the file is the user's."""

    name: str
    path: Path
    header: SeedHeader
    rows: pl.DataFrame = field(compare=False, repr=False)
    is_own: bool = False

    @property
    def key(self) -> str:
        """Qualified name, such as ``seeds.credits_per_usd``."""
        return f"seeds.{self.name}"

    def load(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Write the seed into the connection's database, in place of the one that is there."""
        connection.execute(f"drop table if exists {self.key}")
        connection.register("seed_rows", self.rows)
        connection.table("seed_rows").create(self.key)
        connection.unregister("seed_rows")


def read_seeds(folder: Path, own: Path | None = None) -> tuple[Seed, ...]:
    """The seeds of ``folder``, those that ``own`` holds too from there; sorted by name.

    Raises:
        ModelError: a header is missing or wrong, a file of ``own`` has no counterpart, or a CSV file breaks its header;
            names file, line and column.
    """
    ours = {path.stem: path for path in sorted(folder.glob("*.csv"))}
    theirs = _own_files(own, ours) if own is not None and own.exists() else {}
    return tuple(_read(path, theirs.get(name)) for name, path in ours.items())


def _read(ours: Path, theirs: Path | None) -> Seed:
    header, path = _header(ours), theirs or ours
    return Seed(ours.stem, path, header, read_rows(path, header), is_own=theirs is not None)


def _header(path: Path) -> SeedHeader:
    beside = path.with_suffix(".toml")
    if not beside.exists():
        raise ModelError(f"{path}: the seed has no {beside.name} beside it.", "Describe its columns there.")
    header = parse(beside, beside.read_text(encoding="utf-8"), SeedHeader)
    if list(header.types) != list(header.columns):
        raise ModelError(f"{beside}: [types] and [columns] are not the same.", "List every column in both, in order.")
    unknown = [type_ for type_ in header.types.values() if type_ not in TYPES]
    if unknown:
        raise ModelError(f"{beside}: no seed holds the type {unknown[0]}.", f"These are known: {', '.join(TYPES)}.")
    return header


def _own_files(folder: Path, known: dict[str, Path]) -> dict[str, Path]:
    """The user's files by seed; hidden ones, which editors and file managers leave, do not count."""
    if not folder.is_dir():
        raise ModelError(f"{folder} is no folder.", "Your own seeds are CSV files in a folder of this name.")
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.suffix != ".csv" or path.stem not in known:
            meant = did_you_mean([f"{name}.csv" for name in suggest(path.stem, known)])
            names = ", ".join(f"{name}.csv" for name in known)
            raise ModelError(f"{path}: there is no seed of this name.", f"{meant}These are known: {names}.")
        found[path.stem] = path
    return found
