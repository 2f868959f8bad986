"""Publishes to Delta Lake: a table is a folder of Parquet files and a log that says which of them are current.

A file is named by the fingerprint of its rows, so one that is there is never written again; then one commit adds the
new files and removes those whose rows are no longer there. Readers see the table before or after it. A publication that
was killed leaves files that no commit names; the next one uses or deletes them. A file that somebody has deleted or cut
is written again.

Statistics in the log are of days only: those of texts would keep words that were erased from the files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from warehouse.errors import PublishError
from warehouse.models.project import DAY
from warehouse.publish.object_store import Store, log_options
from warehouse.publish.source import Part, Source, SourceTable
from warehouse.publish.target import REMOVED, RESTORED, UNCHANGED, WRITTEN, Outcome, Progress, Publication, Target
from warehouse.storage.fingerprint import file_sha256
from warehouse.storage.spill import spill_folder

KEPT_HOURS = 7 * 24
"""Hours for which the files of earlier versions stay, for readers and for time travel, unless something was erased."""
THREADS = 16
"""Uploads at once: each of a small file is one request that waits."""


def check(target: Target, publication: Publication) -> None:
    """Check that the target can be reached, and that the folders of tables that are not there yet are free.

    Raises:
        PublishError: it cannot, or has something else there.
    """
    with target.reporting(OSError, DeltaError):
        store = Store(target)
        for key in publication.new:
            url = f"{target.url}/{_folder(key)}"
            try:
                is_ours = DeltaTable(url, storage_options=log_options(target)).metadata().name == key
            except TableNotFoundError:
                is_ours = store.is_empty(_folder(key))
            if not is_ours:
                raise PublishError(f"{url} has something else.", "Choose another folder, or remove what is there.")


def publish(target: Target, source: Source, publication: Publication, progress: Progress) -> list[Outcome]:
    """Bring the tables of a publication to a target; each table is one commit.

    Raises:
        PublishError: the target cannot be reached or written.
    """
    outcomes = []
    with target.reporting(OSError, DeltaError):
        store = Store(target)
        for name in publication.obsolete:
            if not publication.is_dry_run:
                store.delete_folder(_folder(name))
            outcomes.append(Outcome(name, REMOVED, 0))
        schemas = dict.fromkeys(table.key.partition(".")[0] for table in publication.tables)
        sizes = {path: size for schema in schemas for path, size in store.sizes(schema).items()}
        for number, table in enumerate(publication.tables, 1):
            outcomes.append(_DeltaTable(target, store, table, sizes).update(source, publication))
            progress(number, len(publication.tables))
    return outcomes


@dataclass(frozen=True, slots=True)
class _Difference:
    """How a table at a target differs from what it has to be.

    ``new_parts`` are not in its log; ``lost_parts`` are, with ``lost_paths``, but their files are gone or cut.
    ``old_paths`` are files of parts that are no longer there. With ``is_other``, the table or its schema is new.
    """

    new_parts: list[Part]
    lost_parts: list[Part]
    lost_paths: set[str]
    old_paths: set[str]
    is_other: bool

    @property
    def is_empty(self) -> bool:
        """Whether the table is as it has to be."""
        return not (self.new_parts or self.lost_parts or self.old_paths or self.is_other)


class _DeltaTable:
    """A table at a target as it is, and the update to what it has to be."""

    def __init__(self, target: Target, store: Store, table: SourceTable, sizes: Mapping[str, int]) -> None:
        """``sizes`` has the files that the target has, by their paths below its root."""
        self._store, self._source_table, self._sizes = store, table, sizes
        self._url, self._options = f"{target.url}/{_folder(table.key)}", log_options(target)
        self._table: DeltaTable | None = None
        with suppress(TableNotFoundError):
            self._table = DeltaTable(self._url, storage_options=self._options)

    def update(self, source: Source, publication: Publication) -> Outcome:
        """Write what is new, commit, and delete what no version may need any more."""
        table, difference = self._source_table, self._compare()
        n_files = len(difference.new_parts) + len(difference.lost_parts)
        outcome = Outcome(table.key, self._change(difference, publication), table.n_rows, n_files)
        if publication.is_dry_run:
            return outcome
        if self._table is not None and self._table.metadata().description != table.description:
            self._table.alter.set_table_description(table.description)
        if not difference.is_empty:
            self._write(difference, source, publication)
        if publication.purges:
            self._vacuum(0)
        elif self._table is not None and not difference.is_empty:
            self._vacuum(KEPT_HOURS)
        return outcome

    def _compare(self) -> _Difference:
        """The table at the target, compared with what it has to be."""
        files = self._current_files()
        parts = {_prefix(part): part for part in self._source_table.parts}
        lost_paths = {
            prefix: path for prefix, (path, size) in files.items() if prefix in parts and not self._has_file(path, size)
        }
        return _Difference(
            new_parts=[part for prefix, part in parts.items() if prefix not in files],
            lost_parts=[parts[prefix] for prefix in lost_paths],
            lost_paths=set(lost_paths.values()),
            old_paths={path for prefix, (path, _) in files.items() if prefix not in parts},
            is_other=self._table is None or self._table.schema() != _delta_schema(self._source_table),
        )

    def _change(self, difference: _Difference, publication: Publication) -> str:
        """What an update does: the word of its outcome."""
        if difference.is_empty:
            return UNCHANGED
        if self._table is None:
            return RESTORED if self._source_table.key in publication.published else WRITTEN
        return WRITTEN if difference.new_parts or difference.old_paths or difference.is_other else RESTORED

    def _write(self, difference: _Difference, source: Source, publication: Publication) -> None:
        """Upload the missing files, and make them and those that stay the current version."""
        parts = [*difference.new_parts, *difference.lost_parts]
        uploads = {add.path: add for add in self._upload(source, parts, publication)}
        # a lost file that is written again under its path is still in the log: it is neither added nor removed
        adds = [add for path, add in uploads.items() if path not in difference.lost_paths]
        removed_paths = difference.old_paths | (difference.lost_paths - uploads.keys())
        if adds or removed_paths or difference.is_other:
            self._commit(adds, removed_paths, publication.now, is_other=difference.is_other)

    def _current_files(self) -> dict[str, tuple[str, int]]:
        """Path and size of each file of the current version, by its name without the hash of its bytes."""
        if self._table is None:
            return {}
        files = pa.table(self._table.get_add_actions())
        rows: list[dict[str, Any]] = files.select(["path", "size_bytes"]).to_pylist()
        return {row["path"].rsplit(".", 2)[0]: (row["path"], row["size_bytes"]) for row in rows}

    def _has_file(self, path: str, size: int) -> bool:
        """Whether the target has a file of this size."""
        return self._sizes.get(f"{_folder(self._source_table.key)}/{path}") == size

    def _upload(self, source: Source, parts: Iterable[Part], publication: Publication) -> Iterator[AddAction]:
        """Upload parts while the next ones are exported; how the log adds them."""
        folder = _folder(self._source_table.key)
        with (
            spill_folder(publication.temporary) as spills,
            TemporaryDirectory(dir=spills) as exported,
            ThreadPoolExecutor(THREADS) as threads,
        ):
            uploads = []
            for number, part in enumerate(parts):
                file = Path(exported, f"{number}.parquet")
                source.export(self._source_table, part, file)
                path = f"{_prefix(part)}.{file_sha256(file)[:8]}.parquet"
                uploads.append(threads.submit(self._store.upload, file, f"{folder}/{path}"))
                yield AddAction(
                    path, file.stat().st_size, {}, _millis(publication.now), data_change=True, stats=_statistics(part)
                )
            for upload in uploads:
                upload.result()

    def _commit(self, adds: list[AddAction], removed_paths: Iterable[str], now: datetime, *, is_other: bool) -> None:
        """Make the files the current ones, in one step.

        With another schema every file has another name, as its fingerprint covers that: no path is both added and
        removed, which some readers take for a removal.
        """
        table = self._source_table
        if self._table is None or is_other:
            create_table_with_add_actions(
                self._url,
                _delta_schema(table),
                adds,
                mode="error" if self._table is None else "overwrite",
                name=table.key,
                description=table.description,
                storage_options=self._options,
            )
        else:
            removes = [
                RemoveAction(path, data_change=True, deletion_timestamp=_millis(now), partition_values={})
                for path in removed_paths
            ]
            self._table.create_write_transaction([*adds, *removes], "append", self._table.schema())

    def _vacuum(self, hours: int) -> None:
        DeltaTable(self._url, storage_options=self._options).vacuum(
            hours, dry_run=False, enforce_retention_duration=False, full=True
        )


def _folder(key: str) -> str:
    """Folder of a table below the target's: ``marts/fct_turns``."""
    return key.replace(".", "/")


def _prefix(part: Part) -> str:
    """Name of a part's file without the hash of its bytes, by which no two files of one name differ."""
    return f"{part.label}.{part.fingerprint[:32]}"


def _delta_schema(table: SourceTable) -> Schema:
    return Schema.from_arrow(table.schema)


def _statistics(part: Part) -> str:
    """What readers skip files by."""
    statistics: dict[str, object] = {"numRecords": part.n_rows}
    if part.days is not None:
        first, last = part.days
        statistics |= {"minValues": {DAY: str(first)}, "maxValues": {DAY: str(last)}, "nullCount": {DAY: 0}}
    return json.dumps(statistics)


def _millis(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp() * 1000)
