"""The endpoints of what belongs to the workspace: agents, tools, batches of calls, tags, the bill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.emulator.data.agents import AGENTS, BY_ID, Agent
from pipelines.emulator.generator.document import TAGS
from pipelines.emulator.generator.transcript import Json
from pipelines.emulator.generator.world import World
from pipelines.emulator.server import agents_endpoint, bill_endpoint
from pipelines.emulator.server.batches_endpoint import batches, without_recipients
from pipelines.emulator.server.error_responses import error_2025, no_agent, validation_error
from pipelines.emulator.server.list_endpoint import read_cursor, read_page_size, write_cursor
from pipelines.emulator.server.responses import json_response, read_object, with_errors
from pipelines.emulator.server.tools_endpoint import listed_tools

_MIN_MS = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()) * 1000
_TAGS_CREATED_AT = int(datetime(2025, 9, 1, tzinfo=UTC).timestamp())


def account_routes(world: World, clock: Callable[[], datetime], authorise: Callable[[Request], None]) -> list[Route]:
    """The routes; ``authorise`` raises the error of a request that the key does not allow."""
    account = _Account(world, clock, authorise)
    agent, batch = "/v1/convai/agents/{agent_id}", "/v1/convai/batch-calling"
    analytics = "/v1/workspace/analytics"
    get = {
        "/v1/convai/agents": account.agents,
        agent: account.agent,
        f"{agent}/branches": account.branches,
        f"{agent}/versions/{{version_id}}": account.version,
        "/v1/convai/tools": account.tools,
        f"{batch}/workspace": account.batches,
        f"{batch}/{{batch_id}}": account.batch,
        "/v1/convai/tags": account.tags,
    }
    return [
        *(Route(path, with_errors(endpoint), methods=["GET"]) for path, endpoint in get.items()),
        Route(f"{analytics}/usage", with_errors(account.cost_usage), methods=["POST"]),
        Route(f"{analytics}/query/usage-by-product-over-time", with_errors(account.credit_usage), methods=["POST"]),
    ]


class _Account:
    """The endpoints. Each reads its parameters before it looks at the key, as the real API does."""

    def __init__(self, world: World, clock: Callable[[], datetime], authorise: Callable[[Request], None]) -> None:
        self._world = world
        self._clock = clock
        self._authorise = authorise

    async def agents(self, request: Request) -> Response:
        """A page of the agents."""
        size = read_page_size(request.query_params)
        self._authorise(request)
        by_id = {agent.agent_id: agents_endpoint.summary(agent, self._world.shift) for agent in AGENTS}
        rows, cursor = _page(by_id, request.query_params.get("cursor"), size)
        return json_response({"agents": rows, "next_cursor": cursor, "has_more": cursor is not None})

    async def agent(self, request: Request) -> Response:
        """The configuration of an agent or of one of its versions."""
        self._authorise(request)
        agent = _agent(request)
        current = agents_endpoint.current_version(agent, self._clock() - self._world.shift)
        version_id = request.query_params.get("version_id") or current
        return _found(agents_endpoint.document(agent, version_id, self._world.shift), f"Version {version_id}")

    async def branches(self, request: Request) -> Response:
        """The branches of an agent."""
        self._authorise(request)
        includes_archived = request.query_params.get("include_archived") == "true"
        rows = [
            row
            for row in agents_endpoint.branches(_agent(request), self._world.shift)
            if includes_archived or not row["is_archived"]
        ]
        return json_response({"meta": {"total": len(rows)}, "results": rows})

    async def version(self, request: Request) -> Response:
        """What is known about a version of an agent."""
        self._authorise(request)
        version_id = request.path_params["version_id"]
        document = agents_endpoint.version(_agent(request), version_id, self._world.shift)
        return _found(document, f"Version {version_id}")

    async def tools(self, request: Request) -> Response:
        """The workspace's tools: all at once as in 2025, or paged as in 2026 where a page is requested."""
        size = read_page_size(request.query_params)
        cursor = request.query_params.get("cursor")
        self._authorise(request)
        tools = listed_tools(self._clock() - self._world.shift)
        if "page_size" not in request.query_params and cursor is None:
            return json_response({"tools": tools})
        rows, cursor = _page({tool["id"]: tool for tool in tools}, cursor, size)
        return json_response({"tools": rows, "next_cursor": cursor, "has_more": cursor is not None})

    async def batches(self, request: Request) -> Response:
        """A page of the batches."""
        limit = request.query_params.get("limit") or "30"
        if not limit.isdigit():
            raise validation_error("query", "limit", "int_parsing", "Input should be a valid integer", limit)
        self._authorise(request)
        by_id = {id_: without_recipients(batch) for id_, batch in batches(self._world, self._clock()).items()}
        rows, cursor = _page(by_id, request.query_params.get("last_doc"), int(limit))
        return json_response({"batch_calls": rows, "next_doc": cursor, "has_more": cursor is not None})

    async def batch(self, request: Request) -> Response:
        """A batch with its recipients."""
        self._authorise(request)
        batch_id = request.path_params["batch_id"]
        return _found(batches(self._world, self._clock()).get(batch_id), f"Batch {batch_id}")

    async def tags(self, request: Request) -> Response:
        """A page of the tags."""
        size = read_page_size(request.query_params)
        self._authorise(request)
        rows, cursor = _page(
            {id_: _tag(id_, title) for id_, title in TAGS.items()}, request.query_params.get("cursor"), size
        )
        return json_response({"conversation_tags": rows, "next_cursor": cursor, "has_more": cursor is not None})

    async def cost_usage(self, request: Request) -> Response:
        """The bill by cost, which this workspace, billed in credits, does not have."""
        await _read_range(request)
        self._authorise(request)
        raise error_2025(400, "workspace_not_billed_by_cost", "Use the usage by product over time instead.")

    async def credit_usage(self, request: Request) -> Response:
        """The bill in credits."""
        begin, end = await _read_range(request)
        self._authorise(request)
        return json_response(bill_endpoint.credit_usage(self._world, self._clock(), begin, end))


