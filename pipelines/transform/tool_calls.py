"""Tool calls, results, workflow steps and variable updates of one conversation, nested ones included.

A workflow result holds steps, and a step holds calls and results again, to any depth. Calls and results are numbered
through the conversation in the order of the transcript; ``parent_request_id`` and ``depth`` say what holds a nested
one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipelines.transform.decode import read_nested
from pipelines.transform.document_schema import EXTRA, object_at
from pipelines.transform.lenient_decode import json_text
from pipelines.transform.path_values import DOCUMENT, Columns, ParsedBatch, PathExtractor, table_extractor
from warehouse.schema import tool_calls
from warehouse.schema.types import Table

_CALL = object_at(tool_calls.TOOL_CALLS.at[0])
_RESULT = object_at(tool_calls.TOOL_RESULTS.at[0])
_call_values = table_extractor(tool_calls.TOOL_CALLS)
_result_values = table_extractor(tool_calls.TOOL_RESULTS)
_step_values = table_extractor(tool_calls.WORKFLOW_STEPS)
_update_values = table_extractor(tool_calls.DYNAMIC_VARIABLE_UPDATES)

Keys = tuple[Any, ...]
Place = tuple[Keys, Any]
"""Where a row stands, from the number of its document on; and its struct."""

_NESTING = ("turn_index", "parent_request_id", "depth")


class _Rows:
    """Where the rows of a chunk stand, as the walk through its transcripts goes on."""

    def __init__(self) -> None:
        self.calls: list[Place] = []
        self.results: list[Place] = []
        self.steps: list[Place] = []
        self.updates: list[Place] = []
        self._document = -1
        self._calls_before = self._results_before = 0

    def begin(self, document: int) -> None:
        """Number calls and results from 0, where this entry is of another conversation than the one before."""
        if document != self._document:
            self._document, self._calls_before, self._results_before = document, len(self.calls), len(self.results)

    def add_calls(self, calls: Any, nesting: Keys) -> None:
        for call in calls or ():
            if call is not None:
                self.calls.append(((self._document, len(self.calls) - self._calls_before, *nesting), call))

    def add_results(self, results: Any, nesting: Keys) -> None:
        for result in results or ():
            if result is None:
                continue
            index = len(self.results) - self._results_before
            self.results.append(((self._document, index, *nesting), result))
            for place, update in enumerate(result.dynamic_variable_updates or ()):
                if update is not None:
                    self.updates.append(((self._document, index, place), update))
            if result.result is not None and result.result.steps:
                self.add_steps(index, result, nesting)

    def add_steps(self, index: int, result: Any, nesting: Keys) -> None:
        turn_index, _, depth = nesting
        below = (turn_index, result.request_id, depth + 1)
        for place, step in enumerate(result.result.steps):
            if step is None:
                continue
            extra: dict[str, Any] = {}
            calls = [read_nested(_CALL, call, f"requests[{n}]", extra) for n, call in enumerate(step.requests or ())]
            results = [read_nested(_RESULT, each, f"results[{n}]", extra) for n, each in enumerate(step.results or ())]
            if extra:  # elements that are no calls and no results
                setattr(step, EXTRA, json_text({**json.loads(getattr(step, EXTRA) or "{}"), **extra}))
            self.steps.append(((self._document, index, place), step))
            self.add_calls(calls, below)
            self.add_results(results, below)


def columns(chunk: ParsedBatch) -> list[tuple[Table, Columns]]:
    """Columns of the four tables for a chunk."""
    made = _Rows()
    for document, turn_index, turn in chunk.values_at("transcript[]"):
        if turn.tool_calls or turn.tool_results:
            made.begin(document)
            made.add_calls(turn.tool_calls, (turn_index, None, 0))
            made.add_results(turn.tool_results, (turn_index, None, 0))
    return [
        (tool_calls.TOOL_CALLS, _columns(("call_index", *_NESTING), made.calls, _call_values)),
        (tool_calls.TOOL_RESULTS, _columns(("result_index", *_NESTING), made.results, _result_values)),
        (tool_calls.WORKFLOW_STEPS, _columns(("result_index", "step_index"), made.steps, _step_values)),
        (
            tool_calls.DYNAMIC_VARIABLE_UPDATES,
            _columns(("result_index", "update_index"), made.updates, _update_values),
        ),
    ]


def _columns(names: Sequence[str], places: Sequence[Place], values: PathExtractor) -> Columns:
    if not places:
        return {}
    keys, structs = zip(*places, strict=True)
    return dict(zip((DOCUMENT, *names), zip(*keys, strict=True), strict=True)) | values(structs)
