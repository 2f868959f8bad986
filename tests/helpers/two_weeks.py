"""Two weeks of an agent, which are two of its versions as well, and its measures in them, worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

WAIT = "convai_ttf_audio_since_silence"
MONDAY = date(2026, 11, 2)  # a Monday: the weeks of these tests begin on 2, 9, 16 and 23 November 2026
SUNDAY, NEXT_MONDAY, TUESDAY = date(2026, 11, 8), date(2026, 11, 9), date(2026, 11, 24)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def add_call(rows: Any, name: str, day: date, **row: object) -> None:
    rows.call(name, start_date=day, start_time_at=noon(day), **row)


def add_turns(rows: Any, call: str, day: date, *turns: tuple[bool, float | None]) -> None:
    """Words of the user, then spoken entries of the agent: whether the user cut it, and the wait before it."""
    rows.add("turns", conversation_id=call, start_date=day, turn_index=0, role="user", message="Hello?")
    for index, (is_cut, wait) in enumerate(turns, 1):
        of_it = {"conversation_id": call, "start_date": day, "turn_index": index}
        # the version that makes an entry is another one here, to which its wait does not belong
        rows.add("turns", **of_it, role="agent", message="Hi", interrupted=is_cut, agent_metadata_version_id="v9")
        if wait is not None:
            rows.add("turn_metrics", **of_it, metric=WAIT, elapsed_secs=wait, is_repeat=False)


def add_transfer(rows: Any, call: str, day: date, what: str) -> None:
    of_it = {"conversation_id": call, "start_date": day, "turn_index": 0, "result_index": 0}
    rows.add("tool_results", **of_it, depth=0, request_id="r", type="system", result_type=what)


def add_tokens(rows: Any, call: str, day: date, scope: str, price_usd: float) -> None:
    key = {"conversation_id": call, "start_date": day, "turn_index": -1, "model": "m", "token_kind": "input"}
    rows.add("llm_usage", **key, scope=scope, tokens=1, price_usd=price_usd)


def add_two_weeks(rows: Any) -> None:
    """Two weeks of a1, which are its versions v1 and v2 as well; a bare call of it; an open one of a2."""
    add_call(
        rows,
        "c1",
        MONDAY,
        version_id="v1",
        call_duration_secs=60,
        analysis_call_successful="success",
        cost_credits=600,
        charging_tier="starter",
        feedback_rating=5,
        feedback_likes=1,
        feedback_dislikes=2,
    )
    add_turns(rows, "c1", MONDAY, (True, None), (False, 1.0))
    add_tokens(rows, "c1", MONDAY, "initiated", 0.02)
    add_tokens(rows, "c1", MONDAY, "irreversible", 0.01)
    add_call(
        rows,
        "c2",
        SUNDAY,
        version_id="v1",
        call_duration_secs=120,
        analysis_call_successful="failure",
        cost_credits=1800,
        cost_fiat_usd=0.3,
        is_deleted=True,
        feedback_rating=2,
        feedback_likes=2,
        feedback_dislikes=1,
    )
    add_turns(rows, "c2", SUNDAY, (True, 3.0))
    add_tokens(rows, "c2", SUNDAY, "initiated", 0.01)
    add_transfer(rows, "c2", SUNDAY, "transfer_to_number_sip_success")
    add_call(
        rows,
        "c3",
        NEXT_MONDAY,
        version_id="v2",
        call_duration_secs=20,
        analysis_call_successful="success",
        cost_credits=50,
        charging_tier="free",
        features_usage_voicemail_detection_used=True,
    )
    failed = {"status": "failed", "call_duration_secs": 0, "accepted_time_at": noon(NEXT_MONDAY)}
    add_call(rows, "c4", NEXT_MONDAY, version_id="v2", **failed)
    add_call(
        rows,
        "c5",
        NEXT_MONDAY,
        version_id="v2",
        call_duration_secs=100,
        analysis_call_successful="success",
        cost_credits=900,
        charging_tier="starter",
        feedback_rating=4,
    )
    add_turns(rows, "c5", NEXT_MONDAY, (True, 4.0), (False, None))
    add_transfer(rows, "c5", NEXT_MONDAY, "transfer_to_agent_success")
    add_tokens(rows, "c5", NEXT_MONDAY, "initiated", 0.05)
    open_one = {  # of which everything is told, and nothing counts
        "status": "in-progress",
        "analysis_call_successful": "success",
        "cost_credits": 9999,
        "call_duration_secs": 999,
        "queue_wait_secs": 99.0,
        "feedback_rating": 5,
        "feedback_likes": 9,
        "feedback_dislikes": 9,
        "charging_tts_usage_total_audio_output_seconds": 99.0,
        "charging_asr_usage_total_audio_input_seconds": 99.0,
        "phone_call_external_number": "+1",
    }
    add_call(rows, "open", NEXT_MONDAY, version_id="v2", **open_one)
    add_turns(rows, "open", NEXT_MONDAY, (True, 100.0))
    add_tokens(rows, "open", NEXT_MONDAY, "initiated", 9.0)
    of_open = {"conversation_id": "open", "start_date": NEXT_MONDAY}
    rows.add("platform_usage", **of_open, category="silence", quantity=99.0)
    rows.add("turns", **of_open, turn_index=9, role="user", message="mhm", ignored_as_backchannel=True)
    rows.seed("excluded_callers", "user_id,tester,ourselves")
    for name, status in (("tested", "done"), ("in_test", "in-progress")):
        add_call(rows, name, MONDAY, version_id="v1", user_id="tester", status=status, cost_credits=9999)
        add_turns(rows, name, MONDAY, (True, 100.0))
    add_call(rows, "bare", TUESDAY)
    add_call(rows, "only_open", MONDAY, agent_id="a2", version_id="v7", status="initiated")


# no caller is known, nobody was in a queue, and the API told nothing of audio
UNTOLD = {
    **dict.fromkeys(("n_backchannels", "n_audio_calls", "n_silence_calls", "n_queued", "n_queue_abandoned"), 0),
    **dict.fromkeys(("n_answered_in_time", "n_followed", "n_contained_no_callback"), 0),
    **dict.fromkeys(("n_traced", "n_resolved", "n_traced_judged"), 0),
    **dict.fromkeys(("agent_audio_secs", "user_audio_secs", "talk_share", "silence_secs", "silence_share"), None),
    **dict.fromkeys(("contained_no_callback_rate", "fcr_rate", "fcr_judged_rate", "fcr_coverage"), None),
    **dict.fromkeys(("queue_abandonment_rate", "asa_secs", "service_level_rate", "cost_usd_per_resolution"), None),
}

AMOUNTS = ("agent_audio_secs", "user_audio_secs", "silence_secs")

# c1 and c2: 600 credits at 6000 for a dollar are 0.1, and 0.3 is reported; waits of 1 and 3
FIRST = {
    "n_calls": 2,
    "n_open": 0,
    "n_deleted": 1,
    "call_minutes": 3.0,
    "n_success": 1,
    "n_failure": 1,
    "n_unknown": 0,
    "success_rate": 0.5,
    "success_coverage": 1.0,
    "cost_credits": 2400,
    "cost_usd": 0.4,
    "cost_usd_coverage": 1.0,
    "cost_usd_per_call": 0.2,
    "cost_usd_per_minute": 0.4 / 3,
    "cost_usd_per_success": 0.4,
    "llm_cost_usd": 0.03,
    "n_agent_turns": 3,
    "n_interruptions": 2,
    "interruption_rate": 2 / 3,
    "n_transferred": 1,
    "n_transferred_to_agent": 0,
    "n_transferred_to_human": 1,
    "transfer_rate": 0.5,
    "n_contained": 1,
    "containment_rate": 0.5,
    "n_voicemail": 0,
    "voicemail_rate": 0.0,
    "n_errors": 0,
    "error_rate": 0.0,
    "n_abandoned": 0,
    "abandonment_rate": 0.0,
    "n_ratings": 2,
    "rating": 3.5,
    "likes": 3,
    "dislikes": 3,
    "n_waits": 2,
    "wait_p50_secs": 2.0,
    "wait_p90_secs": 2.8,
    "wait_p95_secs": 2.9,
    "wait_p99_secs": 2.98,
    "n_reached": 2,
    "reach_rate": 1.0,
    "n_reached_judged": 2,
    "n_resolved_contained": 1,
    "resolved_containment_rate": 0.5,
    "n_handled": 2,
    "aht_mean_secs": 90.0,
    "aht_p50_secs": 90.0,
    "aht_p90_secs": 114.0,
    "n_satisfied": 1,
    "csat_rate": 0.5,
    "wait_within_good_rate": 0.5,
    "wait_within_fair_rate": 0.5,
    "wait_within_poor_rate": 1.0,
    "traced_cost_usd": 0.4,
    **UNTOLD,
}

# c3 (a machine, no rate for its plan), c4 (failed) and c5 (900 credits are 0.15), one open
SECOND = {
    "n_calls": 3,
    "n_open": 1,
    "n_deleted": 0,
    "call_minutes": 2.0,
    "n_success": 2,
    "n_failure": 0,
    "n_unknown": 1,
    "success_rate": 1.0,
    "success_coverage": 2 / 3,
    "cost_credits": 950,
    "cost_usd": 0.15,
    "cost_usd_coverage": 1 / 3,
    "cost_usd_per_call": 0.05,
    "cost_usd_per_minute": 0.075,
    "cost_usd_per_success": 0.075,
    "llm_cost_usd": 0.05,
    "n_agent_turns": 2,
    "n_interruptions": 1,
    "interruption_rate": 0.5,
    "n_transferred": 1,
    "n_transferred_to_agent": 1,
    "n_transferred_to_human": 0,
    "transfer_rate": 1 / 3,
    "n_contained": 1,
    "containment_rate": 0.5,
    "n_voicemail": 1,
    "voicemail_rate": 1 / 3,
    "n_errors": 1,
    "error_rate": 1 / 3,
    "n_abandoned": 0,
    "abandonment_rate": 0.0,
    "n_ratings": 1,
    "rating": 4.0,
    "likes": 0,
    "dislikes": 0,
    "n_waits": 1,
    "wait_p50_secs": 4.0,
    "wait_p90_secs": 4.0,
    "wait_p95_secs": 4.0,
    "wait_p99_secs": 4.0,
    "n_reached": 2,
    "reach_rate": 2 / 3,
    "n_reached_judged": 1,
    "n_resolved_contained": 1,
    "resolved_containment_rate": 1.0,
    "n_handled": 2,
    "aht_mean_secs": 50.0,
    "aht_p50_secs": 50.0,
    "aht_p90_secs": 90.0,
    "n_satisfied": 1,
    "csat_rate": 1.0,
    "wait_within_good_rate": 0.0,
    "wait_within_fair_rate": 0.0,
    "wait_within_poor_rate": 0.0,
    "traced_cost_usd": 0.15,
    **UNTOLD,
}

# a call that lasted no time that is known, was judged by nobody, cost nothing that is known, and had no entry
BARE = dict.fromkeys(FIRST) | {
    **dict.fromkeys((name for name in FIRST if name.startswith("n_")), 0),
    **dict.fromkeys((name for name in FIRST if name.endswith(("_coverage", "_rate"))), 0.0),
    "n_calls": 1,
    "n_unknown": 1,
    "n_abandoned": 1,
    "abandonment_rate": 1.0,
    "call_minutes": 0.0,
    "likes": 0,
    "dislikes": 0,
    "success_rate": None,
    "interruption_rate": None,
    "n_reached": 1,
    "reach_rate": 1.0,
    **dict.fromkeys(("resolved_containment_rate", "csat_rate"), None),
    **dict.fromkeys(("wait_within_good_rate", "wait_within_fair_rate", "wait_within_poor_rate"), None),
    **UNTOLD,
}

# no finished call at all
ONLY_OPEN = dict.fromkeys(FIRST) | {
    **dict.fromkeys((name for name in FIRST if name.startswith("n_")), 0),
    "n_open": 1,
    "call_minutes": 0.0,
    "likes": 0,
    "dislikes": 0,
}

# SECOND less FIRST, worked out apart
CHANGE = {
    "n_calls_change": 1,
    "n_open_change": 1,
    "call_minutes_change": -1.0,
    "success_rate_change": 0.5,
    "success_coverage_change": -1 / 3,
    "cost_credits_change": -1450,
    "cost_usd_change": -0.25,
    "cost_usd_coverage_change": -2 / 3,
    "cost_usd_per_call_change": -0.15,
    "cost_usd_per_minute_change": 0.075 - 0.4 / 3,
    "cost_usd_per_success_change": -0.325,
    "llm_cost_usd_change": 0.02,
    "interruption_rate_change": -1 / 6,
    "transfer_rate_change": -1 / 6,
    "containment_rate_change": 0.0,
    "voicemail_rate_change": 1 / 3,
    "error_rate_change": 1 / 3,
    "abandonment_rate_change": 0.0,
    "rating_change": 0.5,
    "wait_p50_secs_change": 2.0,
    "wait_p90_secs_change": 1.2,
    "wait_p95_secs_change": 1.1,
    "wait_p99_secs_change": 1.02,
    "reach_rate_change": -1 / 3,
    "resolved_containment_rate_change": 0.5,
    "aht_mean_secs_change": -40.0,
    "aht_p50_secs_change": -40.0,
    "aht_p90_secs_change": -24.0,
    "csat_rate_change": 0.5,
    "wait_within_good_rate_change": -0.5,
    "wait_within_fair_rate_change": -0.5,
    "wait_within_poor_rate_change": -1.0,
    **{f"{name}_change": None for name in UNTOLD if not name.startswith("n_") and name not in AMOUNTS},
}
NO_CHANGE = dict.fromkeys(CHANGE)
