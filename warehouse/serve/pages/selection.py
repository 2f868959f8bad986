"""Which conversations a page is about, and a connection on which SQL reads exactly these.

A reader's SQL has four temporary views besides the warehouse, three of them of ``marts.fct_conversations``:

- ``selected``: conversations of the period and of the period before it (column ``is_before``), open ones too;
- ``conversations``: the finished ones of the period, which are those that every number counts;
- ``previous_conversations``: the finished ones of the period before; empty where nothing is compared.

The fourth, ``entries``, has the timings of the transcripts of the finished ones of both periods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from warehouse.connection import open_warehouse
from warehouse.errors import NothingBuiltError
from warehouse.storage.home import Home

NONE = "none"
"""In place of an agent, channel, language, version, model or tool: what has none."""


def or_none(column: str) -> str:
    """SQL: the value of a column as a parameter of the page gives it, ``NONE`` for null."""
    return f"coalesce({column}, '{NONE}')"


OF_SCOPE = f"""
($agent_id is null or {or_none("agent_id")} = $agent_id)
and ($workspace is null or workspace = $workspace)
"""
"""SQL: the rows of a table by workspace and agent that are of a selection; ``Selection.scope`` has the parameters."""

Row = dict[str, Any]

EPOCH = date(1970, 1, 1)
"""The day of a period while there is no conversation; pages that show days ask for one before."""

# In all of these, getvariable('page_…') is a value of the selection: a view can have no parameters.
SELECTED = """
create or replace temp view selected as
select *, start_date < getvariable('page_start') as is_before
from marts.fct_conversations
where not is_excluded and start_date between getvariable('page_first') and getvariable('page_last')
"""

ENTRIES = """
create or replace temp view entries as
select
    start_date,
    start_date < getvariable('page_start') as is_before,
    agent_id,
    list_position(['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'], local_weekday_name)
    as local_weekday,
    local_start_hour,
    wait_secs,
    asr_latency_secs,
    rag_latency_secs,
    llm_first_sentence_secs,
    tts_ttfb_secs
from marts.fct_turns
where is_counted and start_date between getvariable('page_first') and getvariable('page_last')
"""
"""Entries of the transcripts of a selection by workspace and agent, which they have themselves."""

JOINED_ENTRIES = """
create or replace temp view entries as
select selected.*, turns.wait_secs, turns.asr_latency_secs, turns.rag_latency_secs, turns.llm_first_sentence_secs,
    turns.tts_ttfb_secs
from selected
join marts.fct_turns as turns using (workspace, conversation_id, start_date)
where selected.is_counted
"""
"""Entries of any other selection: a join takes ten times as long."""

JOINED_WAITS = """
create temp table if not exists joined_waits as
select
    selected.start_date, selected.is_before, selected.agent_id, selected.version_id, selected.local_weekday,
    selected.local_start_hour, turns.wait_secs
