"""A run over the workspaces of a home: the folder held, an account kept for each, one's outage never another's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from pipelines.errors import ApiError
from pipelines.extract import run_log
from pipelines.usecases.context import Context
from warehouse.errors import ConvohouseError
from warehouse.models.checks import CheckResult
from warehouse.models.data_quality import check_complete
from warehouse.storage.erasure import purge

T = TypeVar("T")


@contextmanager
def run_session(context: Context, run_id: str, what: str, *, is_offline: bool = False) -> Iterator[tuple[Context, ...]]:
    """Hold the home folder for a run or one step of it; its rows of ``sync_runs`` say what stopped it.

    Gives the context of each workspace that is set up; offline, of each that the home holds calls of as well. A row is
    begun where the run has none yet: a step can be all of a run.

    Raises:
        HomeError: see ``Context.write_lock``.
        LockedError: see ``Context.write_lock``; the run's rows are not touched then.
        SettingsError: see ``Context.workspaces``.
    """
    contexts = context.workspaces_with_data() if is_offline else context.workspaces()
    with context.write_lock(what):
        purge(context.home.all_workspaces)
        for each in contexts:
            if not run_log.is_started(each.home, run_id):
                run_log.start_run(each.home, run_id, at=each.clock(), window=None)
        try:
            yield contexts
        except BaseException as error:
            for each in contexts:
                _fail(each, run_id, error)
            raise


def for_each_workspace(contexts: Sequence[Context], run_id: str, step: Callable[[Context], T]) -> dict[str, T]:
    """Do a step for each workspace; one whose API cannot be had ends its own account, and the others go on.

    A workspace that an earlier step of the run ended in this way is left out.

    Returns:
        What the step gave, by workspace.

    Raises:
        ApiError: there is but one workspace, or none is left.
    """
    done: dict[str, T] = {}
    errors: list[ApiError] = []
    for each in contexts:
        if run_log.failure_of(each.home, run_id):
            continue
        try:
            done[each.settings.workspace] = step(each)
        except ApiError as error:
            if len(contexts) == 1:
                raise
            _fail(each, run_id, error)
            errors.append(error)
    if errors and not done:
        raise errors[-1]
    return done


def finish_runs(
    contexts: Sequence[Context], run_id: str, problems: Iterable[str], own: Mapping[str, Iterable[str]] | None = None
) -> tuple[str, ...]:
    """End the accounts: complete where everything listed is in the lake and nothing else is amiss.

    Args:
        contexts: The workspaces.
        run_id: The run.
        problems: What is amiss for all of them.
        own: What is amiss in one, by workspace.

    Returns:
        All that is amiss: the problems given, then what is missing.
    """
    shared = tuple(problems)
    found: list[str] = []
    for each in contexts:
        name = each.settings.workspace
        failed = run_log.failure_of(each.home, run_id)
        missing = (describe_failed_check(result) for result in check_complete(each.home) if not result.is_passed)
        mine = (*([failed] if failed else []), *(own or {}).get(name, ()), *missing)
        every = (*mine, *shared)
        outcome = "failed" if failed else "incomplete" if every else "complete"
        run_log.finish_run(each.home, run_id, at=each.clock(), outcome=outcome, error="; ".join(every) or None)
        found += mine if len(contexts) == 1 else [f"{name}: {problem}" for problem in mine]
    return (*found, *shared)


def describe_failed_check(result: CheckResult) -> str:
    """A failed check for people; it shows no row, as rows hold what people said."""
    check = result.check
    return f"{check.name} failed in {check.model}: {check.description} Failing rows: {result.n_failing}."


def _fail(context: Context, run_id: str, error: BaseException) -> None:
    said = str(error) if isinstance(error, ConvohouseError) else type(error).__name__
    run_log.finish_run(context.home, run_id, at=context.clock(), outcome="failed", error=said)
