"""A run over all workspaces of a home: one lock, one run record per workspace, and no outage that stops the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import starmap
from typing import TypeVar

from pipelines.errors import ApiError, WorkspaceError
from pipelines.extract import run_log
from pipelines.usecases.context import Context
from pipelines.usecases.masking_state import changed_masking, require_hidden, start_masking
from warehouse.errors import ConvohouseError
from warehouse.models.checks import CheckResult
from warehouse.models.data_quality import COMPLETENESS, NOTHING_IN_QUARANTINE, check_complete
from warehouse.schema.operations import QUARANTINE
from warehouse.storage import damage, lake
from warehouse.storage.erasure import purge, write_tombstones
from warehouse.storage.landing_merge import merge

T = TypeVar("T")


def no_warning(text: str) -> None:
    """A ``warn`` that is not shown."""


@contextmanager
def run_session(
    context: Context, run_id: str, what: str, *, is_offline: bool = False, warn: Callable[[str], None] = no_warning
) -> Iterator[tuple[Context, ...]]:
    """Hold the lock of the home folder during a run or one step of it, and keep the run record of each workspace.

    Yields the configured workspaces; if ``is_offline``, also those that only have data. An exception ends the records
    as failed. A record that does not exist yet is started here, because Dagster can run any single step as a run.
    ``warn`` is called with each damaged file, which this run fetches or flattens again; if it ``is_offline``, every
    value of every file is read to find them. Otherwise it is also called, once a run, if the masking has changed.

    Raises:
        HomeError: see ``Context.write_lock``.
        LockedError: see ``Context.write_lock``; the run records are not touched.
        SettingsError: see ``Context.workspaces`` and, unless it ``is_offline``, ``require_hidden``.
    """
    if not is_offline:
        require_hidden(context)
    workspaces = context.workspaces_with_data() if is_offline else context.workspaces()
    with context.write_lock(what):
        for workspace in workspaces:
            repair(workspace, warn, is_deep=is_offline)
        start_masking(context)
        if not is_offline and not any(run_log.is_started(workspace.home, run_id) for workspace in workspaces):
            for warning in changed_masking(context):
                warn(warning)
        purge(context.home.all_workspaces)  # an erasure that was interrupted is finished by the next writer
        for workspace in workspaces:
            merge(workspace.home)
            if not run_log.is_started(workspace.home, run_id):
                run_log.start_run(workspace.home, run_id, at=workspace.clock(), window=None)
        try:
            yield workspaces
        except BaseException as error:  # also Ctrl-C: the record has to say that the run did not end
            for workspace in workspaces:
                _fail(workspace, run_id, error)
            raise


def repair(workspace: Context, warn: Callable[[str], None] = no_warning, *, is_deep: bool = False) -> None:
    """Rebuild or set aside damaged files, before the lake is refreshed from the landing; the caller holds the lock.

    ``warn`` is called with each of them.
    """
    home = workspace.home
    problems = damage.repair(home, workspace.clock(), is_deep=is_deep)
    for problem in problems:
        warn(problem)
    if home.damaged.exists():
        write_tombstones(home, damage.lost_tombstones(home), workspace.clock())


def for_each_workspace(
    workspaces: Sequence[Context], run_id: str, step: Callable[[Context], T], *, includes_failed: bool = False
) -> dict[str, T]:
    """Do a step for each workspace; an API error ends the run record of its workspace, and the others continue.

    So does a workspace that cannot be copied as it is. A workspace whose record an earlier step of the run ended as
    failed is skipped, unless ``includes_failed``.

    Returns:
        The result of the step by name of the workspace, without those that failed or were skipped.

    Raises:
        ApiError: every workspace failed.
        WorkspaceError: likewise.
    """
    results: dict[str, T] = {}
    errors: list[ApiError | WorkspaceError] = []
    for workspace in workspaces:
        if not includes_failed and run_log.failure_of(workspace.home, run_id):
            continue
        try:
            results[workspace.settings.workspace] = step(workspace)
        except (ApiError, WorkspaceError) as error:
            _fail(workspace, run_id, error)
            errors.append(error)
    if errors and not results:
        raise errors[-1]
    return results


def end_copy(workspaces: Sequence[Context], run_id: str, *, names_unread: bool = False) -> dict[str, tuple[str, ...]]:
    """Note in the run records how far the listings go, where all that was listed is in the lake.

    To be called before the build, so that ``metrics.sync_health`` says how fresh the warehouse is of which it is part.
    Readers of the run records count that time only once the run has ended, with a warehouse that has it.

    Args:
        workspaces: The workspaces of the run.
        run_id: The run.
        names_unread: Whether what could not be fetched is a problem besides what is in quarantine.

    Returns:
        What is missing, by name of the workspace, for ``finish_runs``.
    """
    problems: dict[str, tuple[str, ...]] = {}
    for workspace in workspaces:
        failure = run_log.failure_of(workspace.home, run_id)
        n_unread = run_log.n_unread(workspace.home, run_id) if names_unread else 0
        missing_texts = (
            describe_failed_check(result)
            for result in check_complete(workspace.home)
            if not result.is_passed and result.check is not NOTHING_IN_QUARANTINE
        )
        unread = [f"Conversations that could not be fetched: {n_unread}."] if n_unread else []
        copy_problems = (*([failure] if failure else []), *unread, *missing_texts)
        if not copy_problems:
            run_log.note_listings(workspace.home, run_id, at=workspace.clock())
        problems[workspace.settings.workspace] = copy_problems
    return problems


def finish_runs(
    workspaces: Sequence[Context],
    run_id: str,
    copy_problems: Mapping[str, Sequence[str]],
    shared_problems: Iterable[str] = (),
    *,
    is_built: bool,
) -> tuple[str, ...]:
    """End the run records: complete if everything listed is in the lake, nothing is in quarantine and all is well.

    Args:
        workspaces: The workspaces of the run.
        run_id: The run.
        copy_problems: What ``end_copy`` returned.
        shared_problems: Problems of all workspaces, such as a failed check of the warehouse.
        is_built: Whether the current warehouse has what was copied; otherwise the run is not fresh.

    Returns:
        Every problem: those of single workspaces (named if there are several), then the shared ones. Each item in
        quarantine is one, by its id and with the reason.
    """
    shared_problems = tuple(shared_problems)
    problems: list[str] = []
    for workspace in workspaces:
        name = workspace.settings.workspace
        failure = run_log.failure_of(workspace.home, run_id)
        quarantine = lake.read(workspace.home, QUARANTINE, ["conversation_id", "error"])
        workspace_problems = (*copy_problems[name], *starmap(_describe_quarantined, quarantine.rows()))
        record_problems = (*workspace_problems, *shared_problems)
        outcome = "failed" if failure else "incomplete" if record_problems else "complete"
        error = "; ".join(record_problems) or None
        run_log.finish_run(
            workspace.home,
            run_id,
            at=workspace.clock(),
            outcome=outcome,
            error=error,
            is_fresh=is_built and not copy_problems[name],
            n_quarantined=quarantine.height,
        )
        if len(workspaces) == 1:
            problems += workspace_problems
        else:
            problems += [f"{name}: {problem}" for problem in workspace_problems]
    return (*problems, *shared_problems)


def _describe_quarantined(item_id: str, error: str) -> str:
    """One line on an item that was quarantined; it always names the item."""
    return error if item_id in error else f"{item_id}: {error}"


def describe_failed_check(result: CheckResult) -> str:
    """One line on a failed check; of its rows only ids of conversations, because rows hold what people said."""
    check = result.check
    ids = [str(row["conversation_id"]) for row in result.sample_rows] if check in COMPLETENESS else []
    examples = f", such as {', '.join(ids)}" if ids else ""
    return f"{check.name} failed in {check.model}: {check.description} Failing rows: {result.n_failing}{examples}."


def _fail(workspace: Context, run_id: str, error: BaseException) -> None:
    # the text of a foreign exception may quote data, so only its type goes into the record, or what the system says
    match error:
        case ConvohouseError():
            text = str(error)
        case OSError(errno=int(number)):
            text = os.strerror(number)
        case _:
            text = type(error).__name__
    run_log.finish_run(workspace.home, run_id, at=workspace.clock(), outcome="failed", error=text)
