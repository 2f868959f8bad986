"""Where the work is done and with what: the home folder, the settings, the clock and the way to the API."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.api.client import ApiClient
from pipelines.settings import Settings
from pipelines.sync.pii import Pseudonyms, pseudonyms
from warehouse import locks
from warehouse.home import Home

Progress = Callable[[str, int, int | None], None]
"""Told of a stage, how much of it is done and, where known, of how much."""


def silent(stage: str, done: int, total: int | None) -> None:
    """Progress for nobody."""


def utc_now() -> datetime:
    """The clock of the real world."""
    return datetime.now(UTC)


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
class Site:
    """Where the work is done and with what: settings, clock and client can be others in a test."""

    settings: Settings
    clock: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    connect: Callable[[Settings], ApiClient] = connect

    @property
    def home(self) -> Home:
        """The home folder of the settings."""
        return Home(self.settings.home)

    @property
    def pseudonyms(self) -> Pseudonyms | None:
        """What hides people before landing; None where the settings keep them."""
        return pseudonyms(self.settings)

    def writing(self, what: str) -> AbstractContextManager[None]:
        """Hold the home folder for writing; it is made where it is missing.

        Raises:
            HomeError: it cannot be written or is somebody else's.
            LockedError: another run holds it.
        """
        return locks.writing(self.home.open(), what=what, now=self.clock())
