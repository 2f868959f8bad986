"""Publish tables to the targets that the user names, and bring erasures and redactions to every target there is.

What is published is what the landing has: lake and warehouse are brought up to date first, so that all tables agree.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

import duckdb
import msgspec
import pyarrow as pa

from pipelines.errors import UsageError
from pipelines.settings import Settings
from pipelines.transform.refresh_lake import refresh_lake
from pipelines.usecases.context import Context, Progress, no_progress
from pipelines.usecases.run_session import describe_failed_check, repair
from pipelines.usecases.sync_steps import build_models
from warehouse.connection import MISSING_RELATION, connect, other_version_error, require_build
from warehouse.errors import ConvohouseError, MissingPackageError, ModelError, PublishError
from warehouse.models.project import SQL_DIR, read_project
from warehouse.publish import record
from warehouse.publish.record import RecordedTarget
from warehouse.publish.source import SCHEMAS, Source, select_tables, table_names
from warehouse.publish.target import CSV, DEFAULT_SELECTION, DELTA, PARQUET, POSTGRES, Outcome, Publication, Target
from warehouse.storage.erasure import purge
from warehouse.storage.home import Home
from warehouse.suggestions import did_you_mean, suggest

MODULES = {DELTA: "delta", POSTGRES: "postgres", PARQUET: "files", CSV: "files"}
EXTRAS = {"deltalake": "publish", "adbc_driver_postgresql": "postgres", "adbc_driver_manager": "postgres"}
"""The extra of the package that has a library, by the module that is missing."""


@dataclass(frozen=True, slots=True)
class Job:
    """A target, and the tables and schemas that were chosen for it."""

    target: Target
    selection: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What was done at a target; ``problem`` says why it could not be brought up to date, with a hint.

    ``exit_code`` is that of the problem. One that ``is_lost`` is no longer in the record: it is not tried again by
    itself.
    """

    target: str
    format: str
    tables: tuple[Outcome, ...]
    problem: str | None = None
    is_lost: bool = False
    exit_code: int = 0


def choose_jobs(
    context: Context, name: str | None = None, *, format_: str | None = None, selection: Sequence[str] = ()
) -> tuple[Job, ...]:
    """The targets that a user means: by a name of the settings, by path or URL, or all of the settings and the record.

    What is not chosen now is as the settings say, else as at the last publication to that target, else the default.

    Raises:
        UsageError: it is not a target, or looks like a misspelt name of one; or a table does not exist.
    """
    settings = context.settings
    if name is not None and name not in settings.publish:
        similar = [] if "/" in name or Path(name).exists() else suggest(name, settings.publish)
        if similar:
            hint = f"{did_you_mean(similar)}To publish to a new folder of that name, write ./{name}."
            raise UsageError(f"convohouse.toml has no target {name!r}.", hint)
        return (_job(context, name, format_, tuple(selection)),)
    names = list(settings.publish) if name is None else [name]
    jobs = [
        _job(context, config.target, format_ or config.format, tuple(selection) or config.tables)
        for config in map(settings.publish.__getitem__, names)
    ]
    if name is None:
        targets = {(job.target.url, job.target.format) for job in jobs}
        jobs += [
            _recorded_job(settings, recorded)
            for recorded in record.read_targets(context.home)
            if recorded.identity not in targets
        ]
    if not jobs:
        if lost := record.lost_targets(context.home):
            raise UsageError(f"{lost[0].url} is lost.", _describe_lost(lost[0]))
        raise UsageError(
            "There is no target: nothing was published before, and convohouse.toml names none.",
            "Name one: a folder, s3://bucket/folder or postgresql://host/database.",
        )
    return tuple(jobs)


def forget(context: Context, name: str, format_: str | None = None) -> bool:
    """Remove a target from the record: no erasure reaches it any more; whether it was there.

    Raises:
        UsageError: it is not a target.
        LockedError: see ``Context.write_lock``.
    """
    (job,) = choose_jobs(context, name, format_=format_)
    with context.write_lock("publish"):
        return record.forget_target(context.home, job.target.url, job.target.format)


def publish(
    context: Context, jobs: Sequence[Job], *, is_dry_run: bool = False, progress: Progress = no_progress
) -> tuple[TargetResult, ...]:
    """Publish to targets, then to all others that may still have what was erased or redacted.

    A target that fails does not stop the others. A dry run compares the targets with lake and warehouse as they are.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        ModelError: the warehouse could not be brought up to date; nothing was published.
        LockedError: see ``Context.write_lock``.
    """
    home = context.home
    require_build(home)
    with context.write_lock("publish"):
        if not is_dry_run:
            _bring_up_to_date(context, progress)
        results = [_publish_to(context, job, progress, is_dry_run=is_dry_run) for job in jobs]
        targets = {(job.target.url, job.target.format) for job in jobs}
        if not is_dry_run:
            results += publish_pending(context, progress, except_targets=targets)
    return tuple(results)


def publish_pending(
    context: Context, progress: Progress, except_targets: Iterable[tuple[str, str]] = ()
) -> list[TargetResult]:
    """Publish to the targets that may still have what was erased or redacted, except some.

    The caller holds the lock, and has built the warehouse. A lost target is a result with a problem.
    """
    excepted = set(except_targets)
    results = [
        _publish_to(context, _recorded_job(context.settings, recorded), progress)
        for recorded in record.pending_targets(context.home)
        if recorded.identity not in excepted
    ]
    lost = (target for target in record.pending_lost_targets(context.home) if target.identity not in excepted)
    return results + [
        TargetResult(target.url, target.format, (), _describe_lost(target), is_lost=True, exit_code=1)
        for target in lost
    ]


