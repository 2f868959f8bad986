"""Columns of every table for a batch of documents: most follow from the schema alone, some need a rule of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.transform import tool_calls
from pipelines.transform.callers import caller_id, direction
from pipelines.transform.path_values import DOCUMENT, Columns, ParsedBatch, table_extractor
from warehouse.schema.analysis import DATA_COLLECTION_RESULTS, EVALUATION_RESULTS, SCOPED_ANALYSES
from warehouse.schema.conversation_client_data import DYNAMIC_VARIABLES
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.schema.transcript import TURN_FILES, TURN_METRICS
from warehouse.schema.types import Table
from warehouse.schema.usage import LLM_USAGE

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


def _from_schema(table: Table) -> TableBuilder:
    """For a table whose rows are objects, or values: then the one column with the source ``.`` holds the value."""
    value_column = next((column.name for column in table.columns if column.source == "."), None)
    if value_column is None:
        return _from_objects(table)
    path, key_names = table.at[0], table.key[1:]

    def build(batch: ParsedBatch) -> Columns:
        values = batch.values_at(path)
        return values.columns(key_names) | {value_column: values.elements}

    return TableBuilder(table, build)


def _conversations() -> TableBuilder:
    """The conversation itself, with the columns that several places decide."""
    all_columns = _from_objects(CONVERSATIONS)

    def build(batch: ParsedBatch) -> Columns:
        details = batch.values_at("").elements
        derived_columns = {"direction": list(map(direction, details)), "caller_id": list(map(caller_id, details))}
        return {**all_columns.build(batch), **derived_columns}

    return TableBuilder(CONVERSATIONS, build)


def _turn_files() -> tuple[TableBuilder, TableBuilder]:
    """Files of an entry: those of ``file_inputs``, then ``file_input`` if it is none of them."""
    list_path, single_path = TURN_FILES.at
    extractor = table_extractor(TURN_FILES)

    def build_single(batch: ParsedBatch) -> Columns:
        files: dict[tuple[int, int], dict[int, Any]] = {}
        for document, turn_index, file_index, file in batch.values_at(list_path):
            files.setdefault((document, turn_index), {})[file_index] = file
        rows = [
            (document, turn_index, max(earlier, default=-1) + 1, file)
            for document, turn_index, file in batch.values_at(single_path)
            if file not in (earlier := files.get((document, turn_index), {})).values()
        ]
        if not rows:
            return {}
        *keys, structs = zip(*rows, strict=True)
        return dict(zip((DOCUMENT, *TURN_FILES.key[1:]), keys, strict=True)) | extractor(structs)

    return _from_objects(TURN_FILES), TableBuilder(TURN_FILES, build_single)


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

    The entry before it is the last one of the same role with timings. If an entry of the other role is in between, all
    timings have to be the same, and more than one: two measurements do not agree to the last digit in all of them.
    """
    are_repeats: list[bool] = []
    current_run: tuple[int, str | None] | None = None
    latest: dict[tuple[int, str | None], Mapping[str, float]] = {}
    earlier: Mapping[str, float] = {}
    for document, _, entry in batch.values_at("transcript[]"):
        role = (document, entry.role)
        if role != current_run:
            current_run, earlier = role, {}
        turn_metrics = entry.conversation_turn_metrics
        if turn_metrics is None or not turn_metrics.metrics:
            continue
        timings: dict[str, float] = {}
        n_before = len(are_repeats)
        for name, metric in turn_metrics.metrics.items():  # one loop: it runs for every timing of every turn
            if metric is not None:
                elapsed = metric.elapsed_time
                are_repeats.append(elapsed is not None and earlier.get(name) == elapsed)
                if elapsed is not None:
                    timings[name] = elapsed
        if not earlier and len(timings) > 1 and timings == latest.get(role):
            are_repeats[n_before:] = [
                metric.elapsed_time is not None for metric in turn_metrics.metrics.values() if metric is not None
            ]
        if timings:
            latest[role] = earlier = timings
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


def _results(table: Table) -> tuple[TableBuilder, TableBuilder]:
    """Verdicts or collected values: those of the conversation, then those of the scopes of its analysis.

    The list twins have no builder: ``pipelines.transform.list_twins`` has put what only they have into the maps.
    """
    whole_path, _, scoped_path = table.at
    id_name, extractor = table.key[-1], table_extractor(table)

    def with_derived(columns: dict[str, Sequence[Any]]) -> Columns:
        """Values by type, and no id inside an entry that only repeats its key."""
        inner = columns.pop(f"inner_{id_name}", ())
        if inner:
            pairs = zip(inner, columns[id_name], strict=True)
            columns[f"inner_{id_name}"] = [None if inner_id == key else inner_id for inner_id, key in pairs]
        return columns | _columns_by_type(columns["value"]) if "value" in columns else columns

    def build_whole(batch: ParsedBatch) -> Columns:
        results = batch.values_at(whole_path)
        columns = results.columns((id_name,), extractor)
        return with_derived({**columns, "scope_index": [-1] * len(results.elements)})

    def build_scoped(batch: ParsedBatch) -> Columns:
        results = batch.values_at(scoped_path)
        if not results.elements:
            return {}
        scopes = {(document, index): scope for document, index, scope in batch.values_at(SCOPED_ANALYSES.at[0])}
        parents = [scopes[key] for key in zip(*results.keys[:2], strict=True)]
        columns = results.columns(("scope_index", id_name), extractor)
        return with_derived(
            {**columns, **{name: [getattr(scope, name) for scope in parents] for name in _SCOPE_COLUMNS}}
        )

    return TableBuilder(table, build_whole), TableBuilder(table, build_scoped)


_SCOPE_COLUMNS = ("scope", "source_agent_id", "source_branch_id")


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


_SPECIAL_BUILDERS: tuple[TableBuilder, ...] = (
    _conversations(),
    _turn_metrics(),
    *(_llm_usage(scope, path) for scope, path in zip(SCOPES, LLM_USAGE.at, strict=True)),
    *_results(EVALUATION_RESULTS),
    *_results(DATA_COLLECTION_RESULTS),
    *_turn_files(),
    _dynamic_variables(),
)


def _plain_tables() -> list[Table]:
    """The tables whose rows follow from the schema alone."""
    special = {builder.table.name for builder in _SPECIAL_BUILDERS} | {table.name for table in tool_calls.TABLES}
    return [table for table in DOCUMENT_TABLES if table.name not in special]


TABLE_BUILDERS: tuple[TableBuilder, ...] = (*map(_from_schema, _plain_tables()), *_SPECIAL_BUILDERS)
"""Builders of all document tables except those of ``pipelines.transform.tool_calls``."""
