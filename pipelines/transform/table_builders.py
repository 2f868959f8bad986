"""Columns of every table for a chunk of conversations: most straight from the schema, some with a word of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.transform.path_values import Columns, ParsedBatch, table_extractor
from warehouse.schema import analysis, conversation_client_data, conversations, transcript, usage
from warehouse.schema.types import Table

HISTORY = "system__conversation_history"
"""Variable that repeats the whole transcript; dropped."""

SCOPES = ("initiated", "irreversible", "turn")
"""Scopes of ``llm_usage`` in the order of the table's paths."""


@dataclass(frozen=True, slots=True)
class TableBuilder:
    """How a table's columns are made of a chunk."""

    table: Table
    build: Callable[[ParsedBatch], Columns]


def _plain(table: Table) -> TableBuilder:
    """Rows of objects at one path."""
    at, names, values = table.at[0], table.key[1:], table_extractor(table)
    return TableBuilder(table, lambda chunk: chunk.values_at(at).columns(names, values))


def _scalars(table: Table) -> TableBuilder:
    """Rows of a list of plain values."""
    at, names = table.at[0], table.key[1:]
    column = next(column.name for column in table.columns if column.source == ".")

    def make(chunk: ParsedBatch) -> Columns:
        places = chunk.values_at(at)
        return places.columns(names) | {column: places.elements}

    return TableBuilder(table, make)


def _turn_metrics() -> TableBuilder:
    """Timings; those of a tool call's entry that repeat the spoken entry before it are marked, so none counts twice.

    Source: recorded responses; the entry of a tool call carries the same values to the last digit.
    """
    table, values = transcript.TURN_METRICS, table_extractor(transcript.TURN_METRICS)

    def make(chunk: ParsedBatch) -> Columns:
        places = chunk.values_at(table.at[0])
        return places.columns(table.key[1:], values) | {"is_repeat": _are_repeats(chunk)}

    return TableBuilder(table, make)


def _are_repeats(chunk: ParsedBatch) -> list[bool]:
    """For each metric, whether it repeats the one of the spoken entry before it."""
    found: list[bool] = []
    spoken: Mapping[str, Any] = {}
    last = None
    for document, _, entry in chunk.values_at("transcript[]"):
        timed = entry.conversation_turn_metrics
        if timed is None or timed.metrics is None:
            continue
        records = timed.metrics
        if document != last:
            last, spoken = document, {}
        if entry.message is None:
            found += [_is_same(spoken.get(name), record) for name, record in records.items() if record is not None]
        else:
            spoken = records
            found += [False for record in records.values() if record is not None]
    return found


def _is_same(one: Any, other: Any) -> bool:
    return one is not None and one.elapsed_time == other.elapsed_time is not None


def _llm_usage(scope: str, at: str) -> TableBuilder:
    """Tokens and prices; the scopes overlap, so each row says which it is of."""
    table, values = usage.LLM_USAGE, table_extractor(usage.LLM_USAGE)
    names = [name for name in table.key[1:] if f"[{name}]" in at or f"{{{name}}}" in at]

    def make(chunk: ParsedBatch) -> Columns:
        places = chunk.values_at(at)
        count = len(places.elements)
        return {"scope": [scope] * count, "turn_index": [-1] * count, **places.columns(names, values)}

    return TableBuilder(table, make)


def by_type(values: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """JSON values as value_text, value_number and value_bool: set where one is of that type."""
    return {
        "value_text": [value if type(value) is str else None for value in values],
        "value_number": [_number(value) if type(value) in _NUMBERS else None for value in values],
        "value_bool": [value if type(value) is bool else None for value in values],
    }


_NUMBERS = frozenset({int, float})
_BEYOND = 2**1023  # more than a float holds; made once, as it takes its time


def _number(value: float) -> float | None:
    return float(value) if abs(value) < _BEYOND else None


def _data_collection() -> TableBuilder:
    plain = _plain(analysis.DATA_COLLECTION_RESULTS)

    def make(chunk: ParsedBatch) -> Columns:
        columns = plain.build(chunk)
        return {**columns, **by_type(columns["value"])} if "value" in columns else columns

    return TableBuilder(plain.table, make)


def _dynamic_variables() -> TableBuilder:
    data = "conversation_initiation_client_data.dynamic_variables"

    def make(chunk: ParsedBatch) -> Columns:
        given = chunk.values_at(data)
        for variables in given.elements:
            variables.pop(HISTORY, None)
        entries = given.map_values()
        return entries.columns(("name",)) | {"value": entries.elements} | by_type(entries.elements)

    return TableBuilder(conversation_client_data.DYNAMIC_VARIABLES, make)


TABLE_BUILDERS: tuple[TableBuilder, ...] = (
    *(
        _plain(table)
        for table in (
            conversations.CONVERSATIONS,
            transcript.TURNS,
            transcript.MULTIVOICE_PARTS,
            transcript.RAG_CHUNKS,
        )
    ),
    *(_plain(table) for table in (analysis.EVALUATION_RESULTS, usage.PLATFORM_USAGE, usage.VOICE_USAGE)),
    _plain(conversations.VISITED_AGENTS),
    *(_scalars(table) for table in (conversations.TAGS, conversations.WARNINGS)),
    _turn_metrics(),
    *(_llm_usage(scope, at) for scope, at in zip(SCOPES, usage.LLM_USAGE.at, strict=True)),
    _data_collection(),
    _dynamic_variables(),
)
"""Makers of all tables but those of tools (``tools``)."""
