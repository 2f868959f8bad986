"""``convohouse doctor``: is everything in place, and if not, what to do."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, emit, finish, pass_options, plural, shared, size, teach
from pipelines.errors import ApiError, SettingsError
from warehouse.errors import HomeError, ModelError

if TYPE_CHECKING:
    from pipelines.settings import Settings

LIBRARIES = ("polars", "duckdb", "pyarrow", "httpx", "msgspec", "sqlglot", "dagster")
LEAST_FREE_BYTES = 1e9
PATIENCE_SECS = 20.0
"""Time for the one question to the API: a person is waiting."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, what was found, and what to do where it is a problem."""

    name: str
    said: str
    problem: str = ""
    exit_code: int = 0


@click.command(
    epilog=teach(
        {"convohouse doctor": "everything", "convohouse doctor --offline": "without the API"},
        {0: "all is in place", 1: "a problem on this machine", 3: "the API or its key"},
    )
)
@click.option("--offline", is_flag=True, help="Do not ask the API.")
@shared
@pass_options
def doctor(options: Options, offline: bool) -> None:
    """Say whether all is in place, and if not, what to do.

    Looks at the settings, the home folder, your own seeds, the disk, the API and the libraries. Nothing is changed.
    The key is never shown, not even a part of it. The API is asked for one row of the list.
    """
    from pipelines import settings as sources

    origins = sources.origins()
    if options.home is not None:
        origins["home"] = "--home"
    try:
        settings = options.settings()
    except SettingsError as error:
        given = ", ".join(f"{name} ({source})" for name, source in sorted(origins.items()))
        findings = [Finding("settings", error.message, f"Correct it; these are set: {given}.", 1)]
    else:
        findings = [*_settings(settings, origins), *_home(settings.home), _seeds(settings.home)]
        for each in settings.workspace_settings():
            key = "[workspaces]" if settings.workspaces else origins.get("api_key", "default")
            findings += _workspace(each, key, is_offline=offline, is_one_of_several=bool(settings.workspaces))
    findings += _libraries()
    code = max((finding.exit_code for finding in findings), default=0)
    if options.is_json:
        emit({"is_ok": code == 0, "findings": [asdict(finding) for finding in findings]})
    else:
        click.echo(_text(findings))
        n_problems = sum(bool(finding.problem) for finding in findings)
        options.say(f"\n{'All is in place.' if not n_problems else f'Problems: {n_problems}.'}")
    finish(code)


def _settings(settings: Settings, origins: dict[str, str]) -> Iterator[Finding]:
    """Every setting as read, and where from; the keys are those of the workspaces."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        said = ", ".join(map(str, value)) if isinstance(value, tuple | dict) else str(value)
        if name != "api_key":
            yield Finding(name, f"{said or 'none'}  ({origins.get(name, 'default')})")


def _workspace(settings: Settings, origin: str, *, is_offline: bool, is_one_of_several: bool) -> Iterator[Finding]:
    """Whether a workspace has its key, and whether its API answers to it."""
    of = f" of {settings.workspace}" if is_one_of_several else ""
    try:
        settings.key()
    except ApiError as error:
        yield Finding(f"api_key{of}", "not set", error.hint, error.exit_code)
    else:
        yield Finding(f"api_key{of}", f"set  ({origin})")
    if not is_offline:
        yield _api(settings, f"api{of}")


def _home(root: Path) -> Iterator[Finding]:
    from warehouse.storage.home import Home

    nearest = next(folder for folder in (root, *root.absolute().parents) if folder.exists())
    other = "Choose another folder with --home or CONVOHOUSE_HOME."
    if not nearest.is_dir():
        yield Finding("home folder", f"{nearest} is no folder", other, 1)
        return
    try:
        Home(root).check()
    except HomeError:
        yield Finding("home folder", f"{root} holds other things", other, 1)
        return
    if Home(root).exists():
        state = "holds data"
    else:
        state = "holds no data yet" if root.exists() else "not there yet; the first sync makes it"
    if os.access(nearest, os.W_OK | os.X_OK):
        yield Finding("home folder", state)
    else:
        yield Finding("home folder", f"{nearest} cannot be written", f"Make it writable. {other}", 1)
    free = shutil.disk_usage(nearest).free
    is_little = free < LEAST_FREE_BYTES
    yield Finding(
        "free disk", size(free), "Make room: a build needs its size twice." if is_little else "", int(is_little)
    )


def _seeds(root: Path) -> Finding:
    """Which seeds are the user's, and whether they can be read."""
    from warehouse.models.project import SQL_DIR
    from warehouse.models.seeds import read_seeds
    from warehouse.storage.home import Home

    try:
        seeds = read_seeds(SQL_DIR / "seeds", Home(root).seeds)
    except ModelError as error:
        return Finding("seeds", error.message, error.hint, 1)
    own = [f"{seed.name} ({plural(seed.rows.height, 'row')})" for seed in seeds if seed.is_own]
    return Finding("seeds", f"yours: {', '.join(own)}; the others are ours" if own else "all are ours")


def _api(settings: Settings, name: str) -> Finding:
    """Ask for one row of the list."""
    from pipelines.api.endpoints import ListQuery, list_page
    from pipelines.usecases.context import connect

    patience = {"request_deadline_secs": PATIENCE_SECS, "request_timeout_secs": PATIENCE_SECS / 2}

    async def ask() -> int:
        async with connect(settings.model_copy(update=patience)) as client:
            return len((await list_page(client, ListQuery(page_size=1), None)).conversations)

    try:
        n_rows = asyncio.run(ask())
    except (ApiError, SettingsError) as error:
        return Finding(name, error.message, error.hint, error.exit_code)
    return Finding(name, "answers, the key works" + ("" if n_rows else "; it shows no conversation yet"))


def _libraries() -> Iterator[Finding]:
    yield Finding("python", platform.python_version())
    for name in LIBRARIES:
        yield _version(name, metadata.version)


def _version(name: str, version: Callable[[str], str]) -> Finding:
    try:
        return Finding(name, version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, "not installed", "Install convohouse again: its requirements are not complete.", 1)


def _text(findings: list[Finding]) -> str:
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{'problem' if finding.problem else 'ok':<7}  {finding.name:<{width}}  {finding.said}")
        if finding.problem:
            lines.append(f"{'':<7}  {'':<{width}}  {finding.problem}")
    return "\n".join(lines)
