"""Columns of every table for a batch of documents: most follow from the schema alone, some need a rule of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.transform.path_values import Columns, ParsedBatch, table_extractor
from warehouse.schema.analysis import DATA_COLLECTION_RESULTS, EVALUATION_RESULTS
from warehouse.schema.conversation_client_data import DYNAMIC_VARIABLES
from warehouse.schema.conversations import CONVERSATIONS, TAGS, VISITED_AGENTS, WARNINGS
from warehouse.schema.transcript import MULTIVOICE_PARTS, RAG_CHUNKS, TURN_METRICS, TURNS
from warehouse.schema.types import Table
from warehouse.schema.usage import LLM_USAGE, PLATFORM_USAGE, VOICE_USAGE

HISTORY_VARIABLE = "system__conversation_history"
"""Dynamic variable that repeats the entire transcript; it is dropped."""

SCOPES = ("initiated", "irreversible", "turn")
"""Scopes of ``llm_usage``, in the order of the table's paths."""


@dataclass(frozen=True, slots=True)
class TableBuilder:
    """A table, and the function that builds its columns from a batch."""

    table: Table
    build: Callable[[ParsedBatch], Columns]


def _from_objects(table: Table) -> TableBuilder:
    """For a table whose rows are the objects at one path: keys from the path, values from the schema."""
    path, key_names, extractor = table.at[0], table.key[1:], table_extractor(table)

    def build(batch: ParsedBatch) -> Columns:
        return batch.values_at(path).columns(key_names, extractor)

    return TableBuilder(table, build)


def _from_scalars(table: Table) -> TableBuilder:
    """For a table whose rows are the values of a list: the one column with the source ``.`` holds the value."""
    path, key_names = table.at[0], table.key[1:]
    value_column = next(column.name for column in table.columns if column.source == ".")

    def build(batch: ParsedBatch) -> Columns:
        values = batch.values_at(path)
        return values.columns(key_names) | {value_column: values.elements}

    return TableBuilder(table, build)


def _turn_metrics() -> TableBuilder:
    """Timings of turns; ``is_repeat`` is set where an entry repeats the timings of the entry before it.

    So no timing counts twice. Source: recorded responses; the entry of a tool call has the same values as the spoken
    entry before it, to the last digit, and its message may be null or empty.
    """
    all_metrics = _from_objects(TURN_METRICS)

    def build(batch: ParsedBatch) -> Columns:
        return {**all_metrics.build(batch), "is_repeat": _are_repeats(batch)}

    return TableBuilder(TURN_METRICS, build)


def _are_repeats(batch: ParsedBatch) -> list[bool]:
    """For each metric, in the order of the rows, whether it repeats the one of the entry before it.

    The entry before it is the last one with timings, of the same role and with no entry of the other role in between.
    """
    are_repeats: list[bool] = []
    current_run: tuple[int, str | None] | None = None
    earlier: Mapping[str, float] = {}
    for document, _, entry in batch.values_at("transcript[]"):
        if (document, entry.role) != current_run:
            current_run, earlier = (document, entry.role), {}
        turn_metrics = entry.conversation_turn_metrics
        if turn_metrics is None or not turn_metrics.metrics:
            continue
        metrics = {name: metric for name, metric in turn_metrics.metrics.items() if metric is not None}
        timings = {name: metric.elapsed_time for name, metric in metrics.items() if metric.elapsed_time is not None}
        are_repeats += [name in earlier and earlier[name] == timings.get(name) for name in metrics]
        earlier = timings
    return are_repeats


def _llm_usage(scope: str, path: str) -> TableBuilder:
    """Tokens and prices at one of the table's paths, with its scope: the scopes overlap and must not be summed."""
    extractor = table_extractor(LLM_USAGE)
    key_names = [name for name in LLM_USAGE.key[1:] if f"[{name}]" in path or f"{{{name}}}" in path]

    def build(batch: ParsedBatch) -> Columns:
        values = batch.values_at(path)
        n_rows = len(values.elements)
        # Only the path of the scope ``turn`` has a turn index, which then replaces the -1.
        return {"scope": [scope] * n_rows, "turn_index": [-1] * n_rows, **values.columns(key_names, extractor)}

    return TableBuilder(LLM_USAGE, build)


def _data_collection_results() -> TableBuilder:
    """Collected values, as they came and by type."""
    all_results = _from_objects(DATA_COLLECTION_RESULTS)

    def build(batch: ParsedBatch) -> Columns:
        columns = all_results.build(batch)
        return {**columns, **_columns_by_type(columns["value"])} if "value" in columns else columns

    return TableBuilder(DATA_COLLECTION_RESULTS, build)


def _dynamic_variables() -> TableBuilder:
    """Dynamic variables by name, except ``HISTORY_VARIABLE``, as they came and by type."""
    path = "conversation_initiation_client_data.dynamic_variables"

    def build(batch: ParsedBatch) -> Columns:
        maps = batch.values_at(path)
        for variables in maps.elements:
            variables.pop(HISTORY_VARIABLE, None)
        values = maps.map_values()  # a variable that is null is a row as well
        return values.columns(("name",)) | {"value": values.elements} | _columns_by_type(values.elements)

    return TableBuilder(DYNAMIC_VARIABLES, build)


def _columns_by_type(values: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """JSON values as value_text, value_number and value_bool: each is null where the value is of another type."""
    return {
        "value_text": [value if type(value) is str else None for value in values],
        "value_number": [_to_float(value) if type(value) in _NUMBER_TYPES else None for value in values],
        "value_bool": [value if type(value) is bool else None for value in values],
    }


_NUMBER_TYPES = frozenset({int, float})  # exact types: a bool is an int as well
_FLOAT_LIMIT = 2**1023  # integers from here on may not fit in a float; a constant, as it is slow to compute


def _to_float(value: float) -> float | None:
    return float(value) if abs(value) < _FLOAT_LIMIT else None


TABLE_BUILDERS: tuple[TableBuilder, ...] = (
    *(_from_objects(table) for table in (CONVERSATIONS, TURNS, MULTIVOICE_PARTS, RAG_CHUNKS)),
    *(_from_objects(table) for table in (EVALUATION_RESULTS, PLATFORM_USAGE, VOICE_USAGE, VISITED_AGENTS)),
    *(_from_scalars(table) for table in (TAGS, WARNINGS)),
    _turn_metrics(),
    *(_llm_usage(scope, path) for scope, path in zip(SCOPES, LLM_USAGE.at, strict=True)),
    _data_collection_results(),
    _dynamic_variables(),
)
"""Builders of all document tables except those of ``pipelines.transform.tool_calls``."""
