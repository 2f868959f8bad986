"""Rows of every table for one conversation: most straight from the schema, some with a word of their own.

A maker gives, for a detail, its rows without conversation_id and start_date, as tuples in the order of ``names``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.flatten.walk import Keys, projection, walker
from warehouse import tables
from warehouse.columns import Table

HISTORY = "system__conversation_history"
"""Variable that repeats the whole transcript; dropped."""

SCOPES = ("initiated", "irreversible", "turn")
"""Scopes of ``llm_usage`` in the order of the table's paths."""


@dataclass(frozen=True, slots=True)
class Maker:
    """How a table's rows are made of a detail."""

    table: Table
    names: tuple[str, ...]
    make: Callable[[Any], Iterable[Keys]]


def _plain(table: Table) -> Maker:
    """Rows of objects at one path."""
    walk, values = walker(table.at[0]), projection(table)
    return Maker(table, (*table.key[1:], *values.names), lambda detail: [k + values(row) for k, row in walk(detail)])


def _scalars(table: Table) -> Maker:
    """Rows of a list of plain values."""
    walk = walker(table.at[0])
    column = next(column.name for column in table.columns if column.source == ".")
    return Maker(table, (*table.key[1:], column), lambda detail: [(*k, value) for k, value in walk(detail)])


def _turn_metrics() -> Maker:
    """Timings; those of a tool call's entry that repeat the spoken entry before it are marked, so none counts twice.

    Source: recorded responses; the entry of a tool call carries the same values to the last digit.
    """
    walk = walker("transcript[].conversation_turn_metrics.metrics")
    extra = projection(tables.TURN_METRICS)

    def make(detail: Any) -> Iterator[Keys]:
        spoken: dict[str, Any] = {}
        for (turn_index,), metrics in walk(detail):
            is_spoken = detail.transcript[turn_index].message is not None
            for metric, record in metrics.items():
                if record is not None:
                    is_repeat = not is_spoken and spoken.get(metric) == record.elapsed_time is not None
                    yield (turn_index, metric, *extra(record), is_repeat)
            if is_spoken:
                spoken = {metric: record.elapsed_time for metric, record in metrics.items() if record is not None}

    return Maker(tables.TURN_METRICS, ("turn_index", "metric", *extra.names, "is_repeat"), make)


def _llm_usage() -> Maker:
    """Tokens and prices; the scopes overlap, so each row says which it is of."""
    values = projection(tables.LLM_USAGE)
    walks = [(scope, walker(at)) for scope, at in zip(SCOPES, tables.LLM_USAGE.at, strict=True)]

    def make(detail: Any) -> Iterator[Keys]:
        for scope, walk in walks:
            for keys, usage in walk(detail):
                yield (scope, *(keys if scope == "turn" else (-1, *keys)), *values(usage))

    return Maker(tables.LLM_USAGE, ("scope", "turn_index", "model", "token_kind", *values.names), make)


def by_type(value: Any) -> Keys:
    """A value as (value_text, value_number, value_bool): set where it is of that JSON type."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (
        value if isinstance(value, str) else None,
        float(value) if is_number and abs(value) < 2**1023 else None,
        value if isinstance(value, bool) else None,
    )


BY_TYPE = ("value_text", "value_number", "value_bool")


def _data_collection() -> Maker:
    plain = _plain(tables.DATA_COLLECTION_RESULTS)
    at = plain.names.index("value")

    def make(detail: Any) -> Iterator[Keys]:
        for row in plain.make(detail):
            yield row + by_type(row[at])

    return Maker(plain.table, plain.names + BY_TYPE, make)


def _dynamic_variables() -> Maker:
    data = "conversation_initiation_client_data.dynamic_variables"
    walk = walker(data)

    def make(detail: Any) -> Iterator[Keys]:
        for _, variables in walk(detail):
            for name, value in variables.items():
                if name != HISTORY:
                    yield (name, value, *by_type(value))

    return Maker(tables.DYNAMIC_VARIABLES, ("name", "value", *BY_TYPE), make)


MAKERS: tuple[Maker, ...] = (
    *(_plain(table) for table in (tables.TURNS, tables.MULTIVOICE_PARTS, tables.RAG_CHUNKS)),
    *(_plain(table) for table in (tables.EVALUATION_RESULTS, tables.PLATFORM_USAGE, tables.VOICE_USAGE)),
    _plain(tables.VISITED_AGENTS),
    *(_scalars(table) for table in (tables.TAGS, tables.WARNINGS)),
    _turn_metrics(),
    _llm_usage(),
    _data_collection(),
    _dynamic_variables(),
)
"""Makers of all tables but conversations (``frames``) and those of tools (``tools``)."""
