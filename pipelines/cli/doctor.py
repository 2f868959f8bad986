"""``convohouse doctor``: check that everything is set up, and say what to do if not."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, exit_with, help_epilog, pass_options, shared_options
from pipelines.cli.render import emit
from pipelines.cli.text_table import aligned, terminal_width
from pipelines.errors import ApiError, SettingsError
from warehouse.errors import HomeError, ModelError

if TYPE_CHECKING:
    from pipelines.settings import Settings

LIBRARIES = ("polars", "duckdb", "pyarrow", "httpx", "msgspec", "sqlglot", "dagster")
MIN_FREE_BYTES = 1e9
API_DEADLINE_SECS = 20.0
"""Time for the one request to the API: a person is waiting."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was checked, the result, and what to do if it is a problem."""

    name: str
    said: str
    problem: str = ""
    exit_code: int = 0


@click.command(
    epilog=help_epilog(
        {"convohouse doctor": "everything", "convohouse doctor --offline": "without the API"},
        {
            0: "everything is set up",
            1: "a problem on this machine",
            2: "a setting or the home folder is wrong",
            3: "the API or its key",
        },
    )
)
@click.option("--offline", is_flag=True, help="Do not call the API.")
@shared_options
@pass_options
def doctor(options: Options, offline: bool) -> None:
    """Check that everything is set up, and say what to do if not.

    Checks the settings, the home folder, the clock, your own seeds, the disk, the API and the libraries, and changes
    nothing. The key is never shown, not even a part of it. Requests one row of the conversation list from the API.
    """
    from pipelines.environment import origins as read_origins
    from pipelines.settings import Settings

    origins = read_origins(Settings)
    if options.home is not None:
        origins["home"] = "--home"
    try:
        settings = options.settings()
    except SettingsError as error:
        names = ", ".join(f"{name} ({source})" for name, source in sorted(origins.items()))
        hint = error.hint.partition(" `convohouse doctor`")[0] + (f" These are set: {names}." if names else "")
        findings = [Finding("settings", error.message, hint, error.exit_code)]
    else:
        findings = [*_settings(settings, origins), *_home(settings.home), *_clock(settings), _seeds(settings.home)]
        for workspace in settings.workspace_settings():
            key = "[workspaces]" if settings.workspaces else origins.get("api_key", "default")
            findings += _workspace(workspace, key, is_offline=offline, is_one_of_several=bool(settings.workspaces))
    findings += _libraries()
    code = max((finding.exit_code for finding in findings), default=0)
    if options.is_json:
        emit({"is_ok": code == 0, "findings": [asdict(finding) for finding in findings]})
    else:
        click.echo(_text(findings))
        n_problems = sum(bool(finding.problem) for finding in findings)
        options.say(f"\n{'Everything is set up.' if not n_problems else f'Problems: {n_problems}.'}")
    exit_with(code)


