"""The singular tests on calls, cost, tokens and tools: they hold over calls of all kinds, and notice what is off."""

from __future__ import annotations

from typing import Any

from warehouse.connection import Limits, connect
from warehouse.models.checks import run
from warehouse.models.data_quality import project_checks

NAMES = {
    "agent_daily_agrees",
    "agents_agree",
    "costs_agree",
    "resolutions_agree",
    "thresholds_are_complete",
    "tokens_agree",
    "tool_reliability_agrees",
    "transfers_agree",
    "waits_agree",
}


def _calls(rows: Any) -> None:
    """A call with one of everything, one without agent and cost, one that is open, and two that do not count."""
    rows.seed("excluded_callers", "agent_id,a9,tests alone", "conversation_id,c5,a test")
    paid = {"cost_credits": 6000, "charging_call_charge_credits": 6000, "charging_tier": "starter"}
    rows.call("c1", version_id="v1", call_duration_secs=60, **paid)
    rows.call("c2", agent_id=None, workspace="second")
    rows.call("c3", status="in-progress", version_id="v1", **paid)
    rows.call("c4", agent_id="a9", call_duration_secs=60, **paid)
    rows.call("c5", version_id="v1", status="in-progress")
    for name in ("c1", "c3", "c4"):
        at = {"conversation_id": name, "turn_index": 1}
        rows.add("turns", conversation_id=name, turn_index=0, role="user", message="Hello")
        rows.add("turns", role="agent", message="Hello", **at)
        rows.add("turn_metrics", metric="convai_ttf_audio_since_silence", elapsed_secs=1.0, is_repeat=False, **at)
        rows.add("turn_metrics", metric="convai_llm_service_ttfb", elapsed_secs=1.0, is_repeat=False, **at)
        rows.add("tool_calls", call_index=0, depth=0, request_id="r", tool_name="transfer_to_number", **at)
        done = {"type": "system", "result_type": "transfer_to_number_twilio_success"}
        rows.add("tool_results", result_index=0, depth=0, request_id="r", **done, **at)
    rows.tokens("initiated", -1, "input", 0.5)
    rows.tokens("irreversible", -1, "input", 0.25)


CHANGES: dict[str, set[str]] = {
    "select 1": set(),
    "update metrics.agent_daily set n_waits = 2 where agent_id = 'a1'": {"agent_daily_agrees", "waits_agree"},
    "update metrics.agent_daily set n_unknown = 2 where agent_id is null": {"agent_daily_agrees"},
    "update metrics.agent_daily set call_minutes = 60": {"agent_daily_agrees"},
    "update metrics.agent_daily set cost_credits = 6001 where agent_id = 'a1'": {"agent_daily_agrees", "costs_agree"},
    "update metrics.agent_daily set cost_usd = 0 where agent_id is null": {"agent_daily_agrees", "costs_agree"},
    "update metrics.agent_daily set n_open = 3 where agent_id = 'a1'": {"agent_daily_agrees", "agents_agree"},
    "delete from metrics.agent_daily where workspace = 'second'": {"agent_daily_agrees"},
    "update metrics.repeat_callers set n_reached = 9 where agent_id = 'a1'": {"resolutions_agree"},
    "update metrics.agent_daily set n_resolved = 1 where agent_id = 'a1'": {"resolutions_agree"},
    "delete from seeds.thresholds where threshold = 'wait_poor_secs'": {"thresholds_are_complete"},
    "update metrics.cost_daily set cost_usd = 1.001 where component = 'call'": {"costs_agree"},
    "update metrics.cost_daily set workspace = 'second'": {"costs_agree"},
    "delete from metrics.cost_daily": {"costs_agree"},
    "update marts.dim_agents set n_agent_calls = 1 where agent_id = 'a9'": {"agents_agree"},
    "update marts.dim_agent_versions set n_calls = 2": {"agents_agree"},
    "update marts.fct_transfers set kind = 'agent'": {"transfers_agree"},
    "update marts.fct_transfers set is_error = true where conversation_id = 'c4'": {"transfers_agree"},
    "update marts.fct_turn_latency set is_measured = false": {"waits_agree"},
    "update marts.fct_turn_latency set is_counted = true where conversation_id = 'c3'": {"waits_agree"},
    "update marts.fct_llm_usage set input_tokens = 2 where scope = 'initiated'": {"tokens_agree"},
    "delete from marts.fct_llm_usage where scope = 'irreversible'": {"tokens_agree"},
    "update metrics.tool_reliability set n_answered = 2": {"tool_reliability_agrees"},
}
"""What is done to the tables, and which tests notice."""


def test_a_number_that_is_off_is_noticed(rows: Any) -> None:
    _calls(rows)
    reads = [key for test in rows.project.singular_tests if test.name in NAMES for key in test.reads]
    checks = [check for check in project_checks(rows.project) if check.name in NAMES]
    assert {check.name for check in checks} == NAMES
    with connect(limits=Limits(threads=1)) as connection:  # one thread sees what is not committed
        rows.materialize(connection, *reads)

        def noticed(change: str) -> set[str]:
            connection.begin()
            connection.execute(change)
            actual = {result.check.name for result in run(connection, checks) if not result.is_passed}
            connection.rollback()
            return actual

        assert {change: noticed(change) for change in CHANGES} == CHANGES
