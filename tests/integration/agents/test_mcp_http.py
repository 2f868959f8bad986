"""Who reaches the MCP server over HTTP: with a token, through a proxy, under another name, without a whole request."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest

from pipelines.listener import base_url, listening
from tests.helpers.lazy_import import lazy_import
from tests.helpers.mcp_client import ALWAYS, answers, serving, status_of, tool_names, with_token
from tests.helpers.run_cli import run
from warehouse.storage.home import Home

mcp_server = lazy_import("pipelines.mcp_server.server")

TOKEN = "0123456789abcdef"  # noqa: S105 - of this test


def test_a_token_is_asked_for_and_needed_on_another_host(home: Home) -> None:
    with serving(home, "--host", "0.0.0.0", CONVOHOUSE_MCP_TOKEN=TOKEN) as address:  # noqa: S104 - what is tested
        url = address.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert tool_names(with_token(url, TOKEN)) == ALWAYS
        assert status_of(url) == status_of(url, Authorization=f"Bearer {TOKEN[:-1]}") == 401
        assert status_of(url, Authorization=f"Bearer {TOKEN}") != 401
    ended = run(home.root.parent, "mcp", "--http", "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    assert ended.code == 2
    assert "0.0.0.0 can be reached from other machines, and no token is set." in ended.err


def test_a_token_that_could_be_guessed_is_refused(home: Home) -> None:
    for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104 - refused
        ended = run(home.root.parent, "mcp", "--http", "--host", host, "--port", "0", CONVOHOUSE_MCP_TOKEN=TOKEN[1:])
        assert (ended.code, "The token is shorter than 16 characters." in ended.err) == (2, True)


@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_client_that_sends_no_complete_request_is_cut_off(
    token: str | None, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_server(), "HEAD_SECS", 0.5)
    server = mcp_server().create_http_server(answers(home), token)
    with listening("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        slow = [socket.create_connection(listener.getsockname(), timeout=30) for _ in range(250)]
        for connection in slow:
            with suppress(OSError):  # it was closed at once
                connection.sendall(b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        assert [connection_is_closed(connection) for connection in slow] == [True] * len(slow)
        url = f"{base_url(listener)}/mcp"
        assert tool_names(url if token is None else with_token(url, token)) == ALWAYS
        server.should_exit = True
        thread.join(30)


def connection_is_closed(connection: socket.socket) -> bool:
    """Whether the server closes a connection, which waits for that."""
    with connection, suppress(ConnectionResetError):
        return connection.recv(1) == b""
    return True


def test_another_host_name_is_refused_on_this_machine(home: Home) -> None:
    """A page in a browser could reach the server under a name of its own."""
    with serving(home) as url:
        assert status_of(url, Host="pages.example") == 421
        assert status_of(url, Origin="https://pages.example") == 403


def test_behind_a_proxy_of_this_machine_a_token_is_needed(home: Home) -> None:
    forwarded = {"Host": "mcp.example.com", "X-Forwarded-For": "203.0.113.7"}
    with serving(home) as url:
        assert status_of(url, **{"X-Forwarded-For": "203.0.113.7"}) == status_of(url, Via="1.1 proxy") == 403
        assert tool_names(url) == ALWAYS
    with serving(home, CONVOHOUSE_MCP_TOKEN=TOKEN) as url:
        assert status_of(url, **forwarded) == 401
        let_in, direct = (status_of(url, Authorization=f"Bearer {TOKEN}", **headers) for headers in (forwarded, {}))
        assert let_in == direct != 421