from selected
join marts.fct_turns as turns using (workspace, conversation_id, start_date)
where selected.is_counted and turns.wait_secs is not null
"""


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``first`` to ``last``, both included (UTC, as ``start_date`` in every model)."""

    first: date
    last: date

    @property
    def n_days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    def before(self) -> Period:
        """As many days directly before it."""
        return Period(self.first - timedelta(days=self.n_days), self.first - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Selection:
    """Conversations of a period; None for an agent, channel, language or version means all, ``NONE`` those without."""

    period: Period
    is_compared: bool = True
    workspace: str | None = None
    agent_id: str | None = None
    channel: str | None = None
    language: str | None = None
    version_id: str | None = None

    @property
    def previous(self) -> Period | None:
        """The period that it is compared with."""
        return self.period.before() if self.is_compared else None

    @property
    def scope(self) -> dict[str, str | None]:
        """The parameters of ``OF_SCOPE``."""
        return {"agent_id": self.agent_id, "workspace": self.workspace}

    @property
    def is_all_conversations(self) -> bool:
        """Whether nothing but days and agent limit it, as tables that are by day and agent can show."""
        return self.channel is None and self.language is None and self.version_id is None


class Reader:
    """Runs the SQL of a page on an open warehouse."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, selection: Selection | None = None) -> None:
        self.connection = connection
        self.selection = selection

    @property
    def chosen(self) -> Selection:
        """The selection of a reader that has one."""
        if self.selection is None:
            message = "nothing is selected"
            raise ValueError(message)
        return self.selection

    def rows(self, sql: str, **parameters: object) -> list[Row]:
        """Rows of a SELECT, whose parameters are written ``$name``."""
        cursor = self.connection.execute(sql, parameters or None)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def waits(self, *, by_version: bool = False) -> str:
        """The relation of the waits of both periods; only ``by_version`` it has the version of the conversation."""
        if self.chosen.is_all_conversations and not by_version:
            return "(from entries where wait_secs is not null)"
        self.connection.execute(JOINED_WAITS)
        return "joined_waits"

    def row(self, sql: str, **parameters: object) -> Row:
        """The one row of a SELECT that has one."""
        return self.rows(sql, **parameters)[0]


@contextmanager
def open_reader(home: Home) -> Iterator[Reader]:
    """A reader of the warehouse as it is now, without a selection.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the file cannot be opened.
    """
    with open_warehouse(home) as connection:
        yield Reader(connection)


def select(reader: Reader, selection: Selection) -> Reader:
    """The reader with the relations of a selection."""
    connection = reader.connection
    values: dict[str, object] = {
        "page_first": (selection.previous or selection.period).first,
        "page_start": selection.period.first,
        "page_last": selection.period.last,
    }
    conditions = {"workspace": selection.workspace, "agent_id": selection.agent_id}
    own_conditions = {
        "channel": selection.channel,
        "main_language": selection.language,
        "version_id": selection.version_id,
    }
    values |= {f"page_{column}": value for column, value in (conditions | own_conditions).items()}
    for name, value in values.items():
        connection.execute(f"set variable {name} = $value", {"value": value})
    connection.execute(SELECTED + _where(conditions | own_conditions))
    connection.execute(ENTRIES + _where(conditions) if selection.is_all_conversations else JOINED_ENTRIES)
    for name, condition in (("conversations", "not is_before"), ("previous_conversations", "is_before")):
        connection.execute(
            f"create or replace temp view {name} as select * from selected where is_counted and {condition}"  # noqa: S608 -- our own names
        )
    return Reader(connection, selection)


def _where(conditions: Mapping[str, str | None]) -> str:
    """More conditions of a view; each value is a variable."""
    return "".join(
        f" and {column} is null" if value == NONE else f" and {column} = getvariable('page_{column}')"
        for column, value in conditions.items()
        if value is not None
    )


def require_conversations(reader: Reader) -> None:
    """Check that there is something to show.

    Raises:
        NothingBuiltError: the warehouse has no conversation.
    """
    if not reader.rows("select 1 from marts.fct_conversations limit 1"):
        raise NothingBuiltError(
            "There are no conversations yet.", "`convohouse sync` copies them as soon as an agent has had some."
        )


def default_period(reader: Reader, n_days: int | None, listed_until: datetime | None) -> Period:
    """The last days that are over; None days for all of them.

    The last day is the one before the time until which all agents are listed: of a day that is not over, numbers would
    look as if they had fallen. Listed days without a conversation are days as well: of a line that is dead, the numbers
    of the days before would look as if nothing had happened.
    """
    row = reader.row("select min(start_date) as first_date, max(start_date) as last_date from marts.fct_conversations")
    if row["last_date"] is None:
        return Period(EPOCH, EPOCH)
    last_complete = row["last_date"] if listed_until is None else listed_until.date() - timedelta(days=1)
    last = max(last_complete, row["first_date"])
    return Period(row["first_date"] if n_days is None else last - timedelta(days=n_days - 1), last)
