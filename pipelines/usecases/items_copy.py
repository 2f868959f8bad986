"""A listing of items of the workspace, each with its document: what is common to agents, batches and tags.

An error of one item is kept, to quarantine it; one of the key or the API ends the copy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pipelines.api.circuit_breaker import CircuitBreaker
from pipelines.api.client import ApiClient
from pipelines.errors import ApiError, UsageError
from pipelines.extract.land_reference_data import land_listing
from pipelines.privacy.messages import describe_error, hide_message
from pipelines.transform.canonical_json import load
from pipelines.usecases.context import Context, Progress, no_progress, run_with_client
from pipelines.usecases.workspace_lookup import require_same_workspace
from warehouse.errors import ConvohouseError
from warehouse.schema.types import Table
from warehouse.storage import lake
from warehouse.storage.landing_reference_data import latest_documents

Document = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ItemsResult:
    """A listing of agents, batches or tags: how many it has, and why some could not be fetched, by id."""

    n_listed: int
    errors: Mapping[str, str]


class Items:
    """Documents fetched so far, and why others could not be, by item id."""

    def __init__(self, probe: Callable[[], Awaitable[object]], errors: Mapping[str, str]) -> None:
        """``probe`` is a request that has nothing to do with a single item; ``errors`` are those of the listing."""
        self.documents: dict[str, Document | None] = {}
        self.errors = dict(errors)
        self.incomplete = {""} if errors else set()  # see ``land_listing``
        self._breaker = CircuitBreaker()
        self._probe = probe

    async def fetch(self, item_id: str, request: Awaitable[T], none_if: Collection[int] = (404,)) -> T | None:
        """The response; None if there is none: a status of ``none_if``, or an error of this item, which is kept.

        Raises:
            ConvohouseError: it is not an item that fails, but the key or the API.
        """
        try:
            response = await request
        except ConvohouseError as error:
            if isinstance(error, ApiError) and error.status in none_if:
                self._breaker.on_response()
                return None
            if not isinstance(error, UsageError):
                await self._breaker.on_item_error(error, self._is_api_answering)
            self.errors[item_id] = hide_message(error.message)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one response, the others are landed
            self.errors[item_id] = describe_error(error)
        else:
            self._breaker.on_response()
            return response
        return None

    async def _is_api_answering(self) -> bool:
        try:
            await self._probe()
        except ConvohouseError:
            return False
        return True


class ItemsCopy(ABC):
    """A listing of items with their documents, to fetch and then to land."""

    table: ClassVar[Table]
    """The landed table."""
    reason: ClassVar[str]
    """Why an item is in the quarantine."""
    _items: Items

    def __init__(self, context: Context, progress: Progress = no_progress) -> None:
        self._context = context
        self._progress = progress
        self._listed_at = context.clock()
        self._listed: Collection[str] = ()
        lake.ensure_schema_files(context.home)
        documents = latest_documents(context.home, self.table)["item_id", "payload"]
        self._landed: dict[str, Document] = {item_id: load(payload) for item_id, payload in documents.rows()}

    @abstractmethod
    async def fetch(self, client: ApiClient) -> None:
        """Set ``_listed`` to the ids of a listing, and ``_items`` to what was fetched of it.

        Raises:
            ApiError: they could not be listed, or the API failed.
        """

    @abstractmethod
    def land(self) -> ItemsResult:
        """Land the documents, and refresh the lake."""

    def fetch_and_land(self) -> ItemsResult:
        """Fetch and land with a client of its own.

        Raises:
            ApiError: see ``fetch``; nothing is landed.
            ForeignWorkspaceError: the API is that of another workspace; nothing is landed.
        """
        run_with_client(self._context, self.fetch)
        is_any_known = not self._landed.keys().isdisjoint(self._listed)
        require_same_workspace(self._context, is_anything_known=is_any_known)
        return self.land()

    def _land(
        self, check: Callable[[str, Document], None], shorten: Callable[[Any], Any] = lambda document: document
    ) -> ItemsResult:
        errors = land_listing(
            self._context.home,
            self.table,
            self._listed_at,
            self._items.documents,
            self._items.errors,
            reason=self.reason,
            check=check,
            shorten=shorten,
            incomplete=self._items.incomplete,
            pseudonyms=self._context.pseudonyms,
        )
        return ItemsResult(len(self._listed), errors)
