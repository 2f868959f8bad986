"""Damage on disk: unreadable files, files of the lake whose rows have changed, and files that no run has written.

The rows and sizes of the files of a day are in the footer of its file of ``conversation_checks``, which is written
last (``lake.upsert_partition``). A wrong file of the lake is removed, and that file of its day as well: then the
conversations of the day count as not flattened, and the next refresh takes them from the landing. An unreadable file
of the landing is set aside in ``damaged/``: its conversations then count as not fetched. So is a Parquet file in the
lake that no run has written, such as a copy: every reader of the lake would count its rows once more.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import groupby
from pathlib import Path

import polars as pl

from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS
from warehouse.schema.operations import DELETIONS
from warehouse.schema.registry import BY_NAME, DOCUMENT_TABLES, TABLES
from warehouse.schema.types import WORKSPACE, Table
from warehouse.storage import lake, landing, parquet
from warehouse.storage.home import Home

BATCH_ROWS = 500
"""Rows of a file that are in memory at a time while all its values are read."""


def unreadable_files(home: Home, folder: Path, *, is_deep: bool) -> Iterator[tuple[Path, str]]:
    """The workspace's Parquet files below a folder that cannot be read, and why.

    Without ``is_deep`` only the footers are read, which a file that was cut short does not have; with it, every value.
    """
    yield from _unreadable(home.files(folder, "**/"), is_deep=is_deep)


def _unreadable(files: Iterable[Path], *, is_deep: bool) -> Iterator[tuple[Path, str]]:
    for file in files:
        reason = _problem(file, is_deep=is_deep)
        if reason and file.exists():  # a writer may have removed it
            yield file, reason


def _problem(file: Path, *, is_deep: bool) -> str | None:
    try:
        pl.read_parquet_metadata(file)
        if is_deep:
            from pyarrow import parquet as arrow  # noqa: PLC0415 -- a tenth of a second that a sync does not need

            with arrow.ParquetFile(file) as opened:
                for _ in opened.iter_batches(BATCH_ROWS, use_threads=False):  # Arrow keeps the memory that it took
                    pass
    except Exception as error:  # noqa: BLE001 -- damaged bytes raise anything
        return " ".join(str(error).split()) or type(error).__name__
    return None


def other_files(home: Home) -> list[Path]:
    """Parquet files below the folders of the lake's tables that no run of any workspace has written, sorted.

    Raises:
        HomeError: see ``lake.require_layout``.
    """
    lake.require_layout(home)
    return _list_files(home)[1]


def _list_files(home: Home) -> tuple[dict[Table, list[Path]], list[Path]]:
    """The workspace's files of the lake by table, without those of ``other_files``, which come second."""
    files, others, workspaces = dict[Table, list[Path]](), list[Path](), frozenset[str]()
    for table in TABLES:
        files[table] = []
        for file, workspace in _named_files(home, table):
            if workspace == home.workspace:
                files[table].append(file)
            elif file != lake.schema_file(home, table):
                workspaces = workspaces or frozenset(home.workspaces())
                if workspace not in workspaces and not _is_of_workspace(file, workspace):
                    others.append(file)
        files[table].sort()
    return files, sorted(others)


def _named_files(home: Home, table: Table) -> Iterator[tuple[Path, str | None]]:
    """The Parquet files below a table's folder, each with the workspace of its name; None where it is out of place."""
    root = str(home.table(table))
    for folder, _, names in os.walk(root):
        below = folder[len(root) + 1 :]
        is_in_place = lake.day_of(below) is not None if table.is_daily else not below
        for name in names:
            if name.endswith(".parquet"):
                yield Path(folder, name), name.removesuffix(".parquet") if is_in_place else None


def _is_of_workspace(file: Path, workspace: str | None) -> bool:
    """Whether the rows belong to a workspace without a landing; those of a copy belong to another one."""
    try:
        rows = pl.read_parquet(file, columns=[WORKSPACE.name], glob=False) if workspace is not None else None
    except (pl.exceptions.PolarsError, OSError):
        return False
    return rows is not None and rows[WORKSPACE.name].unique().to_list() == [workspace]


