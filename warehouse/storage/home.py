"""The home folder: paths of the landing, the lake and the warehouse, and the marker file that identifies it.

A home has the conversations of one workspace or of several. The name of a file begins with the workspace of its rows
(``main.parquet``, ``main.20261121T….parquet``), so that no workspace writes to the file of another, and a glob over all
files gives all rows.

A folder with other content is refused, so that a mistyped path never mixes our files with the user's.
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from warehouse.errors import EmptyHomeError, HomeError
from warehouse.schema.types import Table
from warehouse.storage.spill import remove_stale_spills

MARKER_FILE = ".convohouse.json"
LAYOUT_VERSION = 3
"""Version of the names of files and folders; a home of another version is refused."""
UPGRADABLE_LAYOUT = 2
"""The earlier version that ``warehouse.storage.layout`` brings to this one."""
IGNORED_ENTRIES = ("lost+found",)
"""What may be in a folder that becomes a home: file systems create it in their root."""
UNUSABLE_CHARACTERS = "?\\"
"""Not allowed in the path of a home: DuckDB looks for the log of such a database in another folder."""
DEFAULT_WORKSPACE = "main"
"""Name of the workspace if the settings name none."""
ANY_WORKSPACE = "*"
"""In place of a workspace's name: the glob of the files of all workspaces."""
RESERVED_WORKSPACE = "schema"
"""Not allowed as a workspace's name: the schema files of the lake are called so (``lake.SCHEMA_FILE``)."""


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
        """The workspace's files in a folder, or in its subfolders that match the glob ``below`` (``day=*/``)."""
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
    def quarantine(self) -> Path:
        """Items that were quarantined, by id and with the reason; the responses themselves are not stored."""
        return self.root / "landing" / "quarantine"

    @property
    def runs(self) -> Path:
        """The run records, one file per run."""
        return self.root / "landing" / "runs"

    @property
    def identity(self) -> Path:
        """The host and the agents by which a workspace is recognized, as JSON."""
        return self.root / "landing" / f"{self.workspace}.identity.json"

    @property
    def lake(self) -> Path:
        """The relational tables."""
        return self.root / "lake"

    @property
    def damaged(self) -> Path:
        """Files of the landing that could not be read, below the same folders; it exists only if there were any."""
        return self.root / "damaged"

    @property
    def seeds(self) -> Path:
        """The user's seeds, which replace ours; the folder exists only if the user created it."""
        return self.root / "seeds"

    @property
    def temporary(self) -> Path:
        """Where files are written before they are renamed: never inside a folder that a glob reads."""
        return self.root / ".tmp"

    @property
    def drift(self) -> Path:
        """Of which files the unknown fields of each day were counted, as JSON; without it, all are counted again."""
        return self.root / f".drift.{self.workspace}.json"

    @property
    def lock(self) -> Path:
        """File of the write lock."""
        return self.root / ".lock"

    @property
    def sequence(self) -> Path:
        """File with the number of what landed last."""
        return self.root / ".sequence"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.root / "warehouse.duckdb"

    @property
    def warehouse_log(self) -> Path:
        """The write-ahead log that a foreign program leaves beside the DuckDB file."""
        return self.root / "warehouse.duckdb.wal"

    @property
    def warehouse_new(self) -> Path:
        """The DuckDB file while it is built."""
        return self.root / "warehouse.duckdb.new"

    def table(self, table: Table) -> Path:
        """Folder of a lake table."""
        return self.lake / table.name

    def partition(self, table: Table, day: date) -> Path:
        """Folder of one day of a lake table."""
        return self.table(table) / f"day={day.isoformat()}"

    def open(self) -> Home:
        """Create the folder or check that it is a home.

        The marker comes first and is renamed in, so that a process that is killed leaves nothing or a home.

        Raises:
            HomeError: the folder cannot be written, or see ``check``.
        """
        try:
            self.check()
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.exists():
                self.write_marker()
            for folder in self._folders:
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise HomeError(
                f"{self.root} cannot be used as home folder: {error.strerror}.",
                "Make it writable, or choose another with --home or CONVOHOUSE_HOME.",
            ) from error
        return self

    def check(self) -> None:
        """Refuse a folder with other content; one that is missing, empty or has only seeds may become a home.

        Raises:
            HomeError: it is not a folder, has other content, was written by another version, or cannot hold a database.
        """
        if any(
            character in str(path) for path in (self.root, self.root.resolve()) for character in UNUSABLE_CHARACTERS
        ):
            raise HomeError(
                f"{self.root} cannot be a home folder: DuckDB cannot open a database at a path with ? or \\.",
                "Choose another folder with --home or CONVOHOUSE_HOME.",
            )
        if self.root.exists() and not self.root.is_dir():
            raise HomeError(f"{self.root} is not a folder.", "Choose another one with --home or CONVOHOUSE_HOME.")
        if self.root.exists() and not self.exists() and any(map(self._is_foreign, self.root.iterdir())):
            is_copy = (self.landing / "runs").is_dir()
            raise HomeError(
                f"{self.root} is not empty and is not a convohouse home.",
                f"If it is a copy of one, it lacks the files whose names begin with a dot, such as {MARKER_FILE}: copy "
                "them too."
                if is_copy
                else "Choose another folder with --home or CONVOHOUSE_HOME.",
            )
        if self.exists():
            self._check_layout()

    def _check_layout(self) -> None:
        """Refuse other names of files than ours; raises HomeError."""
        layout = self.layout()
        if layout is None:
            raise HomeError(
                f"{self.root / MARKER_FILE} is damaged: it says which names the files of the home folder have.",
                "Restore it from a backup.",
            )
        if layout > LAYOUT_VERSION:
            raise HomeError(
                f"{self.root} was written by a newer version of convohouse, with other file names.",
                "Update this one. Or choose another folder with --home or CONVOHOUSE_HOME, and sync into it.",
            )
        if layout < UPGRADABLE_LAYOUT:
            raise HomeError(
                f"{self.root} was written by an older version of convohouse, with other file names.",
                "Choose another folder with --home or CONVOHOUSE_HOME, and sync into it.",
            )

    @property
    def _folders(self) -> tuple[Path, ...]:
        return (self.temporary, self.landing, self.lake)

    def _is_foreign(self, path: Path) -> bool:
        """Whether an entry of a folder without a marker is not what we leave there if we are killed at once."""
        if path in self._folders:
            return any(path.iterdir())
        return path != self.seeds and path.name not in IGNORED_ENTRIES and not path.name.startswith(MARKER_FILE)

    def layout(self) -> int | None:
        """Version of the names of files and folders; that of the files that are still to be renamed, if any are.

        None if the marker cannot be read.
        """
        try:
            marker = json.loads((self.root / MARKER_FILE).read_text(encoding="utf-8"))
            version = marker.get("upgraded_from", marker["layout"])
        except (OSError, ValueError, KeyError, AttributeError):
            return None
        return version if isinstance(version, int) else None

    def write_marker(self, *, upgraded_from: int | None = None) -> None:
        """Mark the folder as a home of this version, some of whose files may still have the names of another.

        The folder gets mode 0700, as it holds what people said, also if it was there before. A mode that its owner
        gives it later stays.

        Raises:
            OSError: the disk is full, or the folder cannot be written; the marker is as it was.
        """
        marker: dict[str, object] = {"product": "convohouse", "layout": LAYOUT_VERSION}
        if upgraded_from is not None:
            marker["upgraded_from"] = upgraded_from
        with suppress(PermissionError):  # it can be written, but is another user's
            self.root.chmod(0o700)
        temporary = self.root / f"{MARKER_FILE}.{uuid.uuid4().hex}"
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(json.dumps(marker) + "\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.root / MARKER_FILE)
        finally:
            temporary.unlink(missing_ok=True)

    def remove_stale_temp_files(self) -> None:
        """Remove the files that a killed run left half-written; needs the write lock.

        A reader that is still there keeps what it has spilled.
        """
        remove_stale_spills(self.temporary)
        patterns = (f"{MARKER_FILE}.*", f"{self.warehouse_new.name}*")
        for file in (*self.temporary.glob("*.parquet"), *(file for name in patterns for file in self.root.glob(name))):
            file.unlink(missing_ok=True)

    def require_data(self) -> None:
        """Check that there is something to work on: a command that only does so creates nothing in an empty folder.

        Raises:
            EmptyHomeError: the folder is not a home.
            HomeError: it cannot become one either: see ``check``.
        """
        if not self.exists():
            self.check()
            raise EmptyHomeError(self.root)

    def exists(self) -> bool:
        """Whether the folder is a home: it has a marker; earlier versions left an empty one on a full disk."""
        try:
            return (self.root / MARKER_FILE).stat().st_size > 0
        except (FileNotFoundError, NotADirectoryError):
            return False
