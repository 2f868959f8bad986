"""Build all models on an engine, from one lake or several, into a new folder that becomes current at the end.

The folder of the target has ``current.json``, which names the build that readers take, and a folder per build below
``builds/``. A build that is killed or fails a check leaves ``current.json`` as it is.
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.schema, none from a user

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from warehouse.engines.engine import Engine
from warehouse.engines.storage import read_text, remove_folder, write_text
from warehouse.errors import EngineError
from warehouse.models.build_tables import (
    AGENT_NAMES,
    METRIC_HEADERS,
    WORKSPACES,
    metric_header_rows,
    workspace_rows,
)
from warehouse.models.checks import SAMPLE_ROWS, Check, CheckResult
from warehouse.models.column_types import column_types
from warehouse.models.data_quality import all_checks
from warehouse.models.project import Project
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import AGENTS
from warehouse.schema.registry import TABLES

AGENT_NAMES_SQL = f"select workspace, agent_id, agent_name from lake.{AGENTS.name} order by workspace, agent_id"
CURRENT = "current.json"
Progress = Callable[[str, int, int], None]
"""Called with a model (or ``checks``), its number and the number of all."""


@dataclass(frozen=True, slots=True)
class EngineBuild:
    """A finished build: the folder by qualified name of each table, and the results of the checks.

    It ``is_current`` if every check passed, and readers take it from now on.
    """

    build_id: str
    folders: dict[str, str]
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
) -> EngineBuild:
    """Build and check every model, then name the build as the current one and remove the one before the last.

    Args:
        engine: The engine.
        project: The models.
        lakes: Folders or URLs of lakes, which have no conversation in common.
        into: Folder or URL of the target.
        build_id: A name that no other build has.
        zones: IANA time zone by workspace.
        progress: Called before each model.

    Raises:
        EngineError: a model or a check failed, or two lakes have the same conversation; the current build stays.
    """
    types = column_types(project)
    for table in TABLES:
        engine.read_lake(table, lakes)
    _check_ids(engine)
    for seed in project.seeds:
        engine.load(seed.key, seed.rows)
    engine.load(METRIC_HEADERS.key, metric_header_rows((model.key, model.header) for model in project.models))
    engine.load(WORKSPACES.key, workspace_rows(zones))
    engine.load(AGENT_NAMES.key, AGENT_NAMES.frame(engine.query(AGENT_NAMES_SQL)))
    folders = {}
    for number, model in enumerate(project.models, 1):
        progress(model.key, number, len(project.models))
        if not model.is_view:
            folders[model.key] = f"builds/{build_id}/{model.schema}/{model.name}"
        folder = None if model.is_view else f"{into.rstrip('/')}/{folders[model.key]}"
        engine.materialize(model, types[model.key], folder)
    checks = run_checks(engine, all_checks(project), progress)
    is_current = all(result.is_passed for result in checks)
    if is_current:
        _make_current(into, build_id, folders)
    return EngineBuild(build_id, folders, checks, is_current)


def _check_ids(engine: Engine) -> None:
    """Each conversation is in one lake, or every number would count it twice."""
    sql = (
        "select conversation_id, min(workspace) as first_workspace, max(workspace) as last_workspace "
        f"from lake.{CONVERSATIONS.name} group by conversation_id having count(*) > 1 order by conversation_id limit 1"
    )
    for row in engine.query(sql):
        raise EngineError(
            f"Conversation {row['conversation_id']} is there twice, in the workspaces {row['first_workspace']} and "
            f"{row['last_workspace']}.",
            "Two of the lakes have the same conversations: give each only once, and let shards have different agents.",
        )


def run_checks(engine: Engine, checks: Iterable[Check], progress: Progress) -> tuple[CheckResult, ...]:
    """Results of the checks, those of one relation in one scan where they can be; in any order of relations.

    Raises:
        EngineError: a check cannot be run; it is named.
    """
    scans: dict[str, list[Check]] = defaultdict(list)
    for check in checks:
        scans[check.model if check.passes_when else f"{check.model} {check.name}"].append(check)
    results: list[CheckResult] = []
    for number, scan in enumerate(scans.values(), 1):
        progress("checks", number, len(scans))
        if scan[0].passes_when:
            aggregates = ", ".join(f"{check.passes_when} as check_{n}" for n, check in enumerate(scan))
            (row,) = engine.query(f"select {aggregates} from {scan[0].model}")
            is_passed = [bool(row[f"check_{n}"]) for n in range(len(scan))]
        else:
            is_passed = [False for _ in scan]
        results += [
            CheckResult(check, 0, ()) if passes else _run_one(engine, check)
            for check, passes in zip(scan, is_passed, strict=True)
        ]
    return tuple(results)


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


def _make_current(into: str, build_id: str, folders: Mapping[str, str]) -> None:
    """Name the build as the current one; the one before stays for readers that are in it, older ones are removed."""
    before = json.loads(read_text(into, CURRENT) or "{}")
    document = {"build": build_id, "previous_build": before.get("build"), "tables": folders}
    write_text(into, CURRENT, json.dumps(document, indent=2))
    older = before.get("previous_build")
    if older not in (None, build_id, before.get("build")):
        remove_folder(f"{into.rstrip('/')}/builds/{older}")