def _describe_lost(target: RecordedTarget) -> str:
    command = f"convohouse publish {shlex.quote(target.url)} --format {target.format}"
    command = command.removesuffix(f" --format {POSTGRES}")
    return f"It is no longer in published.json. `{command}` reaches it again; with --forget, it is named no more."


def _bring_up_to_date(context: Context, progress: Progress) -> None:
    """Finish what a run that was cut short has left, and repair the lake: it and the warehouse show what has landed.

    Raises:
        ModelError: a check failed, or the build did.
    """
    workspaces = context.workspaces_with_data()
    for workspace in workspaces:
        repair(workspace)
    purge(context.home.all_workspaces)  # also of what was set aside
    for workspace in workspaces:
        refresh_lake(workspace.home, reread_days=workspace.settings.reread_days)
    build = build_models(context, progress)
    if build.failed:
        checks = "; ".join(map(describe_failed_check, build.failed))
        raise ModelError(f"Nothing was published: {checks}", "`convohouse check` shows the rows.")


def _publish_to(context: Context, job: Job, progress: Progress, *, is_dry_run: bool = False) -> TargetResult:
    target, home = job.target, context.home
    try:
        outcomes = _publish(context, job, progress, is_dry_run=is_dry_run)
    except ConvohouseError as error:
        problem, exit_code = str(error), error.exit_code
    except MISSING_RELATION as error:
        problem, exit_code = str(other_version_error(home, error)), 2
    except (pa.ArrowException, duckdb.Error) as error:
        problem, exit_code = (
            f"The tables of {home.root} cannot be read: {type(error).__name__}. `convohouse check --deep` says why.",
            1,
        )
    else:
        return TargetResult(target.url, target.format, tuple(outcomes))
    if not is_dry_run:
        record.put_problem(home, target.url, target.format, problem, context.clock())
    return TargetResult(target.url, target.format, (), problem, exit_code=exit_code)


def _publish(context: Context, job: Job, progress: Progress, *, is_dry_run: bool) -> list[Outcome]:
    home, target = context.home, job.target
    module = _module(target.format)
    _refuse_home(home, target)
    removed = record.removed_fingerprint(home)
    before = record.find_target(home, target.url, target.format)
    former = before.tables if before else ()
    with ExitStack() as stack:
        connection = stack.enter_context(connect(home.warehouse, temporary=home.temporary))
        source = Source(connection, home, read_project(SQL_DIR, home.seeds))
        all_names = source.names()
        # a table of an earlier version that is no longer there is removed at the target, and no erasure fails for it
        names = select_tables(all_names, [name for name in job.selection if name in (*all_names, *SCHEMAS)])
        tables = tuple(source.table(name) for name in names)
        publication = Publication(
            tables,
            context.clock(),
            home.temporary,
            former,
            former if before is not None and before.published_at is not None else (),
            purges=before is not None and before.removed != removed,
            is_dry_run=is_dry_run,
        )
        module.check(target, publication)
        entry = before or RecordedTarget(target.url, target.format, job.selection)
        if not is_dry_run:
            record.put_target(home, msgspec.structs.replace(entry, tables=tuple(sorted({*former, *names}))))
        report: Callable[[int, int], None] = partial(progress, "publish")
        outcomes: list[Outcome] = module.publish(target, source, publication, report)
    if not is_dry_run:
        entry = RecordedTarget(target.url, target.format, job.selection, names, removed, context.clock())
        record.put_target(home, entry)
    return outcomes


def _module(format_: str) -> ModuleType:
    """The module that writes a format.

    Raises:
        MissingPackageError: its library is not installed.
    """
    try:
        return import_module(f"warehouse.publish.{MODULES[format_]}")
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        raise MissingPackageError(str(error.name), extra=extra) from None


def _refuse_home(home: Home, target: Target) -> None:
    """Refuse a folder in which the home's files are, or that is in the home.

    Raises:
        PublishError: it is one.
    """
    if not target.is_local:
        return
    root, folder = home.root.resolve(), target.folder.resolve()
    if root == folder or root in folder.parents:
        raise PublishError(f"{folder} is in the home folder {root}.", "Choose a folder outside.")


def _job(context: Context, text: str, format_: str | None, selection: tuple[str, ...]) -> Job:
    settings = context.settings
    try:
        target = record.named_target(context.home, text, format_)
    except ValueError as error:
        raise UsageError(f"The target cannot be used: {error}.", "`convohouse publish --help` has examples.") from None
    before = record.find_target(context.home, target.url, target.format)
    names = table_names(read_project(SQL_DIR, context.home.seeds))
    try:
        select_tables(names, selection)
    except KeyError as error:
        hint = did_you_mean(suggest(str(error.args[0]), names))
        raise UsageError(
            f"There is no table {error.args[0]} to publish.", f"{hint}Schemas: lake, marts, metrics."
        ) from None
    selection = selection or (before.selection if before else ()) or DEFAULT_SELECTION[target.format]
    return Job(_with_options(settings, target), selection)


def _recorded_job(settings: Settings, recorded: RecordedTarget) -> Job:
    return Job(_with_options(settings, Target(recorded.url, recorded.format)), recorded.selection)


def _with_options(settings: Settings, target: Target) -> Target:
    """The target with its credentials: those of the settings for its URL, else those for all."""
    credentials = settings.publish_credentials
    for config in settings.publish.values():
        if config.credentials and config.parsed().url == target.url:
            credentials = config.credentials
    return Target(target.url, target.format, {name: value.get_secret_value() for name, value in credentials.items()})
