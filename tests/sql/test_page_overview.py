"""What the overview says of a change: which measure, and which agent explains it, worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.sql.conftest import LakeRows
from warehouse.connection import connect
from warehouse.serve.pages.overview import read_overview
from warehouse.serve.pages.selection import Period, Reader, Selection, select
from warehouse.storage.home import Home

BIG, SMALL = date(2026, 11, 10), date(2026, 11, 12)
"""Days on which fewer succeed than on the day before: because of a big agent, and because of a small one."""

VERDICTS = {
    date(2026, 11, 9): {"a1": (30, 10), "a2": (20, 5)},
    BIG: {"a1": (10, 30), "a2": (22, 3)},
    date(2026, 11, 11): {"a1": (19, 0), "a2": (40, 10)},
    SMALL: {"a1": (0, 19), "a2": (39, 11)},
}
"""Successes and failures, by day and agent."""


@pytest.fixture(scope="module")
def reader(tmp_path_factory, project):
    rows = LakeRows(Home(tmp_path_factory.mktemp("overview") / "home").open(), project)
    for day, agents in VERDICTS.items():
        for agent_id, (n_success, n_failure) in agents.items():
            for number, verdict in enumerate(["success"] * n_success + ["failure"] * n_failure):
                at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
                values = {"start_date": day, "start_time_at": at, "analysis_call_successful": verdict}
                rows.call(f"{agent_id}_{day}_{number}", agent_id=agent_id, **values)
    models = ("marts.fct_conversations", "marts.fct_turns", "marts.fct_tool_calls", "metrics.catalog")
    with connect() as connection:
        rows.materialize(connection, *models, "metrics.anomalies", "metrics.targets")
        yield Reader(connection)


def test_the_agent_that_explains_a_change_is_named(reader):
    # 32 of 65 after 50 of 65; a1 has 10 of 40 after 30 of 40
    overview = read_overview(select(reader, Selection(Period(BIG, BIG))))
    assert (overview.headline.column, overview.headline.change) == ("success_rate", pytest.approx(-18 / 65))
    assert (overview.mover.agent_id, overview.mover.change) == ("a1", -0.5)


def test_an_agent_that_moved_less_than_the_whole_does_not_explain_it(reader):
    # 39 of 69 after 59 of 69; of a1 there are too few to say anything, and a2 has 39 of 50 after 40 of 50
    overview = read_overview(select(reader, Selection(Period(SMALL, SMALL))))
    assert (overview.headline.column, overview.headline.change) == ("success_rate", pytest.approx(-20 / 69))
    assert overview.mover is None