def wrong_counts(home: Home) -> Iterator[tuple[Path, int, int]]:
    """The files of a workspace's days that do not have the rows that were recorded: file, recorded, actual."""
    from pyarrow import parquet as arrow  # noqa: PLC0415 -- as above

    for day, counts, _ in _recorded(home):
        for name, n_recorded in counts.items():
            file = home.file(home.partition(BY_NAME[name], day))
            n_rows = arrow.read_metadata(file).num_rows if file.exists() else 0
            if n_rows != n_recorded:
                yield file, n_recorded, n_rows


def _recorded(home: Home) -> Iterator[tuple[date, dict[str, int], dict[str, int] | None]]:
    """Each day with the rows and the sizes by table of ``lake.read_record``; of version 0.2.0, a day has none."""
    for day in lake.days(home, CONVERSATION_CHECKS):
        file = home.file(home.partition(CONVERSATION_CHECKS, day))
        record = lake.read_record(file) if file.exists() else None
        if record is not None:
            counts, sizes = record
            yield day, {name: n_rows for name, n_rows in counts.items() if name in BY_NAME}, sizes


def _unrecorded(files: Mapping[Table, Iterable[Path]]) -> list[Path]:
    """The files of documents of a workspace's days that have no file of ``conversation_checks``, by day."""
    folders = {file.parent.name for file in files[CONVERSATION_CHECKS] if file.exists()}
    unrecorded = (file for table in DOCUMENT_TABLES for file in files[table] if file.parent.name not in folders)
    return sorted((file for file in unrecorded if file.exists()), key=_day)


def repair(home: Home, at: datetime, *, is_deep: bool = False) -> list[str]:
    """Set aside or remove what cannot be read, so that this run fetches or flattens it again; needs the write lock.

    Returns:
        A line for each damaged file, and for each file of the lake that is missing.
    """
    return [*_repair_landing(home, at, is_deep=is_deep), *_repair_lake(home, at, is_deep=is_deep)]


def _repair_landing(home: Home, at: datetime, *, is_deep: bool) -> list[str]:
    lines = []
    for file, reason in unreadable_files(home, home.landing, is_deep=is_deep):
        target = _set_aside(home, file, at)
        lines.append(f"{file} cannot be read, and is set aside as {target}. Its content is fetched again. {reason}")
    return lines


def _set_aside(home: Home, file: Path, at: datetime) -> Path:
    """Where the file is now: an erasure empties it there."""
    target = home.damaged / file.relative_to(home.root).with_name(f"{file.stem}.{at:%Y%m%dT%H%M%S%f}.damaged")
    target.parent.mkdir(parents=True, exist_ok=True)
    file.replace(target)
    return target


def _repair_lake(home: Home, at: datetime, *, is_deep: bool) -> list[str]:
    files, others = _list_files(home)
    lines = [
        f"No run has written {file}; it is set aside as {_set_aside(home, file, at)}, as readers would count its rows."
        for file in others
    ]
    lost_days: set[date] = set()
    for table, table_files in files.items():
        for file, reason in _unreadable([*table_files, lake.schema_file(home, table)], is_deep=is_deep):
            file.unlink()
            lines.append(f"{file} could not be read, and is rebuilt from the landing. {reason}")
            if table.is_daily:
                lost_days.add(_day(file))
    landed_days = set[str]() if is_deep else {folder.name.partition("=")[2] for folder in home.landing.iterdir()}
    for file in _misplaced(files, except_days=landed_days):
        file.unlink()
        lines.append(f"{file} had rows of another day, and is removed; its day is rebuilt from the landing.")
        lost_days.add(_day(file))
    wrong = {file: (n_recorded, n_rows) for file, n_recorded, n_rows in wrong_counts(home)} if is_deep else {}
    missing_files, changed_files = _differing_files(home)
    for file, (n_recorded, n_rows) in (missing_files | wrong).items():
        lines.append(f"{file} had {n_rows} of {n_recorded} rows, and is rebuilt from the landing.")
    changed_files = [file for file in changed_files if file not in wrong] + _unrecorded(files)
    for _, group in groupby(changed_files, _day):
        first, *others_of_day = group
        more = f" and {len(others_of_day)} more of its day" if others_of_day else ""
        lines.append(
            f"{first}{more}: not as recorded, because a run was killed or somebody has changed the file. "
            "Its content is rebuilt from the landing."
        )
    for file in (*missing_files, *wrong, *changed_files):
        file.unlink(missing_ok=True)
        lost_days.add(_day(file))
    for day in lost_days:
        home.file(home.partition(CONVERSATION_CHECKS, day)).unlink(missing_ok=True)
    return lines


