"""How an asset does its work: with the home folder held, the run's account kept, and errors said in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import dagster as dg

from pipelines.extract import run_log
from pipelines.usecases.context import Context
from pipelines.usecases.run_session import describe_failed_check, finish_runs, run_session
from warehouse.errors import ConvohouseError
from warehouse.models.checks import CheckResult


@contextmanager
def step_session(workspace_context: Context, run_id: str, what: str) -> Iterator[tuple[Context, ...]]:
    """Hold the home folder for one step of a run; gives the workspace_context of each workspace.

    Raises:
        dagster.Failure: our own error, as one line that says what to do. It is not tried again: the client has tried
            what can be tried, and who holds a lock is for a person to see.
    """
    try:
        with run_session(workspace_context, run_id, what) as workspace_contexts:
            yield workspace_contexts
    except ConvohouseError as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def finish_run(workspace_contexts: Sequence[Context], run_id: str, failed: Iterable[CheckResult]) -> tuple[str, ...]:
    """Close the run's accounts in its last step; gives all that is amiss."""
    unread = {}
    for each in workspace_contexts:
        if n_unread := run_log.n_unread(each.home, run_id):
            unread[each.settings.workspace] = [f"Conversations that could not be read: {n_unread}."]
    return finish_runs(workspace_contexts, run_id, map(describe_failed_check, failed), unread)


def fail_if(problems: Sequence[str]) -> None:
    """End the run as failed when something is amiss, after all that is right was kept.

    Raises:
        dagster.Failure: names every problem.
    """
    if problems:
        raise dg.Failure("\n".join(problems), allow_retries=False)
