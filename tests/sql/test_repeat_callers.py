from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

METRIC = "metrics.repeat_callers"
WINDOWS = ("n_returned_1d", "n_returned_7d", "n_returned_30d")
RATES = ("return_1d_rate", "return_7d_rate", "return_30d_rate", "first_contact_resolution_rate")


def _call(rows: Any, name: str, after: timedelta, caller: str | None, **row: object) -> None:
    """A successful call of that caller, so long after noon of the first day."""
    at = rows.noon + after
    defaults = {"start_time_at": at, "start_date": at.date(), "phone_call_external_number": caller}
    rows.call(name, **({"analysis_call_successful": "success"} | defaults | row))


def _day(days: float, seconds: int = 0) -> timedelta:
    return timedelta(days=days, seconds=seconds)


def test_repeat_callers(rows: Any) -> None:
    rows.seed("excluded_callers", "user_id,tester,ourselves")
    _call(rows, "end", _day(40), None, agent_id="a9")  # the data reaches so far
    _call(rows, "p1", _day(0), "+1")
    _call(rows, "p2", _day(0.25), "+1")  # the same day: +1 is back, and this one is its last
    _call(rows, "q1", _day(0), "+2")
    _call(rows, "q2", _day(1), "+2", status="in-progress")  # to the second; open calls are calls
    _call(rows, "r1", _day(0), "+3")
    _call(rows, "r2", _day(1, 1), "+3")
    _call(rows, "s1", _day(0), "+4")
    _call(rows, "s2", _day(7), "+4")
    _call(rows, "t1", _day(0), "+5")
    _call(rows, "t2", _day(7, 1), "+5")
    _call(rows, "u1", _day(0), "+6", analysis_call_successful="failure")
    _call(rows, "u2", _day(30), "+6")
    _call(rows, "v1", _day(0), "+7", analysis_call_successful=None)
    _call(rows, "v2", _day(30, 1), "+7")
    _call(rows, "w1", _day(0), "+8")
    _call(rows, "w2", _day(0.5), "+8", agent_id="a2")  # another agent
    _call(rows, "x1", _day(0), "+9")
    _call(rows, "x2", _day(0.25), "+9", user_id="tester")  # left out
    _call(rows, "y1", _day(0), None, is_deleted=True)  # who it was is not known
    _call(rows, "z1", _day(0), "+10", status="in-progress")  # open: does not count by itself
    _call(rows, "m1", _day(0), "+11", phone_call_call_result="no_answer")  # nobody was reached
    _call(rows, "x3", _day(0.4), "+9", phone_call_call_result="voicemail")  # a machine: +9 is not back
    (actual,) = (row for row in rows.model(METRIC) if (row["start_date"], row["agent_id"]) == (rows.day, "a1"))
    assert actual == pytest.approx(
        {
            "workspace": "main",
            "start_date": rows.day,
            "agent_id": "a1",
            "agent_name": None,
            "n_calls": 13,  # p1 p2 q1 r1 s1 t1 u1 v1 w1 x1 y1, and m1 x3
            "n_reached": 11,  # all but m1 x3
            "n_known_calls": 10,  # all but y1
            "caller_coverage": 10 / 11,
            "n_callers": 9,
            "n_returned_1d": 2,  # +1 +2
            "n_returned_7d": 4,  # and +3 +4
            "n_returned_30d": 6,  # and +5 +6
            "return_1d_rate": 2 / 9,
            "return_7d_rate": 4 / 9,
            "return_30d_rate": 6 / 9,
            "n_resolved": 4,  # p2 t1 w1 x1: p1 q1 r1 s1 are followed by a call, u1 and v1 are not successes
            "first_contact_resolution_rate": 4 / 10,
        }
    )


RETURNED = {
    0: (None, None, None),
    1: (None, None, None),
    2: (0, None, None),
    7: (0, None, None),
    8: (0, 0, None),
    30: (0, 0, None),
    31: (0, 0, 0),
}


@pytest.mark.parametrize(("reach", "n_returned"), RETURNED.items())
def test_a_window_is_null_until_a_later_day_has_a_call(
    rows: Any, reach: int, n_returned: tuple[int | None, int | None, int | None]
) -> None:
    _call(rows, "c1", _day(0), "+1")
    _call(rows, "c2", _day(reach), None, agent_id="a2", status="initiated")
    _call(rows, "c3", _day(60), None, agent_id="b1", workspace="second")
    actual = rows.model(METRIC, "agent_id", "n_calls", "n_callers", *WINDOWS, "n_resolved", *RATES)
    one_resolved = None if n_returned[1] is None else 1
    rates = [None if count is None else float(count) for count in (*n_returned, one_resolved)]
    assert tuple(actual[0].values()) == ("a1", 1, 1, *n_returned, one_resolved, *rates)


def test_a_day_whose_callers_are_not_known_has_no_rate(rows: Any) -> None:
    _call(rows, "c1", _day(0), None, agent_id=None)
    _call(rows, "c2", _day(40), None, agent_id=None, status="initiated")
    columns = ("n_calls", "n_known_calls", "caller_coverage", "n_callers")
    assert rows.values(METRIC, *columns, *WINDOWS, "n_resolved", *RATES) == [
        (1, 0, 0.0, 0, 0, 0, 0, 0, None, None, None, None)
    ]


def test_callers_of_other_agents_and_workspaces_stand_apart(rows: Any) -> None:
    _call(rows, "c1", _day(0), "+1", agent_id=None)
    _call(rows, "c2", _day(0.25), "+1", agent_id=None, workspace="second")
    _call(rows, "c3", _day(0.125), "+1", agent_id="a2")
    _call(rows, "c4", _day(0.25), "+1", agent_id="a2")
    for workspace in ("main", "second"):
        _call(rows, f"end_{workspace}", _day(40), None, agent_id="a9", status="initiated", workspace=workspace)
    assert rows.values(METRIC, "workspace", "agent_id", "n_calls", "n_callers", "n_returned_30d", "n_resolved") == [
        ("main", "a2", 2, 1, 1, 1),
        ("main", None, 1, 1, 0, 1),
        ("second", None, 1, 1, 0, 1),
    ]
