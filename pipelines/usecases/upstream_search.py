"""Search at the API, which also finds conversations that are not synced yet."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import ListQuery, iterate_list
from pipelines.api.responses import ListRow
from pipelines.usecases.context import Context, run_with_client
from warehouse.serve.search import Scope

MAX_PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class UpstreamHit:
    """A conversation that the API's search returned."""

    conversation_id: str
    started_at: datetime
    agent_id: str | None
    agent_name: str | None
    status: str
    title: str | None


def search_upstream(context: Context, text: str, scope: Scope, *, limit: int) -> list[UpstreamHit]:
    """The API's hits for ``text``, newest first, at most ``limit``.

    Raises:
        ApiError: the list could not be fetched.
    """
    query = ListQuery(
        page_size=min(limit, MAX_PAGE_SIZE),
        call_start_after_unix=int(scope.since.timestamp()) if scope.since else None,
        call_start_before_unix=int(scope.until.timestamp()) if scope.until else None,
        agent_id=scope.agent_id,
        search=text,
    )
    return run_with_client(context, lambda client: _fetch_hits(client, query, limit))


async def _fetch_hits(client: ApiClient, query: ListQuery, limit: int) -> list[UpstreamHit]:
    hits: dict[str, UpstreamHit] = {}
    async for page in iterate_list(client, query):
        hits |= {row.conversation_id: _hit(row) for row in page.conversations}
        if len(hits) >= limit:
            break
    return list(hits.values())[:limit]


def _hit(row: ListRow) -> UpstreamHit:
    title = json.loads(row.raw).get("call_summary_title")
    started_at = datetime.fromtimestamp(row.start_time_unix_secs, UTC)
    return UpstreamHit(
        conversation_id=row.conversation_id,
        started_at=started_at,
        agent_id=row.agent_id,
        agent_name=row.agent_name,
        status=row.status,
        title=title if isinstance(title, str) else None,
    )
