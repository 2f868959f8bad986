"""``convohouse sync``: a window, a broken document, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from tests.helpers.day import midnight
from tests.helpers.editing_app import Answer, intercept
from tests.helpers.few_models import FEW
from tests.helpers.run_cli import run
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage.home import Home
from warehouse.storage.lake import read

pytestmark = pytest.mark.usefixtures("few_models")

UNTIL = midnight()
KEY = {"ELEVENLABS_API_KEY": "demo"}


@pytest.fixture
def few_keys() -> tuple[str, ...]:
    return FEW


@pytest.fixture(scope="module")
def world() -> World:
    return World(conversations=40, days=3, until=UNTIL)


@pytest.fixture(scope="module")
def api(world: World) -> Iterator[str]:
    with running(create_app(world, clock=lambda: UNTIL)) as url:
        yield url


@pytest.fixture(scope="module")
def n_calls(world: World) -> int:
    return len(list(world.visible(UNTIL)))


def test_sync_as_data_and_within_a_window(api: str, world: World, tmp_path: Path) -> None:
    since = UNTIL - timedelta(days=1)
    agent = next(world.visible(UNTIL)).agent.agent_id
    ended = run(
        tmp_path, "--json", "sync", "--since", f"{since:%Y-%m-%d}", "--agent", agent, **KEY, ELEVENLABS_BASE_URL=api
    )
    visible = [
        conversation
        for conversation in world.visible(UNTIL)
        if conversation.start >= since.timestamp() and conversation.agent.agent_id == agent
    ]
    run_row = ended.data["run"]
    assert (ended.code, ended.err, ended.data["problems"]) == (0, "", [])
    assert (run_row["agent_id"], run_row["since_at"], run_row["outcome"]) == (agent, since.isoformat(), "complete")
    assert (run_row["n_listed"], run_row["n_new"], run_row["n_landed"]) == (len(visible),) * 3
    shown = read(Home(tmp_path / "data"), CONVERSATIONS, ["conversation_id"])["conversation_id"]
    assert set(shown) == {conversation.conversation_id for conversation in visible}


def test_a_document_that_cannot_be_parsed_leaves_the_run_incomplete_and_loads_the_rest(
    world: World, n_calls: int, tmp_path: Path
) -> None:
    broken = next(world.visible(UNTIL)).conversation_id
    half = Answer(body=b'{"conversation_id": ')
    app = create_app(world, clock=lambda: UNTIL)
    with running(intercept(app, lambda scope: half if scope["path"].endswith(broken) else None)) as url:
        settings = KEY | {"ELEVENLABS_BASE_URL": url, "CONVOHOUSE_REQUEST_DEADLINE_SECS": "1"}
        ended = run(tmp_path, "sync", **settings)
    lines = ended.err.splitlines()
    incomplete = lines.index("incomplete:")
    assert (ended.code, ended.out) == (1, b"")
    assert broken in lines[incomplete + 1]
    assert f"  fetched      {n_calls - 1}: {n_calls - 1} landed, 0 unchanged, 0 deleted" in lines
    (shown,) = run(tmp_path, "status", "--json").data["workspaces"]
    assert [row["conversation_id"] for row in shown["quarantine"]] == [broken]
    assert (shown["n_in_lake"], shown["runs"][0]["outcome"]) == (n_calls - 1, "incomplete")
    assert run(tmp_path, "query", "select count(*) as n from marts.fct_conversations", "--json").data == [
        {"n": n_calls - 1}
    ]
    assert broken in run(tmp_path, "status").text
    assert run(tmp_path, "check").code == 1


def test_ctrl_c_keeps_what_was_fetched(world: World, n_calls: int, tmp_path: Path) -> None:
    calls: list[int] = []
    processes: list[subprocess.Popen[bytes]] = []

    def clock() -> datetime:
        calls.append(len(calls))
        if len(calls) == 12:
            processes[0].send_signal(signal.SIGINT)
        return UNTIL

    with running(create_app(world, clock=clock)) as url:
        environment = os.environ | KEY  # noqa: TID251 - a process of its own
        command = [sys.executable, "-c", "from pipelines.cli.main import main; main()", "sync", "--home", str(tmp_path)]
        with subprocess.Popen(  # noqa: S603 - ours
            command, env=environment | {"ELEVENLABS_BASE_URL": url}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as started:
            processes.append(started)
            out, err = started.communicate(timeout=60)
        assert (started.returncode, out) == (130, b"")
        assert err.decode().splitlines()[-1] == "stopped; nothing that was fetched is lost"
        assert b"Traceback" not in err
        (kept,) = run(tmp_path, "status", "--json", CONVOHOUSE_HOME=str(tmp_path)).data["workspaces"]
        assert kept["runs"][0]["outcome"] == "failed"
        again = run(tmp_path, "sync", "--json", **KEY, ELEVENLABS_BASE_URL=url, CONVOHOUSE_HOME=str(tmp_path))
    assert again.code == 0
    assert again.data["run"]["n_new"] == n_calls - kept["n_landed"]