def _misplaced(files: Mapping[Table, Iterable[Path]], *, except_days: Container[str]) -> list[Path]:
    """The files in a day's folder with rows of another day, as of a folder that was copied or moved.

    Days of which something has landed can be left out: what was moved onto these is of another size than recorded.
    """
    misplaced = list[Path]()
    for table in (table for table in TABLES if table.is_daily):
        paths = [str(file) for file in files[table] if _day_text(file) not in except_days and file.exists()]
        if paths:
            scan = pl.scan_parquet(paths, glob=False, include_file_paths="file").select("file", "start_date")
            misplaced += [Path(file) for file, day in scan.unique().collect().rows() if _day(Path(file)) != day]
    return sorted({*misplaced})


def _differing_files(home: Home) -> tuple[dict[Path, tuple[int, int]], list[Path]]:
    """The files of a workspace's days that are missing, with their recorded rows and 0, and those of another size."""
    missing_files, changed_files = dict[Path, tuple[int, int]](), list[Path]()
    for day, counts, recorded_sizes in _recorded(home):
        sizes = lake.file_sizes(home, day, counts)
        for name, n_recorded in counts.items():
            if n_recorded and name not in sizes:
                missing_files[home.file(home.partition(BY_NAME[name], day))] = n_recorded, 0
        known_sizes = sizes if recorded_sizes is None else recorded_sizes
        names = [name for name, size in sizes.items() if size != known_sizes.get(name)]
        changed_files += [home.file(home.partition(BY_NAME[name], day)) for name in names]
    return missing_files, changed_files


def _day(file: Path) -> date:
    """The day of a file of the lake."""
    return date.fromisoformat(_day_text(file))


def _day_text(file: Path) -> str:
    return file.parent.name.partition("=")[2]


def lost_conversations(home: Home) -> pl.DataFrame:
    """Conversations of the lake whose snapshots were set aside: conversation_id, start_time_at, agent_id."""
    columns = ["conversation_id", "start_time_at", "agent_id"]
    if not home.damaged.exists():
        return pl.DataFrame(schema={name: parquet.polars_schema(CONVERSATIONS)[name] for name in columns})
    return lake.read(home, CONVERSATIONS, columns).join(landing.latest_snapshots(home), "conversation_id", "anti")


def lost_tombstones(home: Home) -> pl.DataFrame:
    """Erased conversations of the lake whose tombstones were set aside: conversation_id, start_date."""
    erased_rows = lake.read(home, DELETIONS, ["conversation_id", "start_date", "reason"]).filter(reason=landing.ERASED)
    return erased_rows.filter(~pl.col("conversation_id").is_in(list(landing.erased_ids(home)))).drop("reason")


def has_lost_listings(home: Home, listed_in_full_at: datetime | None) -> bool:
    """Whether a listing was set aside since the latest listing without a beginning."""
    names = (file.name.split(".")[-2] for file in (home.damaged / "landing" / "listings").glob(f"{home.workspace}.*"))
    return any(listed_in_full_at is None or name > f"{listed_in_full_at:%Y%m%dT%H%M%S%f}" for name in names)