def _page(by_id: Mapping[str, Json], cursor: str | None, size: int) -> tuple[list[Json], str | None]:
    """The rows of a page, and the cursor of the next one."""
    ids = list(by_id)
    anchor = read_cursor(cursor) if cursor else None
    if cursor and anchor not in by_id:
        raise error_2025(400, "invalid_cursor", "The cursor is not valid.")
    begin = ids.index(anchor) + 1 if anchor else 0
    page = ids[begin : begin + size]
    return [by_id[id_] for id_ in page], write_cursor(page[-1], None) if begin + size < len(ids) else None


def _tag(tag_id: str, title: str) -> Json:
    return {
        "tag_id": tag_id,
        "workspace_id": "ws_4701kb0demo",
        "owner_user_id": "usr_8801kb0owner",
        "title": title,
        "description": None,
        "created_at_unix_secs": _TAGS_CREATED_AT,
    }


def _agent(request: Request) -> Agent:
    agent_id = request.path_params["agent_id"]
    if agent_id not in BY_ID:
        raise no_agent(agent_id)
    return BY_ID[agent_id]


def _found(document: Json | None, name: str) -> Response:
    if document is None:
        raise error_2025(404, "not_found", f"{name} was not found.")
    return json_response(document)


async def _read_range(request: Request) -> tuple[int, int]:
    """Begin and end of the range, in Unix seconds."""
    body = await read_object(request)
    for name in ("start_time", "end_time"):
        value = body.get(name)
        if type(value) is not int or value < _MIN_MS:
            message = f"Input should be greater than or equal to {_MIN_MS}"
            raise validation_error("body", name, "greater_than_equal", message, value)
    return body["start_time"] // 1000, -(-body["end_time"] // 1000)
