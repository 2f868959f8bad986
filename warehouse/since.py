"""The warehouse that stands, as the next build sees it: what of it can be kept, and which calls have changed since."""

# ruff: noqa: S608 -- every name in these statements is from warehouse.schema.conversations, none from a user

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import duckdb
import polars as pl

from warehouse import record
from warehouse.build import state
from warehouse.build.state import WHOLLY, Change
from warehouse.duck import Limits, connect, quoted
from warehouse.models.build_tables import Generated
from warehouse.models.project import Project
from warehouse.models.row_locality import KEY
from warehouse.record import BuiltModel
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage.home import Home

STANDING = "standing"
"""Name under which the file that stands is attached."""

MOST_KEPT_STALE = 0.5
"""Share of the models that may be stale: if more are, all is made anew, which leaves a tighter file."""

MOST_CHANGED = 0.1
"""Share of the calls that may have changed for models to be made again call by call. Measured: 1 % takes an eighth."""

CALLS = Generated(
    "build_calls",
    "The calls that this warehouse was built from: one row per call; the next build sees which of them changed.",
    {KEY: "Id of the conversation.", "mark": "Hash of what its rows follow from: content, parser, readings; a number."},
)

_MADE = ", ".join(column.name for column in CONVERSATIONS.columns if column.source is None)
CALL_MARKS = f"select {KEY}, hash({_MADE}) as mark from {{source}}"
"""A call's rows follow from its content, the version of the flattening and when it was read: columns that it makes."""


@dataclass(frozen=True, slots=True)
class Since:
    """What stood, by name, and how it differs by now; ``calls`` are the ids of those that changed.

    ``changed`` says it of what the models are made from, and of models with another text.
    """

    names: frozenset[str] = frozenset()
    models: Mapping[str, BuiltModel] = field(default_factory=dict)
    changed: dict[str, Change] = field(default_factory=dict)
    calls: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={KEY: pl.String}))

    def stands(self, name: str) -> bool:
        """Whether a relation is as it was."""
        return name in self.names and name not in self.changed

    @property
    def is_by_call(self) -> bool:
        """Whether anything changed in some calls alone."""
        return any(change.is_by_call for change in self.changed.values())


NOTHING = Since()
"""What stood where all is made anew: nothing."""


def since_built(home: Home, project: Project, marks: Mapping[str, str], limits: Limits) -> Since:
    """What the warehouse that stands can give to one with these marks; nothing where most of it is stale."""
    with connect(limits=limits) as connection:
        standing = record.read(connection, home.warehouse)
        if standing is None:
            return NOTHING
        changed = state.changed(standing.marks, marks)
        if changed is None:
            return NOTHING
        found = Since(frozenset(state.relations(standing.marks)), standing.models, changed)
        if found.is_by_call:
            found = _with_calls(connection, home, found)
    rest = {name: change for name, change in found.changed.items() if not change.is_by_call}
    is_kept = len(state.stale(project, rest)) <= MOST_KEPT_STALE * len(project.models)
    return found if is_kept else NOTHING


def _with_calls(connection: duckdb.DuckDBPyConnection, home: Home, found: Since) -> Since:
    """The same with the calls that changed; of very many, each table that they are in counts as changed wholly."""
    connection.execute(f"attach {quoted(str(home.warehouse))} as {STANDING} (read_only)")
    before, now = f"from {STANDING}.{CALLS.key}", CALL_MARKS.format(source=f"{STANDING}.lake.{CONVERSATIONS.name}")
    calls = connection.sql(
        f"select distinct {KEY} from (({before} except all {now}) union all ({now} except all {before}))"
    ).pl()
    total = connection.execute(f"select count(*) {before}").fetchall()[0][0]
    connection.execute(f"detach {STANDING}")
    if calls.height <= MOST_CHANGED * total:
        return replace(found, calls=calls)
    return replace(found, changed=dict.fromkeys(found.changed, WHOLLY))


def write_calls(connection: duckdb.DuckDBPyConnection) -> None:
    """Write the marks of all calls into the connection's database."""
    marks = CALL_MARKS.format(source=f"lake.{CONVERSATIONS.name}")
    connection.execute(f"create or replace table {CALLS.key} as {marks}")
