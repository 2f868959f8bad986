"""The home folder: where landing, lake and warehouse stand, and the mark that says it is ours.

A home holds the calls of one workspace or of several. Files are named by the workspace whose rows they hold
(``main.parquet``, ``main.20261121T….parquet``), so that none ever touches another's, and a glob over all is all.

A folder that holds other things is refused, so that a mistyped path never mixes our files with somebody's own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from warehouse.errors import HomeError
from warehouse.schema.types import Table

MARK = ".convohouse.json"
LAYOUT = 2
MAIN = "main"
"""Name of the workspace where only one is set up."""
ANY_WORKSPACE = "*"
RESERVED = "schema"
"""No workspace's name: the file of an empty table has it."""


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below one home folder, as one workspace sees it; nothing is touched until ``open`` is called."""

    root: Path
    workspace: str = MAIN

    @property
    def all_workspaces(self) -> Home:
        """The same home with the rows of all workspaces: to read, and to write rows back that were read."""
        return replace(self, workspace=ANY_WORKSPACE)

    def workspaces(self) -> tuple[str, ...]:
        """Every workspace of which anything was landed, sorted."""
        return tuple(sorted({file.name.partition(".")[0] for file in self.landing.rglob("*.parquet")}))

    def for_workspace(self, workspace: str) -> Home:
        """The same home as another workspace sees it."""
        return replace(self, workspace=workspace)

    def files(self, folder: Path, below: str = "") -> list[Path]:
        """The workspace's files in a folder, or in those of its folders that ``below`` matches (``start_date=*/``)."""
        return sorted(folder.glob(f"{below}{self.workspace}.*parquet"))

    def file(self, folder: Path, name: str = "") -> Path:
        """A file of the workspace in a folder; one without a name holds all of its rows there."""
        return folder / ".".join(part for part in (self.workspace, name, "parquet") if part)

    @property
    def landing(self) -> Path:
        """What the API said, a segment file a flush, by start date."""
        return self.root / "landing"

    @property
    def listings(self) -> Path:
        """List rows as they came, a file a complete listing of a window."""
        return self.root / "landing" / "listings"

    @property
    def tools(self) -> Path:
        """The workspace's tools, a file a complete listing."""
        return self.root / "landing" / "tools"

    @property
    def prices(self) -> Path:
        """Estimated prices of language models, a file an asking."""
        return self.root / "landing" / "prices"

    @property
    def quarantine(self) -> Path:
        """Documents that could not be read or flattened."""
        return self.root / "landing" / "quarantine"

    @property
    def runs(self) -> Path:
        """The account of each run, a file a run."""
        return self.root / "landing" / "runs"

    @property
    def lake(self) -> Path:
        """The relational tables."""
        return self.root / "lake"

    @property
    def seeds(self) -> Path:
        """The user's own seeds, which take the place of ours; there only if the user made it."""
        return self.root / "seeds"

    @property
    def temporary(self) -> Path:
        """Where files are written before they are renamed in: never inside a folder that a glob reads."""
        return self.root / ".tmp"

    @property
    def lock(self) -> Path:
        """Lock file of the one writer."""
        return self.root / ".lock"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.root / "warehouse.duckdb"

    @property
    def warehouse_new(self) -> Path:
        """The DuckDB file while it is built."""
        return self.root / "warehouse.duckdb.new"

    def table(self, table: Table) -> Path:
        """Folder of a lake table."""
        return self.lake / table.name

    def partition(self, table: Table, day: date) -> Path:
        """Folder of one day of a lake table."""
        return self.table(table) / f"start_date={day.isoformat()}"

    def open(self) -> Home:
        """Create the folder (mode 0700: it holds people's words) or check that it is ours.

        Raises:
            HomeError: the folder cannot be written, or holds something else.
        """
        mark = self.root / MARK
        try:
            self.check()
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.temporary, self.landing, self.lake):
                folder.mkdir(exist_ok=True)
            if not mark.exists():
                mark.write_text(json.dumps({"product": "convohouse", "layout": LAYOUT}) + "\n")
        except OSError as error:
            raise HomeError(
                f"{self.root} cannot be used as home folder: {error.strerror}.",
                "Make it writable, or choose another with --home or CONVOHOUSE_HOME.",
            ) from error
        return self

    def check(self) -> None:
        """Refuse a folder that holds other things; one that is missing, empty or only has seeds may become a home.

        Raises:
            HomeError: it holds something else, or the files of another version.
        """
        if self.root.exists() and not self.exists() and any(path != self.seeds for path in self.root.iterdir()):
            raise HomeError(
                f"{self.root} is not empty and is no convohouse home.",
                "Choose another folder with --home or CONVOHOUSE_HOME.",
            )
        if self.exists() and f'"layout": {LAYOUT}' not in (self.root / MARK).read_text(encoding="utf-8"):
            raise HomeError(
                f"{self.root} was written by another version of convohouse, whose files have other names.",
                "Choose another folder with --home or CONVOHOUSE_HOME, and sync into it.",
            )

    def remove_stale_temp_files(self) -> None:
        """Remove what a killed run left half-written; for the one writer alone.

        Only our own files: what DuckDB spills stands in the same folder, may be a reader's, and is DuckDB's to remove.
        """
        for file in (*self.temporary.glob("*.parquet"), *self.root.glob(f"{self.warehouse_new.name}*")):
            file.unlink(missing_ok=True)

    def exists(self) -> bool:
        """Whether anything was ever written here."""
        return (self.root / MARK).exists()
