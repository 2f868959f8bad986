"""Brings a home folder of the earlier layout to the current one, in place; the next run continues one that was killed.

Layout 2 named the folders of the lake's days ``start_date=…``, like the column, and kept the schema file of a daily
table in the table's folder; engines that read ``name=value`` folders as a column rejected or misread that.
``sync_runs`` had one file per run, and there was no table ``conversation_checks``.

The marker is changed first, so that an earlier version of convohouse rejects the home from then on, and once more at
the end: until then every reader of the lake rejects it too.
"""

from __future__ import annotations

from pathlib import Path

from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS
from warehouse.schema.registry import TABLES
from warehouse.storage import lake, parquet, run_records
from warehouse.storage.home import UPGRADABLE_LAYOUT, Home

OLD_DAY_FOLDERS = "start_date=*/"


def upgrade(home: Home) -> None:
    """Rename the folders of days, merge run records, give every file the current columns, and move the schema files.

    Each day gets its file of ``conversation_checks``, without rows, so the next run flattens all of it again. A day
    without that file would be one whose merge was killed (``damage``): it would be removed first, with a warning.

    It needs the write lock.

    Every step can be repeated.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    if home.layout() != UPGRADABLE_LAYOUT:
        return
    home.write_marker(upgraded_from=UPGRADABLE_LAYOUT)
    for folder in sorted(home.lake.glob(f"*/{OLD_DAY_FOLDERS}")):
        _rename(folder, folder.with_name(f"day={folder.name.partition('=')[2]}"))
    workspaces = [home.for_workspace(workspace) for workspace in home.workspaces()]
    for workspace in workspaces:
        run_records.refresh_lake(workspace)
    for table in TABLES:
        lake.update_columns(home, table)
    for workspace in workspaces:
        _add_checks(workspace)
    lake.ensure_schema_files(home)
    for table in TABLES:
        if table.is_daily:
            (home.table(table) / lake.SCHEMA_FILE).unlink(missing_ok=True)
        parquet.sync_folder(home.table(table))  # a rename that a power cut undoes would hide a day
    home.write_marker()


def _rename(folder: Path, target: Path) -> None:
    if not target.exists():
        folder.rename(target)
        return
    for file in folder.iterdir():
        file.replace(target / file.name)
    folder.rmdir()


def _add_checks(workspace: Home) -> None:
    for day in lake.days(workspace, CONVERSATIONS):
        checks = workspace.file(workspace.partition(CONVERSATION_CHECKS, day))
        if workspace.file(workspace.partition(CONVERSATIONS, day)).exists() and not checks.exists():
            parquet.write_file(workspace, checks, parquet.frame(CONVERSATION_CHECKS, []))
