"""What every use case gets passed in: settings, home folder, clocks, and how to open an API client.

A context reads and writes one workspace. Where several are configured, ``Context.workspaces`` gives one for each.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from pipelines.api.client import ApiClient
from pipelines.clock import utc_now
from pipelines.privacy.pseudonyms import Pseudonymizer
from pipelines.settings import Settings
from pipelines.transform.worker_pool import WorkerPool
from warehouse.storage import lock
from warehouse.storage.home import Home

T = TypeVar("T")
Progress = Callable[[str, int, int | None], None]
"""Called with the name of a stage, the number of items done and, if known, the total number of items."""


def no_progress(stage: str, done: int, total: int | None) -> None:
    """The ``Progress`` of a caller that shows none."""


def connect(settings: Settings) -> ApiClient:
    """Open the API client that the settings describe.

    Raises:
        CredentialsError: no key is set.
    """
    return ApiClient(
        settings.base_url,
        settings.key(),
        timeout_secs=settings.request_timeout_secs,
        deadline_secs=settings.request_deadline_secs,
        concurrency=settings.concurrency,
    )


@dataclass(frozen=True, slots=True)
class Context:
    """Settings, clocks and client factory of one workspace; a test passes its own.

    ``clock`` may return any time zone and is converted to UTC, so that no comparison mixes zones. By default it is the
    clock of the settings.
    """

    settings: Settings
    clock: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    connect: Callable[[Settings], ApiClient] = connect

    def __post_init__(self) -> None:
        """Wrap the clock so that it returns UTC."""
        clock = self.settings.clock() if self.clock is utc_now else self.clock
        object.__setattr__(self, "clock", lambda: clock().astimezone(UTC))

    @property
    def home(self) -> Home:
        """The home folder, limited to the rows of this workspace."""
        return Home(self.settings.home, self.settings.workspace)

    def workspaces(self) -> tuple[Context, ...]:
        """One context per configured workspace; a copy of this one if there is only one.

        Raises:
            SettingsError: see ``Settings.workspace_settings``.
        """
        return tuple(replace(self, settings=settings) for settings in self.settings.workspace_settings())

    def workspaces_with_data(self) -> tuple[Context, ...]:
        """The configured workspaces, then those that are no longer configured but have data in the home folder.

        For work that needs no API: the latter have no key. Where none is named, as in another folder than that of
        convohouse.toml, the default name is that of no workspace if all data is of others.
        """
        configured_workspaces = {workspace.settings.workspace: workspace for workspace in self.workspaces()}
        names = [name for name in self.home.workspaces() if name not in configured_workspaces]
        is_configured = self.settings.workspaces or "workspace" in self.settings.model_fields_set
        if names and not is_configured and self.home.workspace not in self.home.workspaces():
            configured_workspaces = {}
        other_workspaces = (replace(self, settings=self.settings.without_key(name)) for name in names)
        return (*configured_workspaces.values(), *other_workspaces)

    @property
    def zones(self) -> dict[str, str]:
        """IANA time zone by name of the workspace."""
        return {settings.workspace: settings.timezone for settings in self.settings.workspace_settings()}

    @property
    def pseudonyms(self) -> Pseudonymizer | None:
        """Replaces personal data before landing; None if the settings keep it."""
        settings = self.settings
        if settings.pii == "keep" or settings.pii_key is None:
            return None
        return Pseudonymizer(settings.pii_key.get_secret_value().encode())

    def client(self) -> ApiClient:
        """A new API client of the workspace, to be opened with ``async with``.

        Raises:
            CredentialsError: no key is set.
        """
        return self.connect(self.settings)

    def worker_pool(self) -> WorkerPool:
        """A context manager of worker processes, as many as the settings allow; they start only for large batches."""
        return WorkerPool(self.settings.processes)

    def write_lock(self, what: str) -> AbstractContextManager[None]:
        """Hold the lock of the home folder, which is created if missing; ``what`` names the work to a second writer.

        Raises:
            HomeError: the folder cannot be written, or is not a convohouse home.
            LockedError: another run holds the lock.
        """
        return lock.write_lock(self.home.open(), what=what, now=self.clock())

    def api_lock(self, what: str) -> AbstractContextManager[None]:
        """As ``write_lock``, for work that calls the API: without a key, no home folder is created.

        Raises:
            CredentialsError: there is no home yet, and no key is set.
        """
        if not self.home.exists():
            self.workspaces()[0].settings.key()
        return self.write_lock(what)


def run_with_client(context: Context, work: Callable[[ApiClient], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine with an API client of the workspace that is open for that time; returns its result.

    Raises:
        CredentialsError: no key is set.
    """

    async def run() -> T:
        async with context.client() as client:
            return await work(client)

    return asyncio.run(run())
