"""A conversation for every rule of its outcome, and for every two rules that both hold; worked out by hand."""

from __future__ import annotations

from typing import Any

GUARDRAILS = {
    "guardrail": {"guardrail_type": "custom", "guardrail_name": "no_advice"},
    "nameless": {"guardrail_type": "profanity"},
}
"""By the name of an entry's role in the cases, the guardrail that the entry triggered."""
SILENCE = "Ending conversation after 40 seconds of silence."
TIME_LIMIT = "Conversation has exceeded maximum duration"
QUOTA = "This request exceeds your quota limit."
HANGS_UP = "Call ended by remote party"
WORDS = ("user", "I need help.")
HELLO = ("agent", "Hello.")

Case = tuple[str, dict[str, Any], list[tuple[str, str]], list[dict[str, Any]]]


def case(answer: str, *turns: tuple[str, str], results: tuple[dict[str, Any], ...] = (), **row: object) -> Case:
    """A conversation: 'outcome reason', its entries as (role, message), its tool results and its columns.

    ``message_count`` is that of its list row.
    """
    return answer, {"call_duration_secs": 60} | row, [*turns], [*results]


def system(result_type: str | None, **more: object) -> dict[str, Any]:
    return {"type": "system", "result_type": result_type} | more


TO_NUMBER = system("transfer_to_number_twilio_success")
TO_QUEUE = system("transfer_to_number_amazon_connect_success")
VOICEMAIL = system("voicemail_detection_success")
NEVER = {"status": "failed", "call_duration_secs": 0}

