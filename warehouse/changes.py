"""What changed since a warehouse was built, and what stands on it: all else can be kept as it is.

The rows of a model follow from its text, from what it reads and from the code that builds it, and from nothing else:
the lint (``warehouse.portable``) refuses clocks, dice and rows that are taken by chance. So a model whose text and
whose sources, directly or through others, bear the same marks as at the last build would come out as it stands; and a
check of relations that all stand as they were would find what it found: nothing, or that warehouse would not stand.

A mark is a hash. That of a table with days is of its files' names, sizes, times and inodes: the lake never writes into
a file but renames a new one in, so another content is another inode or another time. Tables without days are small and
written anew by every run, mostly with the same rows, so theirs is of the bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import duckdb

from warehouse import catalog, landing
from warehouse.columns import Table
from warehouse.generated import METRIC_HEADERS, WORKSPACES, zone_rows
from warehouse.home import Home
from warehouse.models import Project
from warehouse.tables import DELETIONS, TABLES

CODE, TESTS, REMOVED = "code", "tests", "removed"
GONE = f"lake.{DELETIONS.name}"
FOUNDATIONS = (CODE, TESTS, REMOVED, GONE)
"""What all of a warehouse stands on: a change of one of these keeps nothing.

``removed`` is what was redacted or erased, as the landing knows it; the lake's deletions say it again. DuckDB does not
overwrite blocks that it frees, so a file that ever held the words of such a conversation may hold them for good; only a
file made from nothing cannot.
"""


def marks(home: Home, project: Project, zones: Mapping[str, str]) -> dict[str, str]:
    """The mark of everything that a build reads: tables of the lake, seeds, models by key, and the foundations."""
    tests = (f"{singular.name}\n{singular.sql}" for singular in project.singulars)
    return {
        CODE: _hash([_code(), duckdb.__version__, str(home.root.resolve())]),
        TESTS: _hash(tests),
        REMOVED: _hash([landing.removals(home.everywhere).write_json()]),
        METRIC_HEADERS.key: _hash([catalog.rows((m.key, m.header) for m in project.models).write_json()]),
        WORKSPACES.key: _hash([zone_rows(zones).write_json()]),
        **{f"lake.{table.name}": _of_table(home, table) for table in TABLES},
        **{seed.key: _hash([repr(seed.header), seed.rows.write_json()]) for seed in project.seeds},
        **{model.key: _hash([model.sha256, repr(model.header)]) for model in project.models},
    }


def stale(project: Project, before: Mapping[str, str], now: Mapping[str, str]) -> frozenset[str]:
    """Everything whose rows can differ from those of a warehouse with the marks ``before``.

    What bears another mark, and every model that reads such a thing, directly or through others. All of it, where a
    foundation differs or the relations are not the same ones.
    """
    if before.keys() != now.keys() or any(before[each] != now[each] for each in FOUNDATIONS):
        return frozenset(now)
    found = {name for name, mark in now.items() if before[name] != mark}
    for model in project.models:
        if not found.isdisjoint(model.reads):
            found.add(model.key)
    return frozenset(found)


def _of_table(home: Home, table: Table) -> str:
    folder = home.table(table)
    return _hash(_of_file(folder, file, table) for file in sorted(folder.rglob("*.parquet")))


def _of_file(folder: Path, file: Path, table: Table) -> str:
    name = file.relative_to(folder).as_posix()
    if not table.is_daily:
        return f"{name} {hashlib.sha256(file.read_bytes()).hexdigest()}"
    stat = file.stat()
    return f"{name} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"


@cache
def _code() -> str:
    """Hash of this package: schema of the lake, comments, checks, and how all of it is built."""
    return _hash(file.read_text(encoding="utf-8") for file in sorted(Path(__file__).parent.glob("*.py")))


def _hash(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()
