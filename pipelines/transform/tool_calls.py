"""Tool calls, tool results, workflow steps and variable updates, including nested ones.

The result of a workflow has steps, and a step has tool calls and results again, to any depth. Calls and results are
numbered through the entire conversation in the order of the transcript. ``parent_request_id`` and ``depth`` of a nested
one say which result contains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.transform.decode import read_nested
from pipelines.transform.document_schema import object_at
from pipelines.transform.lenient_decode import add_extra
from pipelines.transform.path_values import DOCUMENT, Columns, ParsedBatch, PathExtractor, table_extractor
from warehouse.schema.tool_calls import DYNAMIC_VARIABLE_UPDATES, TOOL_CALLS, TOOL_RESULTS, WORKFLOW_STEPS
from warehouse.schema.types import Table

TABLES = (TOOL_CALLS, TOOL_RESULTS, WORKFLOW_STEPS, DYNAMIC_VARIABLE_UPDATES)

_CALL_SHAPE = object_at(TOOL_CALLS.at[0])
_RESULT_SHAPE = object_at(TOOL_RESULTS.at[0])
_CALL_EXTRACTOR = table_extractor(TOOL_CALLS)
_RESULT_EXTRACTOR = table_extractor(TOOL_RESULTS)
_STEP_EXTRACTOR = table_extractor(WORKFLOW_STEPS)
_UPDATE_EXTRACTOR = table_extractor(DYNAMIC_VARIABLE_UPDATES)

Keys = tuple[Any, ...]
Row = tuple[Keys, Any]
"""Keys of a row, beginning with the number of its document; and its struct."""

_NESTING_KEYS = ("turn_index", "parent_request_id", "depth")


class _ToolRows:
    """Collects the rows of the four tables during a walk through the transcripts of a batch."""

    def __init__(self) -> None:
        self.calls: list[Row] = []
        self.results: list[Row] = []
        self.steps: list[Row] = []
        self.updates: list[Row] = []
        self._document = -1
        self._n_earlier_calls = self._n_earlier_results = 0

    def start_document(self, document: int) -> None:
        """Restart the numbers of calls and results at 0 if this is another document than before."""
        if document != self._document:
            self._document = document
            self._n_earlier_calls, self._n_earlier_results = len(self.calls), len(self.results)

    def add_calls(self, calls: Any, nesting: Keys) -> None:
        for call in calls or ():
            if call is not None:
                self.calls.append(((self._document, len(self.calls) - self._n_earlier_calls, *nesting), call))

    def add_results(self, results: Any, nesting: Keys) -> None:
        for result in results or ():
            if result is None:
                continue
            result_index = len(self.results) - self._n_earlier_results
            self.results.append(((self._document, result_index, *nesting), result))
            for update_index, update in enumerate(result.dynamic_variable_updates or ()):
                if update is not None:
                    self.updates.append(((self._document, result_index, update_index), update))
            if result.result is not None and result.result.steps:
                self._add_steps(result_index, result, nesting)

    def _add_steps(self, result_index: int, result: Any, nesting: Keys) -> None:
        turn_index, _, depth = nesting
        step_nesting = (turn_index, result.request_id, depth + 1)
        for step_index, step in enumerate(result.result.steps):
            if step is None:
                continue
            calls, results = _decode_nested_tools(step)
            self.steps.append(((self._document, result_index, step_index), step))
            self.add_calls(calls, step_nesting)
            self.add_results(results, step_nesting)


def _decode_nested_tools(step: Any) -> tuple[list[Any], list[Any]]:
    """Structs of the calls and results of a step; elements that are not objects go to the ``extra`` of the step."""
    extra: dict[str, Any] = {}
    calls = [read_nested(_CALL_SHAPE, call, f"requests[{n}]", extra) for n, call in enumerate(step.requests or ())]
    results = [read_nested(_RESULT_SHAPE, item, f"results[{n}]", extra) for n, item in enumerate(step.results or ())]
    if extra:
        add_extra(step, extra)
    return calls, results


def build_columns(batch: ParsedBatch) -> list[tuple[Table, Columns]]:
    """Columns of the four tables for a batch."""
    rows = _ToolRows()
    for document, turn_index, turn in batch.values_at("transcript[]"):
        if turn.tool_calls or turn.tool_results:
            rows.start_document(document)
            rows.add_calls(turn.tool_calls, (turn_index, None, 0))
            rows.add_results(turn.tool_results, (turn_index, None, 0))
    return [
        (TOOL_CALLS, _to_columns(("call_index", *_NESTING_KEYS), rows.calls, _CALL_EXTRACTOR)),
        (TOOL_RESULTS, _to_columns(("result_index", *_NESTING_KEYS), rows.results, _RESULT_EXTRACTOR)),
        (WORKFLOW_STEPS, _to_columns(("result_index", "step_index"), rows.steps, _STEP_EXTRACTOR)),
        (DYNAMIC_VARIABLE_UPDATES, _to_columns(("result_index", "update_index"), rows.updates, _UPDATE_EXTRACTOR)),
    ]


def _to_columns(key_names: Sequence[str], rows: Sequence[Row], extractor: PathExtractor) -> Columns:
    if not rows:
        return {}
    keys, structs = zip(*rows, strict=True)
    return dict(zip((DOCUMENT, *key_names), zip(*keys, strict=True), strict=True)) | extractor(structs)