def _settings(settings: Settings, origins: dict[str, str]) -> Iterator[Finding]:
    """Every setting with its source, except the keys, which belong to the workspaces."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        text = ", ".join(map(str, value)) if isinstance(value, tuple | dict) else str(value)
        if value is None:
            text = "not set"
        if name != "api_key":
            yield Finding(name, f"{text or 'none'}  ({origins.get(name, 'default')})")


def _workspace(settings: Settings, origin: str, *, is_offline: bool, is_one_of_several: bool) -> Iterator[Finding]:
    """Whether a workspace has its key, and whether the API accepts it."""
    suffix = f" of {settings.workspace}" if is_one_of_several else ""
    try:
        settings.key()
    except ApiError as error:
        yield Finding(f"api_key{suffix}", "not set", error.hint, error.exit_code)
    else:
        yield Finding(f"api_key{suffix}", f"set  ({origin})")
    if not is_offline:
        yield _api(settings, f"api{suffix}")


def _home(root: Path) -> Iterator[Finding]:
    from warehouse.serve.value_format import size
    from warehouse.storage.home import Home

    nearest = next(folder for folder in (root, *root.absolute().parents) if folder.exists())
    hint = "Choose another folder with --home or CONVOHOUSE_HOME."
    if not nearest.is_dir():
        yield Finding("home folder", f"{nearest} is not a folder", hint, HomeError.exit_code)
        return
    try:
        Home(root).check()
    except HomeError as error:
        yield Finding("home folder", error.message, error.hint, error.exit_code)
        return
    if Home(root).exists():
        state = "holds data"
    else:
        state = "holds no data yet" if root.exists() else "not there yet; the first sync creates it"
    if os.access(nearest, os.W_OK | os.X_OK):
        yield Finding("home folder", state)
    else:
        yield Finding("home folder", f"{nearest} cannot be written", f"Make it writable. {hint}", HomeError.exit_code)
    free = shutil.disk_usage(nearest).free
    is_little = free < MIN_FREE_BYTES
    yield Finding(
        "free disk",
        size(free),
        "Free some disk space: a build needs twice the size of the warehouse." if is_little else "",
        int(is_little),
    )


def _clock(settings: Settings) -> Iterator[Finding]:
    """Whether anything was landed in the future of this machine's clock."""
    from warehouse.models.data_quality import check_landed_times
    from warehouse.serve.value_format import plural
    from warehouse.storage.home import Home

    home, now = Home(settings.home), settings.clock()()
    try:
        home.check()
    except (HomeError, OSError):
        return  # another finding says so
    result = check_landed_times(map(home.for_workspace, home.workspaces()), now=now)
    said = f"{now:%Y-%m-%d %H:%M} UTC"
    if result.is_passed:
        yield Finding("clock", said)
    else:
        yield Finding(
            "clock",
            f"{said}; {plural(result.n_failing, 'landed time')} ahead of it",
            "If the clock is behind, correct it. If it was ahead, run convohouse sync: it fetches them again.",
            1,
        )


def _seeds(root: Path) -> Finding:
    """Which seeds are the user's own, and whether they can be read."""
    from warehouse.models.project import SQL_DIR
    from warehouse.models.seeds import read_seeds
    from warehouse.serve.value_format import plural
    from warehouse.storage.home import Home

    try:
        seeds = read_seeds(SQL_DIR / "seeds", Home(root).seeds)
    except ModelError as error:
        return Finding("seeds", error.message, error.hint, 1)
    user_seeds = [f"{seed.name} ({plural(seed.rows.height, 'row')})" for seed in seeds if seed.is_own]
    return Finding(
        "seeds", f"yours: {', '.join(user_seeds)}; the others are built in" if user_seeds else "all are built in"
    )


def _api(settings: Settings, name: str) -> Finding:
    """Whether the API answers a request for one row of the list."""
    from pipelines.api.endpoints import ListQuery, list_page
    from pipelines.api.transport import is_readable_on_the_way
    from pipelines.usecases.context import connect

    deadline = {"request_deadline_secs": API_DEADLINE_SECS, "request_timeout_secs": API_DEADLINE_SECS / 2}

    async def request() -> int:
        async with connect(settings.model_copy(update=deadline)) as client:
            return len((await list_page(client, ListQuery(page_size=1), None)).conversations)

    try:
        n_rows = asyncio.run(request())
    except (ApiError, SettingsError) as error:
        return Finding(name, error.message, error.hint, error.exit_code)
    said = "answers, the key works" + ("" if n_rows else "; it lists no conversation yet")
    if is_readable_on_the_way(settings.base_url):
        said += "; over http://, so everybody on the way can read the key and the conversations"
    return Finding(name, said)


def _libraries() -> Iterator[Finding]:
    yield Finding("python", platform.python_version())
    for name in LIBRARIES:
        try:
            yield Finding(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, "not installed", "Install convohouse again: a dependency is missing.", 1)


def _text(findings: list[Finding]) -> str:
    width = max(len(finding.name) for finding in findings)
    facts: list[tuple[str, str]] = []
    for finding in findings:
        facts.append((f"{'problem' if finding.problem else 'ok':<7}  {finding.name:<{width}}", finding.said))
        if finding.problem:
            facts.append(("", finding.problem))
    return textwrap.dedent(aligned(facts, terminal_width()))
