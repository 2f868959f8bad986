"""The official client of MCP, to a server in this process, over standard input or over HTTP."""

from __future__ import annotations

import asyncio
import http.client
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.mcp_server.answers import Answers
from pipelines.settings import Settings
from pipelines.usecases.context import Context
from tests.helpers import day
from tests.helpers.lazy_import import lazy_import
from tests.helpers.run_cli import run
from warehouse.serve.query import AnswerLimits
from warehouse.storage.home import Home

mcp, http_transport = lazy_import("mcp"), lazy_import("mcp.client.streamable_http")
http_clients = lazy_import("mcp.shared._httpx_utils")

ALWAYS = ["list_metrics", "explain_metric", "metric", "describe_tables", "query", "sync_health"]
"""Tools of every server."""
COMMAND = [sys.executable, "-c", "from pipelines.cli.main import main; main()", "mcp"]

Call = tuple[str, dict[str, Any]]


def answers(home: Home, *, has_transcripts: bool = False, rows: int = 1000, secs: float = 20) -> Answers:
    """The answers of a server about a home."""
    context = Context(Settings(home=home.root, api_key="demo"), day.now)
    return Answers(context, AnswerLimits(rows, secs), has_transcripts)


def as_of(home: Home) -> str:
    """The time of the last full listing, as `convohouse status` says."""
    (workspace,) = run(home.root.parent, "status", "--json").data["workspaces"]
    listed_at: str = workspace["last_full_listing_at"]
    return listed_at.replace("+00:00", "Z")


def ask(server: Any, *calls: Call) -> list[Any]:
    """What a client gets: the answers, and the text of an error where a call failed."""

    async def ask_all() -> list[Any]:
        async with mcp().Client(server) as client:
            results = [await client.call_tool(name, arguments) for name, arguments in calls]
        return [result.content[0].text if result.is_error else result.structured_content for result in results]

    return asyncio.run(ask_all())


def tool_names(server: Any) -> list[str]:
    async def names() -> list[str]:
        async with mcp().Client(server) as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    return asyncio.run(names())


def tool_hints(server: Any) -> list[Any]:
    """What the tools promise a client."""

    async def hints() -> list[Any]:
        return [tool.annotations for tool in await server.list_tools()]

    return asyncio.run(hints())


@contextmanager
def serving(home: Home, *options: str, **settings: str) -> Iterator[str]:
    """The command over HTTP, in a process of its own; yields its URL."""
    command = [*COMMAND, "--http", "--port", "0", "--json", *options]
    environment = environment_of(home) | settings
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:  # noqa: S603
        assert process.stdout
        try:
            yield json.loads(b"".join(process.stdout.readline() for _ in range(3)))["url"]
        finally:
            process.terminate()
            assert process.wait(20) == 0


def environment_of(home: Home) -> dict[str, str]:
    root = Path(__file__).parents[2]
    return {"CONVOHOUSE_HOME": str(home.root), "CONVOHOUSE_NOW": day.now().isoformat(), "PYTHONPATH": str(root)}


@asynccontextmanager
async def with_token(url: str, token: str) -> AsyncIterator[Any]:
    """A transport that sends a token."""
    async with (
        http_clients().create_mcp_http_client({"Authorization": f"Bearer {token}"}) as http_client,
        http_transport().streamable_http_client(url, http_client=http_client) as streams,
    ):
        yield streams


def status_of(url: str, **headers: str) -> int:
    """Status of the response to a request without a body."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("POST", "/mcp", headers={"Content-Type": "application/json"} | headers)
    status = connection.getresponse().status
    connection.close()
    return status
