"""What the server of MCP says where it cannot start, or has nothing to answer from."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from tests.helpers.lazy_import import lazy_import
from tests.helpers.mcp_client import answers, ask
from tests.helpers.run_cli import run
from warehouse.storage.home import Home

mcp, mcp_server = lazy_import("mcp"), lazy_import("pipelines.mcp_server.server")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    monkeypatch.delitem(sys.modules, "pipelines.mcp_server.server")
    monkeypatch.delattr("pipelines.mcp_server.server")
    ended = run(tmp_path, "mcp")
    assert ended.code == 2
    assert "error: mcp is not installed." in ended.err
    assert "pip install 'convohouse[mcp]'" in ended.err


def test_a_port_in_use(tmp_path: Path) -> None:
    mcp()  # a parameter's default of the package is standard error as it is imported, and the command's has no file
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(tmp_path, "mcp", "--http", "--port", str(port))
    assert ended.code == 2
    assert f"error: Port {port} of 127.0.0.1 is in use." in ended.err


def test_an_empty_home_has_no_answers_yet(tmp_path: Path) -> None:
    (error,) = ask(mcp_server().create_server(answers(Home(tmp_path / "data").open())), ("query", {"sql": "select 1"}))
    assert "There is no warehouse" in error


def test_a_damaged_file_is_an_error_and_no_crash(tmp_path: Path) -> None:
    damaged = Home(tmp_path / "data").open()
    damaged.warehouse.write_bytes(b"no database")
    (error,) = ask(mcp_server().create_server(answers(damaged)), ("query", {"sql": "select 1"}))
    assert "run `convohouse build`" in error
