"""A listing of items of the workspace, each with its document: what is common to tools, agents, batches and tags.

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
from pipelines.extract.land_reference_data import land_item_listing
from pipelines.privacy.messages import describe_error, hide_message
from pipelines.transform.canonical_json import load
from pipelines.transform.refresh_lake import refresh_quarantine
from pipelines.usecases.context import Context, Progress, no_progress, run_with_client
from pipelines.usecases.workspace_lookup import require_same_workspace
from warehouse.errors import ConvohouseError
from warehouse.schema.types import Table
from warehouse.storage import lake, quarantine
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import is_due, item_listings, latest_documents

Document = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ItemsResult:
    """A listing of items: how many it has, and why some could not be fetched, by id."""

    n_listed: int
    errors: Mapping[str, str]


class FetchedItems:
    """Documents fetched so far, and why others could not be, by item id."""

    def __init__(self, probe: Callable[[], Awaitable[object]], errors: Mapping[str, str]) -> None:
        """``probe`` is a request that has nothing to do with a single item; ``errors`` are those of the listing."""
        self.documents: dict[str, Document | None] = {}
        self.errors = dict(errors)
        self.incomplete = {""} if errors else set()  # see ``land_item_listing``
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


@dataclass(frozen=True, slots=True)
class ItemKind:
    """A kind of items: its landed table, and why one is in the quarantine.

    ``check`` flattens a document, and raises if it cannot; ``refresh`` flattens all that is landed.
    """

    table: Table
    reason: str
    check: Callable[[str, Document], None]
    refresh: Callable[[Home], None]


class ItemsCopy(ABC):
    """A listing of items with their documents, to fetch and then to land."""

    kind: ClassVar[ItemKind]
    _items: FetchedItems

    def __init__(self, context: Context, progress: Progress = no_progress) -> None:
        self._context = context
        self._progress = progress
        self._listed_at = context.clock()
        self._listed_ids: Collection[str] = ()
        documents = latest_documents(context.home, self.kind.table)[self.kind.table.key[0], "payload"]
        self._landed_documents: dict[str, Document] = {item_id: load(payload) for item_id, payload in documents.rows()}

    @classmethod
    def is_due(cls, context: Context) -> bool:
        """Whether the items were not copied today, or not without an error."""
        latest_at = max(item_listings(context.home, cls.kind.table)[-1:], default=None)
        has_errors = not quarantine.current(context.home).filter(reason=cls.kind.reason).is_empty()
        return has_errors or is_due(latest_at, context.clock())

    @abstractmethod
    async def fetch(self, client: ApiClient) -> None:
        """Set ``_listed_ids`` to the ids of a listing, and ``_items`` to what was fetched of it.

        Raises:
            ApiError: they could not be listed, or the API failed.
        """

    def fetch_and_land(self) -> ItemsResult:
        """Fetch and land with a client of its own.

        Raises:
            ApiError: see ``fetch``; nothing is landed.
            ForeignWorkspaceError: the API is that of another workspace; nothing is landed.
        """
        run_with_client(self._context, self.fetch)
        is_any_known = not self._landed_documents.keys().isdisjoint(self._listed_ids)
        require_same_workspace(self._context, is_anything_known=is_any_known)
        return self.land()

    def land(self) -> ItemsResult:
        """Land the documents, and refresh the lake."""
        home = self._context.home
        lake.ensure_schema_files(home)
        errors = land_item_listing(
            home,
            self.kind.table,
            self._listed_at,
            self._items.documents,
            self._items.errors,
            reason=self.kind.reason,
            check=self.kind.check,
            shorten=self.shorten,
            statistics=self.statistics,
            incomplete=self._items.incomplete,
            pseudonyms=self._context.pseudonyms,
        )
        self.kind.refresh(home)
        refresh_quarantine(home)
        return ItemsResult(len(self._listed_ids), errors)

    def shorten(self, document: Any) -> Any:
        """What lands of a masked document; all of it, unless a subclass says otherwise."""
        return document

    def statistics(self, _document: Document) -> dict[str, object]:
        """Columns that change without the document; none, unless a subclass says otherwise."""
        return {}
