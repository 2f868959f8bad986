"""Reference data as a part of a sync, or alone: tools, prices of language models, agents, batches, tags and the bill.

A key may lack the scopes for it, which must not stop the copy of the conversations: an error of the API is a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from pipelines.api.client import ApiClient
from pipelines.api.tasks import run_concurrently
from pipelines.errors import ApiError
from pipelines.transform.schema_drift import refresh_unknown
from pipelines.usecases.account_data import (
    AgentsCopy,
    BatchesCopy,
    TagsCopy,
)
from pipelines.usecases.bill import BillCopy, is_bill_due
from pipelines.usecases.context import Context, Progress, no_progress, run_with_client
from pipelines.usecases.masking_state import require_hidden
from pipelines.usecases.reference_data import PricesCopy, are_prices_due
from pipelines.usecases.run_session import describe_failed_check
from pipelines.usecases.sync_steps import build_models


class Copy(Protocol):
    """Reference data to fetch and then to land. Both may raise ``ApiError``; then nothing is landed."""

    async def fetch(self, client: ApiClient) -> None:
        """Fetch it."""

    def land(self) -> object:
        """Land what was fetched, and flatten it."""


class OptionalCopy:
    """A copy of ``name`` that a sync can do without: an error of the API becomes a warning."""

    def __init__(self, name: str, copy: Copy) -> None:
        self._name = name
        self._copy = copy
        self._error: ApiError | None = None

    async def fetch(self, client: ApiClient) -> None:
        """Fetch it; an error is kept for ``land``."""
        try:
            await self._copy.fetch(client)
        except ApiError as error:
            self._error = error

    def land(self) -> tuple[str, ...]:
        """Land it if it was fetched.

        Returns:
            A warning if it could not be fetched, with what to do; nothing otherwise.
        """
        try:
            if self._error is not None:
                raise self._error
            self._copy.land()
        except ApiError as error:
            return (f"The {self._name} could not be fetched: {error}",)
        return ()


AFTER_FLATTENING: tuple[tuple[str, Callable[[Context], bool], Callable[[Context, Progress], Copy]], ...] = (
    ("prices of language models", are_prices_due, lambda context, progress: PricesCopy(context, progress=progress)),
    ("agents", AgentsCopy.is_due, AgentsCopy),
    ("batches", BatchesCopy.is_due, BatchesCopy),
    ("tags", TagsCopy.is_due, TagsCopy),
    ("bill", is_bill_due, BillCopy),
)
"""Name, whether it is due, and how it is copied."""


def sync_reference_data(context: Context, progress: Progress = no_progress) -> tuple[str, ...]:
    """Copy what is due of prices, agents, batches, tags and the bill, fetched side by side with one client.

    After conversations are flattened: prompts are measured, and versions and the first day looked up, in the lake.

    Returns:
        A warning for each that could not be fetched, with what to do.
    """
    copies = [OptionalCopy(name, copy(context, progress)) for name, is_due, copy in AFTER_FLATTENING if is_due(context)]
    if not copies:
        return ()  # opening a client takes a tenth of a second

    async def fetch_all(client: ApiClient) -> None:
        await run_concurrently(copy.fetch(client) for copy in copies)

    run_with_client(context, fetch_all)
    warnings = tuple(warning for copy in copies for warning in copy.land())
    refresh_unknown(context.home)  # after conversations were flattened, so nobody else counts what is new in these
    return warnings


def copy_and_build(
    context: Context, what: str, copy: Callable[[Context], Iterable[str]], progress: Progress
) -> tuple[str, ...]:
    """Copy reference data of every workspace, and build: for a command that copies nothing else.

    Args:
        context: The home folder, whose lock is held meanwhile.
        what: Names the work to a second writer.
        copy: Fetches and lands it for a workspace; returns what is wrong with single items.
        progress: Called while the warehouse is built.

    Returns:
        What is wrong with single items, and the failed checks.

    Raises:
        SettingsError: see ``require_hidden``.
    """
    require_hidden(context)
    problems: list[str] = []
    with context.api_lock(what):
        for workspace in context.workspaces():
            problems += copy(workspace)
            refresh_unknown(workspace.home)
        build = build_models(context, progress)
    return (*problems, *map(describe_failed_check, build.failed))
