"""What changed since a warehouse was built, and what stands on it: all else can be kept as it is.

The rows of a model follow from its text, from what it reads and from the code that builds it, and from nothing else:
the lint (``warehouse.models.lint``) refuses clocks, dice and rows that are taken by chance. So a model whose text and
whose sources, directly or through others, bear the same marks as at the last build would come out as it stands; and a
check of relations that all stand as they were would find what it found: nothing, or that warehouse would not stand.

A mark is a hash. That of a file of a day is of its size, time and inode: the lake never writes into a file but renames
a new one in, so another content is another inode or another time. Tables without days are small and written anew by
every run, mostly with the same rows, so theirs is of the bytes.

The rows that come from a conversation's document are merged into the files of its day together, ``conversations`` last.
So where only days have changed in which that table has as well, it says which calls changed
(``warehouse.build.incremental``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from warehouse.models import build_tables
from warehouse.models.build_tables import METRIC_HEADERS, WORKSPACES, zone_rows
from warehouse.models.project import Model, Project
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import DELETIONS
from warehouse.schema.registry import DOCUMENT_TABLES, TABLES
from warehouse.schema.types import Table
from warehouse.storage import landing
from warehouse.storage.home import Home

CODE, TESTS, REMOVED = "code", "tests", "removed"
GONE = f"lake.{DELETIONS.name}"
FOUNDATIONS = (CODE, TESTS, REMOVED, GONE)
"""What all of a warehouse stands on: a change of one of these keeps nothing.

``removed`` is what was redacted or erased, as the landing knows it; the lake's deletions say it again. DuckDB does not
overwrite blocks that it frees, so a file that ever held the words of such a conversation may hold them for good; only a
file made from nothing cannot.
"""


@dataclass(frozen=True, slots=True)
class Change:
    """How a relation differs from the one that stood: in all ``columns`` (None), or in some of rows that stood.

    One that is ``by_call`` differs in the rows of calls that are known (``warehouse.build.incremental``), and in no
    others.
    """

    columns: frozenset[str] | None = None
    is_by_call: bool = False

    def matters_to(self, model: Model) -> bool:
        """Whether a model that reads the relation can differ by it."""
        return self.columns is None or model.mentions is None or not self.columns.isdisjoint(model.mentions)


WHOLLY = Change()


def marks(home: Home, project: Project, zones: Mapping[str, str]) -> dict[str, str]:
    """The mark of everything that a build reads: tables of the lake and their files, seeds, models, foundations."""
    files = {f"lake.{table.name}": _of_files(home, table) for table in TABLES}
    tests = (f"{singular.name}\n{singular.sql}" for singular in project.singulars)
    return {
        CODE: _hash([_code(), duckdb.__version__, str(home.root.resolve())]),
        TESTS: _hash(tests),
        REMOVED: _hash([landing.removals(home.everywhere).write_json()]),
        METRIC_HEADERS.key: _hash([build_tables.rows((m.key, m.header) for m in project.models).write_json()]),
        WORKSPACES.key: _hash([zone_rows(zones).write_json()]),
        **{name: _hash(f"{file} {mark}" for file, mark in of_table.items()) for name, of_table in files.items()},
        **{f"{name}/{file}": mark for name, of_table in files.items() for file, mark in of_table.items()},
        **{seed.key: _hash([repr(seed.header), seed.rows.write_json()]) for seed in project.seeds},
        **{model.key: _hash([model.sha256, repr(model.header)]) for model in project.models},
    }


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, Change] | None:
    """Relations that bear another mark than in a warehouse with the marks ``before``: inputs, and models by their text.

    None where nothing can be kept: a foundation differs, or the relations are not the same ones.
    """
    known = relations(before)
    if known != relations(now) or any(before[each] != now[each] for each in FOUNDATIONS):
        return None
    differing = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
    files = {name: {each.removeprefix(name) for each in differing if each.startswith(f"{name}/")} for name in _OF_CALLS}
    explained = files[_CALLS]
    return {name: Change(is_by_call=name in files and files[name] <= explained) for name in sorted(differing & known)}


def stale(project: Project, found: Mapping[str, Change]) -> frozenset[str]:
    """The models that can differ where those relations have changed: these, and all that reads one of them."""
    reached = dict(found)
    for model in project.models:
        if any(read in reached and reached[read].matters_to(model) for read in model.reads):
            reached[model.key] = WHOLLY
    return frozenset(model.key for model in project.models if model.key in reached)


_CALLS = f"lake.{CONVERSATIONS.name}"
_OF_CALLS = tuple(f"lake.{table.name}" for table in DOCUMENT_TABLES)


def relations(names: Iterable[str]) -> set[str]:
    """The names that are no file's, as ``lake.turns/start_date=2026-11-20/main.parquet`` is."""
    return {name for name in names if "/" not in name}


def _of_files(home: Home, table: Table) -> dict[str, str]:
    """Marks of a table's files by name."""
    folder = home.table(table)
    return dict(_of_file(folder, file, table) for file in sorted(folder.rglob("*.parquet")))


def _of_file(folder: Path, file: Path, table: Table) -> tuple[str, str]:
    name = file.relative_to(folder).as_posix()
    if not table.is_daily:
        return name, hashlib.sha256(file.read_bytes()).hexdigest()
    stat = file.stat()
    return name, f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"


@cache
def _code() -> str:
    """Hash of this package: schema of the lake, comments, checks, and how all of it is built."""
    return _hash(file.read_text(encoding="utf-8") for file in sorted(Path(__file__).parents[1].rglob("*.py")))


def _hash(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()
