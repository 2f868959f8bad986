"""What the overview says of a change: which measure, and which agent explains it, worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from pipelines.page.views.overview import calm, sentence
from tests.sql.conftest import LakeRows
from warehouse.connection import connect
from warehouse.serve.pages.overview import read_overview
from warehouse.serve.pages.selection import Period, Reader, Selection, select
from warehouse.storage.home import Home

BIG, SMALL = date(2026, 11, 10), date(2026, 11, 12)
"""Days on which fewer succeed than on the day before: because of a big agent, and because of a small one."""
LEVEL, FEW_CALLS, QUIET = date(2026, 11, 14), date(2026, 11, 15), date(2026, 11, 17)
"""Days on which as many succeed: an agent falls and another rises; there are few; no agent moves."""

NOTHING_MOVED = "Compared with the day before, no rate, wait or cost per success moved by more than chance"
LARGEST_MOVED = f"{NOTHING_MOVED} over all agents. The largest change at one agent"

VERDICTS = {
    date(2026, 11, 9): {"a1": (30, 10), "a2": (20, 5)},
    BIG: {"a1": (10, 30), "a2": (22, 3)},
    date(2026, 11, 11): {"a1": (19, 0), "a2": (40, 10)},
    SMALL: {"a1": (0, 19), "a2": (39, 11)},
    date(2026, 11, 13): {"a1": (30, 10), "a2": (40, 60)},
    LEVEL: {"a1": (18, 22), "a2": (52, 48)},
    FEW_CALLS: {"a1": (0, 5)},
    date(2026, 11, 16): {"a2": (20, 10)},
    QUIET: {"a2": (21, 9)},
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


def visit_of(selection):
    return SimpleNamespace(
        filter=SimpleNamespace(selection=selection, period=selection.period),
        status=SimpleNamespace(first_date=min(VERDICTS)),
        agent=lambda agent_id: f"Agent {agent_id}",
    )


def said(overview, selection):
    return sentence(visit_of(selection), overview).replace("\xa0", " ")


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


@pytest.mark.parametrize(
    ("day", "agent_id", "expected"),
    [
        (
            BIG,
            None,
            "Success rate fell from 76.9 % to 49.2 % compared with the day before, most at Agent a1 (\u221250.0 pts).",
        ),
        (SMALL, None, "Success rate fell from 85.5 % to 56.5 % compared with the day before."),
        # 59 of 69 after 32 of 65; of a1 there are too few, and a2 fell
        (date(2026, 11, 11), None, "Success rate rose from 49.2 % to 85.5 % compared with the day before."),
        # 70 of 140 on both days; a1 has 18 of 40 after 30, more than chance; a2 has 52 of 100 after 40, which is not
        (
            LEVEL,
            None,
            f"{LARGEST_MOVED}: Agent a1, success rate fell from 75.0 % to 45.0 %.",
        ),
        (LEVEL, "a2", f"{NOTHING_MOVED}."),
        (
            FEW_CALLS,
            None,
            "5 finished conversations; here or in the day before there are too few to say what changed.",
        ),
        (QUIET, None, f"{NOTHING_MOVED}."),
    ],
)
def test_the_sentence_says_what_moved_and_of_whom(reader, day, agent_id, expected):
    selection = Selection(Period(day, day), agent_id=agent_id)
    assert said(read_overview(select(reader, selection)), selection) == expected


def test_a_period_that_the_data_do_not_reach_back_to_is_named(reader):
    # 200 of 343 after 50 of 65, on the only one of the four days before that has data; a1 has 59 of 118 after 30 of 40
    selection = Selection(Period(BIG, date(2026, 11, 13)))
    assert said(read_overview(select(reader, selection)), selection) == (
        "Success rate fell from 76.9 % to 58.3 % compared with the 4 days before, most at Agent a1 (\u221225.0 pts). "
        "The data begins on Mon 9 Nov 2026, so the 4 days before are incomplete."
    )


def test_what_was_not_looked_at_is_not_said_to_be_fine(reader):
    week = Selection(Period(date(2026, 11, 9), date(2026, 11, 15)))  # Monday to Sunday, and a day after it has calls
    day = Selection(Period(QUIET, QUIET), is_compared=False)
    compared = Selection(Period(QUIET, QUIET))
    texts = [calm(read_overview(select(reader, selection))) for selection in (week, day, compared)]
    assert texts == [
        # nothing was before the week: neither days to compare with, nor tool calls
        "No missed target. There are too few earlier days to recognize an unusual one.",
        "No unusual day. No week with a target ended in these days.",
        "No unusual day and no tool that fails more than before. No week with a target ended in these days.",
    ]
