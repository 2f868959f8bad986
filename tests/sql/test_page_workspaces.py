"""What a page shows of two workspaces: of both together, and of one alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.sql.conftest import LakeRows
from warehouse.connection import connect
from warehouse.serve.pages.money import forecast
from warehouse.serve.pages.selection import Period, Reader, Selection, select
from warehouse.serve.pages.tools import tools, unused
from warehouse.storage.home import Home

DAY = date(2026, 11, 18)
CHANGED_AT = {"main": datetime(2026, 11, 3, tzinfo=UTC), "other": datetime(2026, 11, 17, tzinfo=UTC)}
SPENT = {"main": 30.0, "other": 6.0}


@pytest.fixture(scope="module")
def connection(tmp_path_factory, project):
    rows = LakeRows(Home(tmp_path_factory.mktemp("workspaces") / "home").open(), project)
    rows.seed("budgets", "2026-11-01,*,100", "2026-11-01,a_main,40")
    at = datetime(2026, 11, 18, 12, tzinfo=UTC)
    for workspace, usd in SPENT.items():
        keys = {"workspace": workspace, "conversation_id": f"c_{workspace}", "start_date": DAY}
        rows.call(**keys, agent_id=f"a_{workspace}", start_time_at=at, cost_fiat_usd=usd)
        rows.add("tool_calls", **keys, call_index=0, turn_index=0, depth=0, request_id="r", tool_name="book")
        tool = {"workspace": workspace, "type": "webhook", "first_seen_at": rows.noon, "last_seen_at": rows.noon}
        changed = {"content_sha256": "01", "is_gone": False, "changed_at": CHANGED_AT[workspace]}
        rows.whole("tools", tool_id=f"t_{workspace}", name="book", **tool, **changed)
        rows.whole("tools", tool_id=f"u_{workspace}", name=f"unused_{workspace}", **tool, **changed)
        for number in range(2):
            valid_from_at = CHANGED_AT[workspace] - timedelta(days=1 - number)
            version = {"workspace": workspace, "tool_id": f"t_{workspace}", "content_sha256": f"0{number}"}
            rows.whole("tool_versions", valid_from_at=valid_from_at, **version)
    with connect() as connection:
        models = ("marts.fct_conversations", "marts.fct_turns", "marts.fct_tool_calls", "marts.dim_tools")
        rows.materialize(connection, *models, "metrics.spend_forecast")
        yield connection


def reader_of(connection, **selection):
    return select(Reader(connection), Selection(Period(DAY, DAY), **selection))


@pytest.mark.parametrize(
    ("selection", "cost_usd", "budget_usd"),
    [
        ({}, 36.0, 200.0),  # the budget * is of each workspace
        ({"workspace": "main"}, 30.0, 100.0),
        ({"agent_id": "a_main"}, 30.0, 40.0),
        ({"agent_id": "a_other"}, 6.0, None),
    ],
)
def test_a_budget_is_of_as_many_workspaces_as_the_cost(selection, cost_usd, budget_usd, connection):
    month, _ = forecast(reader_of(connection, **selection))
    assert (month["cost_usd"], month["budget_usd"]) == (cost_usd, budget_usd)


def test_what_only_one_of_two_workspaces_is_expected_to_cost_is_not_that_of_both(connection):
    assert forecast(reader_of(connection))[0]["expected_usd"] > sum(SPENT.values())
    connection.execute("begin")
    try:
        connection.execute("update metrics.spend_forecast set expected_usd = null where workspace = 'other'")
        assert forecast(reader_of(connection))[0]["expected_usd"] is None
        assert forecast(reader_of(connection, workspace="main"))[0]["expected_usd"] > SPENT["main"]
    finally:
        connection.execute("rollback")


@pytest.mark.parametrize(
    ("workspace", "changed_at", "names"),
    [
        (None, CHANGED_AT["other"], ["unused_main", "unused_other"]),
        ("main", CHANGED_AT["main"], ["unused_main"]),
        ("other", CHANGED_AT["other"], ["unused_other"]),
    ],
)
def test_the_tools_are_those_of_the_workspace(workspace, changed_at, names, connection):
    reader = reader_of(connection, workspace=workspace)
    (row,) = tools(reader)
    assert (row["tool_name"], row["changed_at"]) == ("book", changed_at)
    assert [row["tool_name"] for row in unused(reader)] == names
