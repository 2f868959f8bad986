"""Tool calls, results, workflow steps and variable updates of one conversation, nested ones included.

A workflow result holds steps, and a step holds calls and results again, to any depth. Calls and results are numbered
through the conversation in the order of the transcript; ``parent_request_id`` and ``depth`` say what holds a nested
one.
"""

from __future__ import annotations

import json
from typing import Any

from pipelines.flatten.decode import read_nested
from pipelines.flatten.lenient import text_of
from pipelines.flatten.shape import EXTRA, object_at
from pipelines.flatten.walk import Keys, projection
from warehouse import tables

_CALL = object_at(tables.TOOL_CALLS.at[0])
_RESULT = object_at(tables.TOOL_RESULTS.at[0])
_call_values = projection(tables.TOOL_CALLS)
_result_values = projection(tables.TOOL_RESULTS)
_step_values = projection(tables.WORKFLOW_STEPS)
_update_values = projection(tables.DYNAMIC_VARIABLE_UPDATES)

_NESTING = ("turn_index", "parent_request_id", "depth")

COLUMNS = (
    (tables.TOOL_CALLS, ("call_index", *_NESTING, *_call_values.names)),
    (tables.TOOL_RESULTS, ("result_index", *_NESTING, *_result_values.names)),
    (tables.WORKFLOW_STEPS, ("result_index", "step_index", *_step_values.names)),
    (tables.DYNAMIC_VARIABLE_UPDATES, ("result_index", "update_index", *_update_values.names)),
)
"""The tables made here, with the order of their values."""


class _Rows:
    """The rows of one conversation, as the walk through its transcript goes on."""

    def __init__(self) -> None:
        self.calls: list[Keys] = []
        self.results: list[Keys] = []
        self.steps: list[Keys] = []
        self.updates: list[Keys] = []

    def add_calls(self, calls: Any, nesting: Keys) -> None:
        for call in calls or ():
            if call is not None:
                self.calls.append((len(self.calls), *nesting, *_call_values(call)))

    def add_results(self, results: Any, nesting: Keys) -> None:
        for result in results or ():
            if result is None:
                continue
            index = len(self.results)
            self.results.append((index, *nesting, *_result_values(result)))
            for place, update in enumerate(result.dynamic_variable_updates or ()):
                if update is not None:
                    self.updates.append((index, place, *_update_values(update)))
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
                setattr(step, EXTRA, text_of({**json.loads(getattr(step, EXTRA) or "{}"), **extra}))
            self.steps.append((index, place, *_step_values(step)))
            self.add_calls(calls, below)
            self.add_results(results, below)


def rows(detail: Any) -> tuple[list[Keys], ...]:
    """Rows of the tables of ``COLUMNS``, in that order."""
    made = _Rows()
    for turn_index, turn in enumerate(detail.transcript or ()):
        if turn is not None:
            made.add_calls(turn.tool_calls, (turn_index, None, 0))
            made.add_results(turn.tool_results, (turn_index, None, 0))
    return made.calls, made.results, made.steps, made.updates