CASES: dict[str, Case] = {
    # unknown: there was a transcript, and nothing else says anything
    "retention of the workspace": case("unknown no_transcript", features_usage_pii_zrm_workspace=True),
    "retention of the agent": case("unknown no_transcript", features_usage_pii_zrm_agent=True),
    "blanked upstream": case("unknown no_transcript", deletion_settings_deleted_transcript_at_time_at="noon"),
    "messages of the user": case("unknown no_transcript", user_message_count=2),
    "messages of the agent": case("unknown no_transcript", agent_message_count=2, user_message_count=0),
    "messages of the list, as documents of 2025 have no counts": case("unknown no_transcript", message_count=7),
    "no message of the list": case("abandoned hung_up", message_count=0),
    "only blanks are left": case("unknown no_transcript", ("user", " "), ("agent", ""), user_message_count=1),
    "transcript kept": case("contained other", WORDS, features_usage_pii_zrm_workspace=True),
    "silence kept": case("abandoned hung_up", ("user", "..."), user_message_count=1),
    "agent alone kept": case("abandoned hung_up", HELLO, user_message_count=1),
    "tool kept": case("transferred number", WORDS, results=(TO_NUMBER,), features_usage_pii_zrm_agent=True),
    "tool alone kept": case("abandoned hung_up", results=(system("skip_turn_success"),), agent_message_count=1),
    "no message at all": case("abandoned hung_up", user_message_count=0, agent_message_count=0),
    "retention, not reached": case(
        "not_reached busy", phone_call_call_result="busy", features_usage_pii_zrm_agent=True
    ),
    "retention, voicemail": case(
        "voicemail by_provider", phone_call_call_result="voicemail", features_usage_pii_zrm_agent=True
    ),
    "retention, error": case("error other", status="failed", features_usage_pii_zrm_agent=True),
    "retention, blocked": case(
        "blocked calm", termination_reason="Guardrail triggered: calm", features_usage_pii_zrm_agent=True
    ),
    "retention, silence": case("unknown no_transcript", termination_reason=SILENCE, features_usage_pii_zrm_agent=True),
    # not_reached
    "no answer": case("not_reached no_answer", phone_call_call_result="no_answer"),
    "no answer by type": case("not_reached no_answer", status="failed", error_code=1011, error_type="no_answer"),
    "no-answer": case("not_reached no_answer", phone_call_call_result="no-answer"),
    "busy": case("not_reached busy", phone_call_call_result="busy"),
    "busy by type": case("not_reached busy", error_type="line_busy"),
    "canceled": case("not_reached refused", phone_call_call_result="canceled"),
    "cancelled": case("not_reached refused", phone_call_call_result="Cancelled"),
    "rejected": case("not_reached refused", error_type="call_rejected"),
    "blocked by the user": case("not_reached refused", error_type="blocked_by_user"),
    "failed attempt": case("not_reached not_connected", phone_call_call_result="failed"),
    "not initialized": case("not_reached not_connected", status="failed", error_type="call_initialization_error"),
    "never accepted": case("not_reached not_connected", error_code=1011, **NEVER),
    "accepted": case("error other", accepted_time_at="noon", **NEVER),
    "lasted": case("error other", status="failed", call_duration_secs=1),
    "length not told": case("error other", status="failed", call_duration_secs=None),
    "done at once": case("abandoned hung_up", call_duration_secs=0),
    "words at once": case("error other", WORDS, **NEVER),
    "words of the agent at once": case("error other", HELLO, **NEVER),
    "WhatsApp": case("not_reached no_answer", whatsapp_call_result="no_answer"),
    "phone before WhatsApp": case(
        "abandoned hung_up", phone_call_call_result="answered", whatsapp_call_result="no_answer"
    ),
    "type is surer than failed": case("not_reached no_answer", phone_call_call_result="failed", error_type="no_answer"),
    "type busy": case("not_reached busy", phone_call_call_result="failed", error_type="line_busy"),
    "type rejected": case("not_reached refused", phone_call_call_result="failed", error_type="call_rejected"),
    "no answer before busy": case("not_reached no_answer", phone_call_call_result="busy", error_type="no_answer"),
    "busy before refused": case("not_reached busy", phone_call_call_result="canceled", error_type="line_busy"),
    # voicemail
    "tool": case("voicemail by_tool", WORDS, results=(VOICEMAIL,)),
    "feature": case("voicemail by_tool", WORDS, features_usage_voicemail_detection_used=True),
    "provider": case("voicemail by_provider", WORDS, phone_call_call_result="voicemail"),
    "machine": case("voicemail by_provider", WORDS, phone_call_call_result="machine_end_beep"),
    "text": case("voicemail by_text", WORDS, termination_reason="voicemail_detection tool was called."),
    "tool before provider": case("voicemail by_tool", WORDS, results=(VOICEMAIL,), phone_call_call_result="voicemail"),
    "provider before text": case(
        "voicemail by_provider", phone_call_call_result="voicemail", termination_reason="Left a voicemail"
    ),
    "not reached before voicemail": case("not_reached busy", results=(VOICEMAIL,), phone_call_call_result="busy"),
    "tool failed": case("contained other", WORDS, results=(VOICEMAIL | {"is_error": True},)),
    "voicemail before error": case("voicemail by_tool", results=(VOICEMAIL,), status="failed"),
    "voicemail before blocked": case("voicemail by_tool", results=(VOICEMAIL,), error_type="guardrail_triggered"),
    # error
    "failed": case("error other", WORDS, status="failed"),
    "code": case("error other", WORDS, error_code=1011),
    "reason": case("error other", WORDS, error_reason="went wrong"),
    "reason and type without a text": case("contained other", WORDS, error_reason="", error_type=""),
    "type": case("error llm_error", WORDS, error_type="LLM_error"),
    "quota of the text": case("error quota", WORDS, termination_reason=QUOTA),
    "a limit that is a quota": case("error quota", WORDS, termination_reason="Quota limit exceeded"),
    "quota of the reason": case("error quota", WORDS, error_code=3000, error_reason="Exceeds your Quota"),
    "rate of the reason": case("error quota", WORDS, error_code=3000, error_reason="rate_limit_exceeded"),
    "concurrency of the reason": case("error quota", WORDS, error_code=3000, error_reason="Concurrent limit reached"),
    "credits of the reason": case("error quota", WORDS, error_code=3000, error_reason="No credits left"),
    "quota during the conversation": case("error quota", WORDS, error_code=1002),
    "daily limit": case("error quota", WORDS, error_code=4300),
    "credits": case("error quota", WORDS, termination_reason="Out of credits"),
    "rate limit": case("error quota", WORDS, termination_reason="Rate limit exceeded"),
    "concurrency limit": case("error quota", WORDS, termination_reason="concurrency limit exceeded"),
    "too many at a time": case("error quota", WORDS, termination_reason="Too many concurrent requests"),
    "a limit that is not one of time": case("error quota", WORDS, termination_reason="exceeded the daily limit"),
    "dependency": case("error dependency", WORDS, termination_reason="A dependency did not answer"),
    "type before quota": case("error dependency_error", WORDS, error_type="dependency_error", error_code=1002),
    "quota before dependency": case(
        "error quota", WORDS, error_code=1002, termination_reason="A dependency did not answer"
    ),
    "dependency of a failed one": case(
        "error dependency", WORDS, status="failed", termination_reason="A dependency did not answer"
    ),
    "error before abandoned": case("error other", error_code=1011),
    "error before transferred": case("error other", WORDS, results=(TO_NUMBER,), status="failed"),
    "error before cut off": case("error other", WORDS, status="failed", termination_reason=TIME_LIMIT),
    # blocked
    "guardrail": case(
        "blocked no_advice", WORDS, ("guardrail", ""), status="failed", termination_reason="Guardrail triggered: other"
    ),
    "guardrail without a name": case(
        "blocked profanity", WORDS, ("nameless", ""), termination_reason="Guardrail triggered"
    ),
    "guardrail of the text": case("blocked no_advice", WORDS, termination_reason="Guardrail triggered: no_advice "),
    "guardrail of the text, another on the way": case(
        "blocked calm", WORDS, ("guardrail", ""), HELLO, termination_reason="Guardrail triggered: calm"
    ),
    "guardrail on the way, a text without a name": case(
        "blocked no_advice", WORDS, ("guardrail", ""), HELLO, termination_reason="Guardrail triggered"
    ),
    "guardrail of the type": case("blocked guardrail", WORDS, error_code=1008, error_type="guardrail_triggered"),
    "guardrail at the end": case("blocked no_advice", WORDS, ("guardrail", ""), status="failed"),
    "guardrail on the way": case("contained other", WORDS, ("guardrail", ""), HELLO),
    "guardrail, then hung up": case("contained ended_by_user", WORDS, ("guardrail", ""), termination_reason=HANGS_UP),
    "guardrail, then done": case("contained other", WORDS, ("guardrail", "")),
    "guardrail, then failed for a reason": case(
        "error other", WORDS, ("guardrail", ""), status="failed", termination_reason=HANGS_UP
    ),
    "guardrail, then an error": case("error other", WORDS, ("guardrail", ""), status="failed", error_code=1011),
    "guardrail, then a typed error": case(
        "error llm_error", WORDS, ("guardrail", ""), status="failed", error_type="llm_error"
    ),
    "guardrail, then words of a failed one": case("error other", WORDS, ("guardrail", ""), HELLO, status="failed"),
    "last guardrail": case("blocked profanity", WORDS, ("guardrail", ""), ("nameless", ""), status="failed"),
    "blocked before abandoned": case("blocked g", termination_reason="Guardrail triggered: g"),
    "blocked before transferred": case(
        "blocked g", WORDS, results=(TO_NUMBER,), termination_reason="Guardrail triggered: g"
    ),
    # abandoned
    "hung up": case("abandoned hung_up", HELLO, ("user", "......"), termination_reason=HANGS_UP),
    "long silence": case("abandoned silence", HELLO, ("user", "..."), termination_reason=SILENCE),
    "agent hung up": case("abandoned hung_up", HELLO, termination_reason="end_call tool was called."),
    "abandoned after 10 minutes": case("abandoned hung_up", HELLO, call_duration_secs=600),
    "abandoned before transferred": case("abandoned hung_up", HELLO, results=(TO_NUMBER,)),
    "abandoned before cut off": case("abandoned hung_up", HELLO, termination_reason=TIME_LIMIT),
    # transferred
    "to a number": case("transferred number", WORDS, results=(TO_NUMBER,)),
    "to a queue": case("transferred queue", WORDS, results=(TO_QUEUE,)),
    "to a queue and a number": case("transferred number", WORDS, results=(TO_QUEUE, TO_NUMBER)),
    "old result": case(
        "transferred number",
        WORDS,
        results=(system(None, tool_name="transfer_to_number", result_value='{"status": "success"}'),),
    ),
    "old result that failed": case(
        "contained other",
        WORDS,
        results=(system(None, tool_name="transfer_to_number", result_value='{"status": "error"}'),),
    ),
    "transfer failed": case(
        "contained other", WORDS, results=(system("transfer_to_number_error", result_status="error"),)
    ),
    "tool of the user": case(
        "contained other", WORDS, results=({"type": "webhook", "tool_name": "transfer_to_number_lookup"},)
    ),
    "to an agent": case("contained other", WORDS, results=(system("transfer_to_agent_success"),)),
    "transferred before cut off": case(
        "transferred number", WORDS, results=(TO_NUMBER,), termination_reason=TIME_LIMIT
    ),
    # cut_off
    "time limit": case("cut_off time_limit", WORDS, termination_reason=TIME_LIMIT),
    "time limit in other words": case("cut_off time_limit", WORDS, termination_reason="time_limit_exceeded"),
    "limit of the duration": case("cut_off time_limit", WORDS, termination_reason="Duration limit exceeded"),
    "silence after a dialogue": case("cut_off silence", WORDS, ("user", "..."), termination_reason=SILENCE),
    # contained
    "agent ended it": case("contained ended_by_agent", WORDS, termination_reason="end_call tool was called."),
    "user ended it": case("contained ended_by_user", WORDS, termination_reason=HANGS_UP),
    "nobody says": case("contained other", WORDS, termination_reason=""),
    "short": case("contained ended_by_user", ("user", "No"), termination_reason=HANGS_UP, call_duration_secs=2),
    # open
    "open, of which nothing is kept": case("None None", status="in-progress", agent_message_count=1),
    "open": case("None None", WORDS, status="processing", phone_call_call_result="busy"),
    "status not told": case("None None", WORDS, status=None),
}
"""By what each shows: outcome and reason, and the conversation."""
