"""Build all models on an engine, from one lake or several, into a new folder that becomes current at the end.

The folder of the target has ``current.json``, which names the build that readers take, and a folder per build below
``builds/``. A build that is killed or fails a check leaves ``current.json`` as it is.
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.schema, none from a user

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from warehouse.engines.engine import BEFORE, Engine
from warehouse.engines.state import (
    BUILDS,
    Staleness,
    build_folder,
    lake_fingerprints,
    on_days,
    project_fingerprints,
    staleness,
    write_document,
)
from warehouse.engines.storage import list_folders, read_text, remove_folder, write_text
from warehouse.errors import EngineError
from warehouse.models.build_tables import (
    AGENT_NAMES,
    METRIC_HEADERS,
    WORKSPACES,
    metric_header_rows,
    workspace_rows,
)
from warehouse.models.checks import SAMPLE_ROWS, Check, CheckResult, group_by_scan
from warehouse.models.column_types import column_types
from warehouse.models.data_quality import all_checks
from warehouse.models.project import Project
from warehouse.models.staleness import is_on
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import AGENTS, DELETIONS
from warehouse.schema.registry import TABLES
from warehouse.storage.fingerprint import digest

AGENT_NAMES_SQL = f"select workspace, agent_id, agent_name from lake.{AGENTS.name} order by workspace, agent_id"
REMOVALS_SQL = f"select * from lake.{DELETIONS.name} order by workspace, conversation_id"
CURRENT = "current.json"
Progress = Callable[[str, int, int], None]
"""Called with a model (or ``checks``), its number and the number of all."""


@dataclass(frozen=True, slots=True)
class EngineBuild:
    """A finished build: the folder by qualified name of each table, and the results of the checks.

    Tables that were ``reused`` are those of the build before. It ``is_current`` if every check passed, and readers take
    it from now on.
    """

    build_id: str
    folders: dict[str, str]
    reused: tuple[str, ...]
    checks: tuple[CheckResult, ...]
    is_current: bool

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """Results of the checks that did not pass."""
        return tuple(result for result in self.checks if not result.is_passed)


def build_tables(
    engine: Engine,
    project: Project,
    *,
    lakes: Sequence[str],
    into: str,
    build_id: str,
    zones: Mapping[str, str],
    progress: Progress,
    full_refresh: bool = False,
) -> EngineBuild:
    """Build and check every model, then name the build as the current one and remove what only older ones have.

    A table that cannot have changed since the current build is taken over from it, and of an incremental model only the
    days that can differ are computed again (``warehouse.engines.state``).

    Args:
        engine: The engine.
        project: The models.
        lakes: Folders or URLs of lakes, which have no conversation in common.
        into: Folder or URL of the target.
        build_id: A name that no other build has.
        zones: IANA time zone by workspace.
        progress: Called before each model.
        full_refresh: Take over nothing.

    Raises:
        EngineError: a model or a check failed, or two lakes have the same conversation; the current build stays.
    """
    types, target = column_types(project), into.rstrip("/")
    lake_inputs = lake_fingerprints(lakes)  # before they are read: what changes meanwhile is stale for the next build
    for table in TABLES:
        engine.read_lake(table, lakes)
    _check_ids(engine)
    removals = digest(map(repr, engine.query(REMOVALS_SQL)))
    loaded_rows = {
        METRIC_HEADERS.key: metric_header_rows((model.key, model.header) for model in project.models),
        WORKSPACES.key: workspace_rows(zones),
        AGENT_NAMES.key: AGENT_NAMES.frame(engine.query(AGENT_NAMES_SQL)),
    }
    for key, rows in [(seed.key, seed.rows) for seed in project.seeds] + [*loaded_rows.items()]:
        engine.load(key, rows)
    inputs = lake_inputs and lake_inputs | project_fingerprints(project, loaded_rows, engine.name, *lakes)
    current_build = None if full_refresh else _current(target).get("build")
    stale = staleness(target, current_build, project, inputs)
    folders, reused = dict[str, str](), list[str]()
    for number, model in enumerate(project.models, 1):
        progress(model.key, number, len(project.models))
        days = stale.days(model)
        if model.is_view:
            engine.materialize(model, types[model.key], None)
        elif days is not None and not days:
            folders[model.key] = stale.folders[model.key]
            engine.read_table(model.key, types[model.key], f"{target}/{folders[model.key]}")
            reused.append(model.key)
        else:
            folders[model.key] = f"{build_folder(build_id)}/{model.schema}/{model.name}"
            unchanged_rows = ""
            if days is not None:
                before = f"{BEFORE}.{model.schema}_{model.name}"
                engine.read_table(before, types[model.key], f"{target}/{stale.folders[model.key]}")
                unchanged_rows = f"select * from {before} where not {is_on(days)}"
                model = replace(model, sql=on_days(model.sql, stale.with_days, days))  # noqa: PLW2901 - same model
            engine.materialize(model, types[model.key], f"{target}/{folders[model.key]}", unchanged_rows=unchanged_rows)
    checks = run_checks(engine, all_checks(project), progress, stale)
    is_current = all(result.is_passed for result in checks)
    if is_current:
        write_document(target, build_id, inputs, folders)
        _make_current(target, build_id, folders, removals)
    return EngineBuild(build_id, folders, tuple(reused), checks, is_current)


def _check_ids(engine: Engine) -> None:
    """Each conversation is in one lake, or every number would count it twice."""
    sql = (
        "select conversation_id, min(workspace) as first_workspace, max(workspace) as last_workspace "
        f"from lake.{CONVERSATIONS.name} group by conversation_id having count(*) > 1 order by conversation_id limit 1"
    )
    for row in engine.query(sql):
        raise EngineError(
            f"Conversation {row['conversation_id']} exists twice, in the workspaces {row['first_workspace']} and "
            f"{row['last_workspace']}.",
            "Two of the lakes have the same conversations: name each lake only once, and give shards different agents.",
        )


def run_checks(
    engine: Engine, checks: Iterable[Check], progress: Progress, stale: Staleness
) -> tuple[CheckResult, ...]:
    """Results of the checks, in any order; a check that reads only what is unchanged is not run.

    Raises:
        EngineError: a check cannot be run; it is named.
    """
    results: list[CheckResult] = []
    stale_checks: list[Check] = []
    for check in checks:
        if stale.is_unchanged((check.model, *check.also_reads)):
            results.append(CheckResult.reused(check))
        else:
            stale_checks.append(check)
    scans = group_by_scan(stale_checks)
    for number, scan in enumerate(scans, 1):
        progress("checks", number, len(scans))
        results += _scan(engine, scan)
    return tuple(results)


def _scan(engine: Engine, checks: Sequence[Check]) -> list[CheckResult]:
    """Results of the checks of one scan; only a check that does not pass is run again for its failing rows."""
    passes: Sequence[bool] = [False for _ in checks]
    if checks[0].passes_when:
        with suppress(EngineError):  # below, each check runs alone, so the error names the one that is wrong
            aggregates = ", ".join(f"{check.passes_when} as check_{n}" for n, check in enumerate(checks))
            (row,) = engine.query(f"select {aggregates} from {checks[0].model}")
            passes = [bool(value) for value in row.values()]
    return [
        CheckResult(check, 0, ()) if is_passed else _run_one(engine, check)
        for check, is_passed in zip(checks, passes, strict=True)
    ]


def _run_one(engine: Engine, check: Check) -> CheckResult:
    try:
        (count,) = engine.query(f"select count(*) as n_failing from ({check.sql}) as failing")
        if not count["n_failing"]:
            return CheckResult(check, 0, ())
        rows = engine.query(f"select * from ({check.sql}) as failing limit {SAMPLE_ROWS}")
    except EngineError as error:
        raise EngineError(f"Check {check.name} of {check.model} cannot be run: {error.message}", error.hint) from error
    samples = tuple({name: None if value is None else str(value) for name, value in row.items()} for row in rows)
    return CheckResult(check, int(count["n_failing"]), samples)


def _current(target: str) -> dict[str, Any]:
    return dict(json.loads(read_text(target, CURRENT) or "{}"))


def _make_current(target: str, build_id: str, folders: Mapping[str, str], removals: str) -> None:
    """Name the build as the current one, and remove the tables of other builds, also of those that failed.

    What the build before has stays for its readers, unless conversations were removed since: it may have their words.
    """
    before = _current(target)
    has_removed = before.get("removals") != removals
    previous = None if has_removed else before.get("build")
    document = {"build": build_id, "previous_build": previous, "removals": removals, "tables": folders}
    write_text(target, CURRENT, json.dumps(document, indent=2))
    used_folders = {build_folder(build_id), *folders.values()}
    if previous is not None:
        used_folders |= {build_folder(previous), *before["tables"].values()}
    for build in list_folders(f"{target}/{BUILDS}"):
        of_build = f"{BUILDS}/{build}"
        if of_build in used_folders:
            continue
        if not any(name.startswith(f"{of_build}/") for name in used_folders):
            remove_folder(f"{target}/{of_build}")
            continue
        for schema in list_folders(f"{target}/{of_build}"):
            for table in list_folders(f"{target}/{of_build}/{schema}"):
                if f"{of_build}/{schema}/{table}" not in used_folders:
                    remove_folder(f"{target}/{of_build}/{schema}/{table}")
