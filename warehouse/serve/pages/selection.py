"""Which conversations a page is about, and a connection on which SQL reads exactly these.

A reader's SQL has three temporary relations besides the warehouse, with the columns of ``marts.fct_conversations`` that
pages use and the name of the agent:

- ``selected``: conversations of the period and of the period before it (column ``is_before``), open ones too;
- ``conversations``: the finished ones of the period, which are those that every number counts;
- ``previous_conversations``: the finished ones of the period before; empty where nothing is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from warehouse.connection import execute_with_memory_retry, open_warehouse
from warehouse.storage.home import Home

NONE = "none"
"""In place of a channel, language or version: conversations that have none."""

Row = dict[str, Any]

EPOCH = date(1970, 1, 1)
"""The day that is shown while there is no conversation."""

COLUMNS = """
    workspace, conversation_id, agent_id, agent_name, version_id, started_at, start_date, local_start_hour,
    local_weekday, status, outcome, is_finished, is_counted, channel, direction, main_language, call_duration_secs,
    call_successful, cost_usd, cost_credits, cost_basis, n_turns, n_agent_turns, n_interruptions, n_tool_calls,
    n_tool_errors, is_transferred_to_agent, is_transferred_to_human, is_voicemail, is_abandoned, is_contained, is_error,
    outcome_reason,
    termination_reason, termination_group, error_reason, rating, likes, dislikes, is_repeat_caller_7d, n_waits,
    p95_wait_secs, summary_title, is_deleted
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
    """Conversations of a period; None for an agent, channel, language or version means all of them."""

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

    def row(self, sql: str, **parameters: object) -> Row:
        """The one row of a SELECT that has one."""
        return self.rows(sql, **parameters)[0]


@contextmanager
def reading(home: Home) -> Iterator[Reader]:
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
    first = (selection.previous or selection.period).first
    conditions = ["not is_excluded", "start_date >= $first", "start_date <= $last"]
    parameters: dict[str, object] = {"first": first, "last": selection.period.last}
    for column, value in (
        ("workspace", selection.workspace),
        ("agent_id", selection.agent_id),
        ("channel", selection.channel),
        ("main_language", selection.language),
        ("version_id", selection.version_id),
    ):
        if value == NONE:
            conditions.append(f"{column} is null")
        elif value is not None:
            conditions.append(f"{column} = ${column}")
            parameters[column] = value
    connection.execute(
        f"create or replace temp table selected as select {COLUMNS}, start_date < $start as is_before "  # noqa: S608 -- our own names; values are parameters
        f"from marts.fct_conversations where {' and '.join(conditions)}",
        parameters | {"start": selection.period.first},
    )
    for name, condition in (("conversations", "not is_before"), ("previous_conversations", "is_before")):
        execute_with_memory_retry(
            connection,
            f"create or replace temp view {name} as select * from selected where is_counted and {condition}",  # noqa: S608 -- as above
        )
    return Reader(connection, selection)


def default_period(reader: Reader, n_days: int | None, listed_until: datetime | None) -> Period:
    """The last days that are over; None days for all of them.

    The last day is the one before the time until which all agents are listed: of a day that is not over, numbers would
    look as if they had fallen.
    """
    row = reader.row("select min(start_date) as first_date, max(start_date) as last_date from marts.fct_conversations")
    if row["last_date"] is None:
        return Period(EPOCH, EPOCH)
    last_complete = row["last_date"] if listed_until is None else listed_until.date() - timedelta(days=1)
    last = max(min(row["last_date"], last_complete), row["first_date"])
    return Period(row["first_date"] if n_days is None else last - timedelta(days=n_days - 1), last)
