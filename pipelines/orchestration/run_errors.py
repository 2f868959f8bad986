"""Why a run failed, in one line per problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import dagster as dg


def failure_lines(events: Iterable[dg.DagsterEvent]) -> Iterator[str]:
    """Why a run failed, one line per problem; an unexpected exception is reduced to its root cause."""
    for event in events:
        if event.event_type == dg.DagsterEventType.RUN_FAILURE:
            if not getattr(event.event_specific_data, "first_step_failure_event", None):  # no step says why
                yield event.message or "The run failed."
            continue
        if not event.is_step_failure:
            continue
        failure = event.step_failure_data
        if failure.user_failure_data and failure.user_failure_data.description:
            yield from failure.user_failure_data.description.splitlines()
        elif cause := failure.error:
            while cause.cause:
                cause = cause.cause
            yield cause.message.strip()
