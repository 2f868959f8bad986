"""What the tables of a build were built from, and so which of them the next build can take over or has to repeat.

The document of a build, ``builds/<build>/build.json``, has the fingerprints of its inputs, as in
``warehouse.models.staleness``, and of the files of its tables. A day of the lake is known by the paths, sizes and times
of its files, which are replaced and never written into; a table without days by its bytes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256

import polars as pl
import sqlglot
from sqlglot import exp

from warehouse.engines.storage import StoredFile, list_files, read_bytes, read_text, write_text
from warehouse.errors import EngineError, StoreError
from warehouse.models.project import Model, Project, relations_with_days
from warehouse.models.staleness import CODE, TESTS, Days, changed_relations, code_hash, is_on, stale_days
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import TABLES
from warehouse.schema.types import Table
from warehouse.storage.fingerprint import digest
from warehouse.storage.lake import day_of

BUILDS, DOCUMENT = "builds", "build.json"

Inputs = dict[str, str]
"""Fingerprints by input."""


@dataclass(slots=True)
class Staleness:
    """What a build can take over: ``folders`` by table of the build before, and the days that changed (None: all).

    Without folders, everything is built.
    """

    folders: Mapping[str, str] = field(default_factory=dict)
    changes: dict[str, Days | None] = field(default_factory=dict)
    with_days: frozenset[str] = frozenset()

    def days(self, model: Model) -> Days | None:
        """The days of a model that have to be built (None: all), of which what reads it learns; none: nothing."""
        if model.key not in self.changes and any(relation in self.changes for relation in model.reads):
            self.changes[model.key] = stale_days(model, self.changes, self.with_days)
        if not model.is_view and model.key not in self.folders:
            return None
        return self.changes.get(model.key, Days())

    def is_unchanged(self, relations: Iterable[str]) -> bool:
        """Whether all of them are as in the build before, by whose checks they have passed."""
        return bool(self.folders) and self.changes.keys().isdisjoint(relations)


def build_folder(build_id: str) -> str:
    """Folder of a build in its target."""
    return f"{BUILDS}/{build_id}"


def lake_fingerprints(lakes: Sequence[str]) -> Inputs | None:
    """The fingerprints of the tables of some lakes (folders or URLs); None where this process cannot list them.

    Raises:
        EngineError: a lake is not there, or has a folder that another tool has left.
    """
    with suppress(StoreError, OSError):
        for lake in lakes:
            if not list_files(f"{lake.rstrip('/')}/{CONVERSATIONS.name}"):
                raise EngineError(f"There is no lake at {lake}.", "Check --lake; a sync or an upload fills it.")
        return dict(pair for table in TABLES for pair in _table_fingerprints(table, lakes))
    return None


def project_fingerprints(project: Project, loaded_rows: Mapping[str, pl.DataFrame], *build: str) -> Inputs:
    """The fingerprints of models, seeds and singular tests, of rows that are loaded like seeds, and of the ``build``.

    That is its engine, of which another may write another last digit of a double, and the lakes in their order.
    """
    return {
        CODE: digest([code_hash(), *build]),
        TESTS: digest(f"{test.name}\n{test.sql}" for test in project.singular_tests),
        **{key: digest([rows.write_json()]) for key, rows in loaded_rows.items()},
        **{seed.key: digest([repr(seed.header), seed.rows.write_json()]) for seed in project.seeds},
        **{model.key: digest([model.sha256, repr(model.header)]) for model in project.models},
    }


def _table_fingerprints(table: Table, lakes: Sequence[str]) -> Iterator[tuple[str, str]]:
    name = f"lake.{table.name}"
    urls = [f"{lake.rstrip('/')}/{table.name}" for lake in lakes]
    if not table.is_daily:
        files = [(url, file.path) for url in urls for file in list_files(url)]
        yield name, digest(f"{url} {path} {sha256(read_bytes(url, path)).hexdigest()}" for url, path in files)
        return
    yield name, "by day"
    days: dict[str, list[str]] = defaultdict(list)
    for url in urls:
        for file in list_files(url):
            folder = file.path.partition("/")[0]
            if day_of(folder) is None:
                message = f"{url}/{folder} is not a folder of a day: its rows would count as well."
                raise EngineError(message, "Remove it; the next sync of the home folder sets its files aside.")
            days[folder.removeprefix("day=")].append(f"{url} {file.path} {file.size} {file.mtime_ns}")
    for day, texts in sorted(days.items()):
        yield f"{name}/{day}", digest(texts)


def write_document(into: str, build_id: str, inputs: Inputs | None, folders: Mapping[str, str]) -> None:
    """Write what the next build compares."""
    document = {"inputs": inputs, "tables": folders, "files": {key: _files(into, folders[key]) for key in folders}}
    write_text(f"{into.rstrip('/')}/{build_folder(build_id)}", DOCUMENT, json.dumps(document))


def staleness(into: str, build_id: str | None, project: Project, inputs: Inputs | None) -> Staleness:
    """What can be taken over from a build: nothing if there is none, it is another's, or files of it are missing."""
    document = _read_document(into, build_id) if build_id else {}
    changes = changed_relations(document["inputs"], inputs) if document.get("inputs") and inputs else None
    if changes is None:
        return Staleness()
    folders = {key: name for key, name in document["tables"].items() if _files(into, name) == document["files"][key]}
    return Staleness(folders, changes, relations_with_days(project.models))


def _read_document(into: str, build_id: str) -> dict[str, dict[str, str]]:
    return dict(json.loads(read_text(f"{into.rstrip('/')}/{build_folder(build_id)}", DOCUMENT) or "{}"))


def _files(into: str, folder: str) -> str:
    files: list[StoredFile] = list_files(f"{into.rstrip('/')}/{folder}")
    return digest(f"{file.path} {file.size} {file.mtime_ns}" for file in files)


def on_days(sql: str, relations: Iterable[str], days: Days) -> str:
    """The SELECT over the rows of some days in the ``relations`` that have days; in DuckDB's dialect, as it is."""
    tree, names = sqlglot.parse_one(sql, dialect="duckdb"), frozenset(relations)
    for table in list(tree.find_all(exp.Table)):
        key = f"{table.db}.{table.name}"
        if key in names:
            rows = exp.select("*").from_(key).where(is_on(days), dialect="duckdb")
            table.replace(rows.subquery(table.alias_or_name))
    return tree.sql(dialect="duckdb")
