"""Dimensions: agents, their versions, and days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any


def test_agents_from_calls_lists_entries_and_visits(rows: Any) -> None:
    later = rows.noon + timedelta(hours=1)
    rows.call("c1", agent_name="Old name")
    rows.call("c2", agent_name="New name", start_time_at=later, checked_at=later)
    rows.call("c3", status="initiated", start_time_at=later, checked_at=later + timedelta(hours=1))
    rows.call("c4", agent_id=None)
    rows.add("turns", turn_index=0, agent_metadata_agent_id="a2")
    rows.add("visited_agents", conversation_id="c2", visit_index=0, agent_id="a3")
    rows.add(
        "conversation_list",
        conversation_id="c9",
        agent_id="a4",
        agent_name="Listed",
        start_time_at=rows.noon,
        fingerprint="f",
        first_seen_at=later,
        last_seen_at=later,
    )
    assert rows.model("marts.dim_agents") == [
        {
            "workspace": "main",
            "agent_id": "a1",
            "agent_name": "New name",
            "first_call_at": rows.noon,
            "last_call_at": later,
            "n_agent_calls": 2,
            "n_agent_open": 1,
        },
        {
            "workspace": "main",
            "agent_id": "a2",
            "agent_name": None,
            "first_call_at": rows.noon,
            "last_call_at": rows.noon,
            "n_agent_calls": 0,
            "n_agent_open": 0,
        },
        {
            "workspace": "main",
            "agent_id": "a3",
            "agent_name": None,
            "first_call_at": later,
            "last_call_at": later,
            "n_agent_calls": 0,
            "n_agent_open": 0,
        },
        {
            "workspace": "main",
            "agent_id": "a4",
            "agent_name": "Listed",
            "first_call_at": rows.noon,
            "last_call_at": rows.noon,
            "n_agent_calls": 0,
            "n_agent_open": 0,
        },
    ]


def test_agents_of_two_workspaces_and_calls_that_do_not_count(rows: Any) -> None:
    rows.seed("excluded_callers", "conversation_id,c3,a test", "conversation_id,c4,a test")
    rows.call("c1")
    rows.call("c2", workspace="second", agent_id="b1")
    rows.call("c3")
    rows.call("c4", status="in-progress")
    assert rows.values("marts.dim_agents", "workspace", "agent_id", "n_agent_calls", "n_agent_open") == [
        ("main", "a1", 1, 0),
        ("second", "b1", 1, 0),
    ]


def test_versions_of_agents(rows: Any) -> None:
    rows.seed("excluded_callers", "conversation_id,c5,a test", "conversation_id,c6,a test")
    rows.call("c1", version_id="v1")
    rows.call("c2", version_id="v1", start_time_at=rows.noon + timedelta(hours=2), status="failed")
    rows.call("c3", version_id="v1", start_time_at=rows.noon + timedelta(hours=1), status="in-progress")
    rows.call("c4")  # no version: in no row
    rows.call("c5", version_id="v1")
    rows.call("c6", version_id="v1", status="in-progress")
    rows.call("c8", version_id="v1", status="initiated")
    rows.call("c7", version_id="v2", agent_id="b1", workspace="second")
    only = {"first_call_at": rows.noon, "last_call_at": rows.noon, "n_calls": 1, "n_open": 0}
    seen = ("workspace", "agent_id", "agent_name", "version_id", "first_call_at", "last_call_at", "n_calls", "n_open")
    assert rows.model("marts.dim_agent_versions", *seen) == [
        {
            "workspace": "main",
            "agent_id": "a1",
            "agent_name": None,
            "version_id": "v1",
            "first_call_at": rows.noon,
            "last_call_at": rows.noon + timedelta(hours=2),
            "n_calls": 2,
            "n_open": 2,
        },
        {"workspace": "second", "agent_id": "b1", "agent_name": None, "version_id": "v2"} | only,
    ]


def test_versions_that_the_api_keeps_say_what_changed(rows: Any) -> None:
    rows.call("c1", version_id="v1", agent_name="Front")
    rows.call("c2", version_id="v9")  # the API no longer has it
    row = {"agent_id": "a1", "branch_id": "b1", "content_sha256": "00", "seq_no_in_branch": 1}
    rows.whole("agent_versions", **row, version_id="v1", description="First", llm="small", committed_at=rows.noon)
    changed = {"changes": '["conversation_config.agent.prompt.llm"]', "parent_version_id": "v1", "seq_no_in_branch": 2}
    kept = {"llm": "large", "author_name": "Kim", "prompt_length": 12, "voice_id": "v", "tts_model": "t"}
    counts = {"n_tools": 3, "n_criteria": 4}
    rows.whole("agent_versions", **(row | changed | kept | counts), version_id="v2", description="A larger model")
    rows.whole("agent_versions", **(row | {"agent_id": "a2"}), version_id="v3")  # an agent without conversations
    rows.whole("agent_versions", **(row | {"branch_id": "b9"}), version_id="v4")  # a branch that is not listed
    branch = {"agent_id": "a1", "branch_id": "b1", "last_seen_at": rows.noon, "content_sha256": "00"}
    for hours, is_current, percentage in ((0, False, 100.0), (1, True, 25.0)):
        at = rows.noon + timedelta(hours=hours)
        state = {"valid_from_at": at, "is_current": is_current, "current_live_percentage": percentage}
        rows.whole("agent_branches", **branch, **state, branch_name="Main")
    latest = {"valid_from_at": rows.noon + timedelta(hours=2), "current_live_percentage": 75.0}
    for others in ({"branch_id": "b2"}, {"agent_id": "a2"}, {"workspace": "second"}):
        rows.whole("agent_branches", **(branch | latest | others), branch_name="Other")
    first, second, unlisted, third = rows.model("marts.dim_agent_versions")
    agent = {"workspace": "main", "agent_id": "a1", "agent_name": "Front"}
    main = agent | {"branch_id": "b1", "branch_name": "Main"}
    nothing = dict.fromkeys(first)
    used = {"first_call_at": rows.noon, "last_call_at": rows.noon, "n_calls": 1, "n_open": 0}
    live = main | {"branch_live_percentage": 25.0}
    old = {"version_id": "v1", "description": "First", "llm": "small", "committed_at": rows.noon, "seq_no_in_branch": 1}
    assert first == nothing | live | old | used
    assert second == nothing | live | kept | counts | changed | {
        "version_id": "v2",
        "description": "A larger model",
        "n_calls": 0,
        "n_open": 0,
    }
    unused = {"version_id": "v4", "branch_id": "b9", "seq_no_in_branch": 1, "n_calls": 0, "n_open": 0}
    assert unlisted == nothing | agent | unused
    assert third == nothing | agent | {"version_id": "v9"} | used


def test_days_from_the_first_call_to_the_last(rows: Any) -> None:
    # 31 December 2026 is a Thursday, so the first days of 2027 are still in week 53
    for name, day in (("c1", date(2026, 12, 31)), ("c2", date(2027, 1, 4))):
        rows.call(name, start_date=day)
    columns = ("start_date", "week_start_date", "month_start_date", "iso_week", "weekday", "is_weekend")
    monday, december, january = date(2026, 12, 28), date(2026, 12, 1), date(2027, 1, 1)
    assert rows.model("marts.dim_dates") == [
        dict(zip(columns, row, strict=True))
        for row in (
            (date(2026, 12, 31), monday, december, 53, 4, False),
            (date(2027, 1, 1), monday, january, 53, 5, False),
            (date(2027, 1, 2), monday, january, 53, 6, True),
            (date(2027, 1, 3), monday, january, 53, 7, True),
            (date(2027, 1, 4), date(2027, 1, 4), january, 1, 1, False),
        )
    ]


def test_no_days_without_calls(rows: Any) -> None:
    assert rows.model("marts.dim_dates") == []
