"""When a listing proves that it is of the same workspace, and which conversations are looked up when it does not."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from pipelines.errors import ForeignWorkspaceError
from pipelines.extract.time_window import Window
from pipelines.extract.workspace_identity import (
    N_PROBES,
    Identity,
    check_identity,
    check_landed,
    host_of,
    read_identity,
    remember,
)
from tests.helpers.fake_api import Server, client, vendor_error
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.storage import landing, parquet
from warehouse.storage.home import Home

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL, OTHER_URL = "https://api.example", "https://eu.example"
EVERYTHING, TODAY = Window(None, NOW, is_open=True), Window(NOW + HOUR, NOW + 2 * HOUR)
NONE_THERE, ALL_THERE = vendor_error(404, "not_found"), httpx.Response(200, json={"conversation_id": "another"})


def listed(*names, agent_id):
    rows = [{"conversation_id": name, "start_time_at": NOW, "agent_id": agent_id, "listed_at": NOW} for name in names]
    return parquet.frame(LANDED_LISTINGS, rows)


def land(home, n_conversations, kind="document", first=0):
    """Conversations of an hour each, the oldest first."""
    row = {"start_date": NOW.date(), "agent_id": "agent_a", "kind": kind, "fetched_at": NOW, "content_sha256": "00"}
    times = {f"conv_{n}": NOW - (100 - n) * HOUR for n in range(first, first + n_conversations)}
    landing.land_documents(home, [row | {"conversation_id": n, "start_time_at": at} for n, at in times.items()])


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home").open()
    remember(home, URL, listed("conv_0", agent_id="agent_a"))
    return home


def looked_up(check, answer):
    """The conversations that are looked up, and whether the workspace is taken for another one."""
    server = Server(answer)
    try:
        asyncio.run(check(lambda: client(server)))
    except ForeignWorkspaceError:
        is_foreign = True
    else:
        is_foreign = False
    ids = dict.fromkeys(int(request.url.path.rpartition("_")[2]) for request in server.requests)  # without retries
    return list(ids), is_foreign


@pytest.mark.parametrize(
    ("n_landed", "list_rows", "url", "window", "is_looked_up"),
    [
        (0, listed("x", agent_id="agent_b"), OTHER_URL, EVERYTHING, False),
        (20, listed("x", "conv_7", agent_id="agent_b"), OTHER_URL, EVERYTHING, False),
        (20, listed("x", agent_id="agent_a"), URL, TODAY, False),
        (N_PROBES - 1, listed("x", agent_id="agent_a"), URL, EVERYTHING, False),
        (N_PROBES, listed("x", agent_id="agent_a"), URL, EVERYTHING, True),
        (1, listed("x", agent_id="agent_a"), OTHER_URL, TODAY, True),
        (1, listed("x", agent_id="agent_b"), URL, TODAY, True),
        (1, listed(agent_id="agent_a"), URL, TODAY, True),
    ],
)
def test_a_listing_without_a_landed_conversation_is_doubted(home, *, n_landed, list_rows, url, window, is_looked_up):
    land(home, n_landed)

    def check(connect):
        return check_identity(connect, home, url, window, list_rows)

    ids, is_foreign = looked_up(check, NONE_THERE)
    assert (bool(ids), is_foreign) == (is_looked_up, is_looked_up)
    assert looked_up(check, ALL_THERE) == ([n_landed - 1] if is_looked_up else [], False)


def test_ten_conversations_of_all_their_time_are_looked_up_the_newest_first(home):
    land(home, 25)
    land(home, 5, "gone", first=50)  # the API is not expected to have them

    def check(connect):
        return check_identity(connect, home, OTHER_URL, EVERYTHING, listed("x", agent_id="agent_b"))

    assert looked_up(check, NONE_THERE) == ([24, 21, 18, 15, 12, 9, 6, 3, 0], True)


@pytest.mark.parametrize(
    ("url", "is_anything_known", "ids"),
    [(URL, False, [99, 98, 97]), (URL, True, []), (OTHER_URL, True, [99, 98, 97, 2, 1, 0])],
)
def test_without_a_listing_recent_conversations_are_looked_up(home, url, is_anything_known, ids):
    land(home, 3)
    land(home, 3, first=97)
    land(home, 1, "gone", first=96)

    def check(connect):
        return check_landed(connect, home, url, NOW, is_anything_known=is_anything_known)

    assert looked_up(check, NONE_THERE) == (ids, bool(ids))


def test_a_foreign_workspace_is_named_with_the_host_that_was_copied(home):
    land(home, 1)
    with pytest.raises(
        ForeignWorkspaceError, match=r"^Workspace main, which was copied from api.example: the API at eu"
    ):
        asyncio.run(check_landed(lambda: client(Server(NONE_THERE)), home, OTHER_URL, NOW, is_anything_known=False))
    remember(home, OTHER_URL, listed("x", agent_id="agent_b"))
    with pytest.raises(ForeignWorkspaceError, match=r"^Workspace main: the API at eu.example shows none"):
        asyncio.run(
            check_identity(lambda: client(Server(NONE_THERE)), home, OTHER_URL, TODAY, listed("y", agent_id="agent_c"))
        )


def test_agents_are_remembered_with_the_latest_host_and_nothing_of_a_key(home):
    assert read_identity(home) == Identity("api.example", frozenset({"agent_a"}))
    remember(home, "https://me:secret@eu.example:8443/x", listed("x", agent_id="agent_b"))
    assert read_identity(home) == Identity("eu.example:8443", frozenset({"agent_a", "agent_b"}))
    home.identity.write_text("{")
    assert read_identity(home) == Identity(None, frozenset())
    assert host_of("https://api.example/eleven") == "api.example"
