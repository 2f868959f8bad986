"""What has changed since a build, and so which relations and which of their days can differ: by fingerprints.

An input is a seed, a model, a table of the lake or one of its days, as ``lake.turns/2026-11-20``; each has a
fingerprint. The warehouse of a home (``warehouse.build.state``) and the tables of an engine
(``warehouse.engines.state``) keep those that they were built from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path

from warehouse.models.project import DAY, Model
from warehouse.schema.operations import DELETIONS
from warehouse.storage.fingerprint import digest_code

CODE, TESTS, REMOVED = "code", "tests", "removed"
GLOBAL_INPUTS = (CODE, TESTS, REMOVED, f"lake.{DELETIONS.name}")
"""Inputs of the whole warehouse: if one of them changes, nothing is reused.

``removed`` are the redacted and erased conversations of the landing; the lake's deletions repeat them. DuckDB does not
overwrite blocks that it frees, so a file that ever held the text of such a conversation may hold it for good. Only a
file written from nothing cannot.
"""

Days = frozenset[date | None]
"""Days on which a relation changed; None is the day of rows without one, and of relations that have no days."""


def is_on(days: Days | None) -> str:
    """The SQL condition that a row is of one of the days (None: any); it is never null."""
    if days is None:
        return "true"
    dates = ", ".join(f"date '{day}'" for day in sorted(day for day in days if day is not None))
    is_listed = f"{DAY} is not null and {DAY} in ({dates})" if dates else "false"
    return f"({DAY} is null or {is_listed})" if None in days else f"({is_listed})"


def stale_days(model: Model, changes: Mapping[str, Days | None], with_days: Collection[str]) -> Days | None:
    """The days on which a model can differ after changes of what it reads (None: all); None if it has to be rebuilt.

    Only an incremental model does not have to be rebuilt as a whole. A view has the days of the table that it reads.
    """
    days = [changes[relation] if relation in with_days else None for relation in model.reads if relation in changes]
    is_by_day = model.header.incremental_by or (model.is_view and model.key in with_days)
    if not is_by_day or None in days:
        return None
    return Days().union(*filter(None, days))


def changed_relations(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, Days | None] | None:
    """Relations whose fingerprint differs, inputs and models by their text: the days that differ, or None for all.

    None if nothing can be reused: a global input differs, or there are other relations than before.
    """
    differing = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if relation_names(before) != relation_names(now) or not relation_names(differing).isdisjoint(GLOBAL_INPUTS):
        return None
    changes = dict[str, Days | None]()
    for name in reversed(differing):  # a relation after its days
        relation, _, day = name.partition("/")
        changes[relation] = (changes.get(relation) or Days()) | {date.fromisoformat(day)} if day else None
    return changes


def relation_names(names: Iterable[str]) -> frozenset[str]:
    """The relations of inputs: ``lake.turns/2026-11-20`` is a day of ``lake.turns``."""
    return frozenset(name.partition("/")[0] for name in names)


@cache
def code_hash() -> str:
    """Hash of package ``warehouse``: schema, comments, checks and how everything is built."""
    return digest_code(Path(__file__).parents[1])
