"""Where the work is done and with what: the home folder, the settings, the clock and the way to the API.

A context is that of one workspace; where several are set up, ``each`` gives the context of each.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pipelines.api.client import ApiClient
from pipelines.clock import utc_now
from pipelines.privacy.pseudonyms import Pseudonymizer
from pipelines.settings import Settings
from pipelines.transform.worker_pool import WorkerPool
from warehouse.storage import lock
from warehouse.storage.home import Home

Progress = Callable[[str, int, int | None], None]
"""Told of a stage, how much of it is done and, where known, of how much."""


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Progress for nobody."""


def connect(settings: Settings) -> ApiClient:
    """The real API client of the settings.

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
    """Where the work is done and with what: settings, clock and client can be others in a test.

    The clock may be one of any time zone; it is read in UTC, so that no comparison meets another zone. By default it is
    that of the settings.
    """

    settings: Settings
    clock: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    connect: Callable[[Settings], ApiClient] = connect

    def __post_init__(self) -> None:
        """Read the clock in UTC."""
        clock = self.settings.clock() if self.clock is utc_now else self.clock
        object.__setattr__(self, "clock", lambda: clock().astimezone(UTC))

    @property
    def home(self) -> Home:
        """The home folder of the settings, as the workspace sees it."""
        return Home(self.settings.home, self.settings.workspace)

    def workspaces(self) -> tuple[Context, ...]:
        """The context of each workspace that is set up: this one where there is but one.

        Raises:
            SettingsError: see ``Settings.workspace_settings``.
        """
        return tuple(replace(self, settings=settings) for settings in self.settings.workspace_settings())

    def workspaces_with_data(self) -> tuple[Context, ...]:
        """The context of each workspace that the home folder holds calls of, set up or not: to work without the API."""
        known = {context.settings.workspace: context for context in self.workspaces()}
        others = [self.settings.without_key(name) for name in self.home.workspaces() if name not in known]
        return (*known.values(), *(replace(self, settings=settings) for settings in others))

    @property
    def zones(self) -> dict[str, str]:
        """Time zone by workspace."""
        return {settings.workspace: settings.timezone for settings in self.settings.workspace_settings()}

    @property
    def pseudonyms(self) -> Pseudonymizer | None:
        """What hides people before landing; None where the settings keep them."""
        settings = self.settings
        if settings.pii == "keep" or settings.pii_key is None:
            return None
        return Pseudonymizer(settings.pii_key.get_secret_value().encode())

    def worker_pool(self) -> WorkerPool:
        """Processes beside this one for work on many conversations, as the settings allow; a context manager."""
        return WorkerPool(self.settings.processes)

    def write_lock(self, what: str) -> AbstractContextManager[None]:
        """Hold the home folder for writing; it is made where it is missing.

        Raises:
            HomeError: it cannot be written or is somebody else's.
            LockedError: another run holds it.
        """
        return lock.write_lock(self.home.open(), what=what, now=self.clock())
