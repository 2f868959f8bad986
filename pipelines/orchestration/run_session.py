"""What every asset does around its step: lock the home folder, keep the run records, report errors in one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg

from pipelines.usecases.context import Context
from pipelines.usecases.run_session import run_session
from warehouse.errors import ConvohouseError


@contextmanager
def errors_as_failures() -> Iterator[None]:
    """Report an error in one line.

    Raises:
        dagster.Failure: a ``ConvohouseError``, as one line that says what to do. Dagster does not retry it, because
            the API client has already retried what can be, and a lock that is held needs a person to look.
    """
    try:
        yield
    except ConvohouseError as error:
        raise dg.Failure(str(error), allow_retries=False) from None


@contextmanager
def step_session(app_context: Context, run_id: str, what: str) -> Iterator[tuple[Context, ...]]:
    """Hold the lock of the home folder for one step of a run; yields the workspaces.

    Raises:
        dagster.Failure: see ``errors_as_failures``.
    """
    warn = dg.get_dagster_logger().warning
    with errors_as_failures(), run_session(app_context, run_id, what, warn=warn) as workspaces:
        yield workspaces


def fail_if(problems: Sequence[str]) -> None:
    """Fail the step if there are problems; call it after every result is yielded, so that Dagster has them.

    Raises:
        dagster.Failure: names every problem.
    """
    if problems:
        raise dg.Failure("\n".join(problems), allow_retries=False)
