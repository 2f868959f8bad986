"""The use case of searching at the API, which reads what is not copied yet as well."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.api.endpoints import ListQuery, iterate_list
from pipelines.api.responses import ListRow
from pipelines.usecases.context import Context
from warehouse.serve.search import Scope


@dataclass(frozen=True, slots=True)
class UpstreamHit:
    """A conversation that the API's own search found, in the order of its list: newest first."""

    conversation_id: str
    started_at: datetime
    agent_id: str | None
    agent_name: str | None
    status: str
    title: str | None


def search_upstream(context: Context, text: str, scope: Scope, *, limit: int) -> list[UpstreamHit]:
    """The latest conversations that the API finds for ``text``.

    Raises:
        ApiError: the list could not be had.
    """
    query = ListQuery(
        page_size=min(limit, 100),
        call_start_after_unix=int(scope.since.timestamp()) if scope.since else None,
        call_start_before_unix=int(scope.until.timestamp()) if scope.until else None,
        agent_id=scope.agent_id,
        search=text,
    )

    async def pages() -> list[UpstreamHit]:
        found: dict[str, UpstreamHit] = {}
        async with context.connect(context.settings) as client:
            async for page in iterate_list(client, query):
                found |= {row.conversation_id: _listed(row) for row in page.conversations}
                if len(found) >= limit:
                    break
        return list(found.values())[:limit]

    return asyncio.run(pages())


def _listed(row: ListRow) -> UpstreamHit:
    title = json.loads(row.raw).get("call_summary_title")
    start = datetime.fromtimestamp(row.start_time_unix_secs, UTC)
    return UpstreamHit(
        row.conversation_id, start, row.agent_id, row.agent_name, row.status, title if isinstance(title, str) else None
    )
