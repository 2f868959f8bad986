"""The home folder: paths of the landing, the lake and the warehouse, and the marker file that identifies it.

A home has the conversations of one workspace or of several. The name of a file begins with the workspace of its rows
(``main.parquet``, ``main.20261121T….parquet``), so that no workspace writes to the file of another, and a glob over all
files gives all rows.

A folder with other content is refused, so that a mistyped path never mixes our files with the user's.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from warehouse.errors import HomeError
from warehouse.schema.types import Table

MARKER_FILE = ".convohouse.json"
LAYOUT_VERSION = 2
"""Version of the names of files and folders; a home of another version is refused."""
DEFAULT_WORKSPACE = "main"
"""Name of the workspace if the settings name none."""
ANY_WORKSPACE = "*"
"""In place of a workspace's name: the glob of the files of all workspaces."""
RESERVED_WORKSPACE = "schema"
"""Not allowed as a workspace's name: the schema files of the lake are called so (``lake.SCHEMA_FILE``)."""


def unique_name(at: datetime) -> str:
    """A file name for ``Home.file`` that sorts by time and that no other process can choose at the same time."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below a home folder, and which workspace's files to use there; only ``open`` creates anything."""

    root: Path
    workspace: str = DEFAULT_WORKSPACE

    @property
    def all_workspaces(self) -> Home:
        """The same home for the rows of all workspaces: to read them, and to write back rows that were read."""
        return replace(self, workspace=ANY_WORKSPACE)

    def workspaces(self) -> tuple[str, ...]:
        """Every workspace that has files in the landing, sorted."""
        return tuple(sorted({file.name.partition(".")[0] for file in self.landing.rglob("*.parquet")}))

    def for_workspace(self, workspace: str) -> Home:
        """The same home for another workspace."""
        return replace(self, workspace=workspace)

    def files(self, folder: Path, below: str = "") -> list[Path]:
        """The workspace's files in a folder, or in its subfolders that match the glob ``below`` (``start_date=*/``)."""
        return sorted(folder.glob(f"{below}{self.workspace}.*parquet"))

    def file(self, folder: Path, name: str = "") -> Path:
        """Path of a file of the workspace in a folder; without a ``name``, the one file with all of its rows there."""
        return folder / ".".join(part for part in (self.workspace, name, "parquet") if part)

    @property
    def landing(self) -> Path:
        """What the API returned; snapshots by start date, one segment file per flush."""
        return self.root / "landing"

    @property
    def listings(self) -> Path:
        """List rows as the API sent them, one file per complete listing of a window."""
        return self.root / "landing" / "listings"

    @property
    def tools(self) -> Path:
        """The tools of the workspace, one file per complete listing."""
        return self.root / "landing" / "tools"

    @property
    def prices(self) -> Path:
        """Estimated prices of language models, one file per round of requests."""
        return self.root / "landing" / "prices"

    @property
    def quarantine(self) -> Path:
        """Conversations whose response could not be read as a document; the response itself is not stored."""
        return self.root / "landing" / "quarantine"

    @property
    def runs(self) -> Path:
        """The run records, one file per run."""
        return self.root / "landing" / "runs"

    @property
    def lake(self) -> Path:
        """The relational tables."""
        return self.root / "lake"

    @property
    def seeds(self) -> Path:
        """The user's seeds, which replace ours; the folder exists only if the user created it."""
        return self.root / "seeds"

    @property
    def temporary(self) -> Path:
        """Where files are written before they are renamed: never inside a folder that a glob reads."""
        return self.root / ".tmp"

    @property
    def lock(self) -> Path:
        """File of the write lock."""
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
        """Create the folder (mode 0700, as it holds what people said) or check that it is a home.

        Raises:
            HomeError: the folder cannot be written, or see ``check``.
        """
        marker_file = self.root / MARKER_FILE
        try:
            self.check()
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.temporary, self.landing, self.lake):
                folder.mkdir(exist_ok=True)
            if not marker_file.exists():
                marker_file.write_text(json.dumps({"product": "convohouse", "layout": LAYOUT_VERSION}) + "\n")
        except OSError as error:
            raise HomeError(
                f"{self.root} cannot be used as home folder: {error.strerror}.",
                "Make it writable, or choose another with --home or CONVOHOUSE_HOME.",
            ) from error
        return self

    def check(self) -> None:
        """Refuse a folder with other content; one that is missing, empty or has only seeds may become a home.

        Raises:
            HomeError: it has other content, or was written by another version.
        """
        if self.root.exists() and not self.exists() and any(path != self.seeds for path in self.root.iterdir()):
            raise HomeError(
                f"{self.root} is not empty and is not a convohouse home.",
                "Choose another folder with --home or CONVOHOUSE_HOME.",
            )
        if self.exists() and f'"layout": {LAYOUT_VERSION}' not in (self.root / MARKER_FILE).read_text(encoding="utf-8"):
            raise HomeError(
                f"{self.root} was written by another version of convohouse, whose files have other names.",
                "Choose another folder with --home or CONVOHOUSE_HOME, and sync into it.",
            )

    def remove_stale_temp_files(self) -> None:
        """Remove the files that a killed run left half-written; needs the write lock.

        Only our own files: DuckDB spills into the same folder, perhaps for a reader, and removes its files itself.
        """
        for file in (*self.temporary.glob("*.parquet"), *self.root.glob(f"{self.warehouse_new.name}*")):
            file.unlink(missing_ok=True)

    def exists(self) -> bool:
        """Whether the folder is a home: it has the marker file."""
        return (self.root / MARKER_FILE).exists()
