"""What surrounds a call, in the reference's form: channel, phone, delivery, features, feedback, deletion settings."""

from __future__ import annotations

from random import Random
from typing import Any

from pipelines.emulator.generator.blueprint import DAY_SECS, Head
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.generator.transcript import Json, Script

_WEB_SOURCES = (
    "react_sdk", "js_sdk", "widget", "node_js_sdk", "python_sdk", "react_native_sdk", "android_sdk", "swift_sdk",
    "unknown",
)  # fmt: skip
_WEB_METHODS = ("public", "signed_url", "shareable_link", "livekit_token", "livekit_token_website", "invalid")
_MADE_WITH = ("ui", "ui", "ui", "api", "cli", "unknown")
_ERRORS = (
    (1008, "The LLM did not answer in time"),
    (1011, "Internal error while generating speech"),
    (1002, None),
)
_COMMENTS = ("Very quick and friendly!", "Had to repeat myself twice.", "Die Wartezeit war kurz, danke.", None)
_RETENTION_DAYS = 730


def describe(rng: Random, head: Head, script: Script, charging: Json, cost: int, *, reason: str, language: str) -> Json:
    """The ``metadata`` of a finished call."""
    agent = head.agent
    failed = head.trait == "failed"
    code, text = _ERRORS[head.caller % len(_ERRORS)]
    source, method = _origin(rng, head)
    is_phone = agent.channel != "chat" and head.trait != "genesys"
    metadata = {
        "start_time_unix_secs": head.start,
        "accepted_time_unix_secs": head.start + (head.caller % 2),
        "call_duration_secs": head.duration,
        "cost": cost,
        "deletion_settings": deletion_settings(head),
        "feedback": _feedback(rng, head),
        "authorization_method": method,
        "charging": charging,
        "phone_call": _phone_call(rng, head) if is_phone else None,
        "batch_call": _batch_call(head) if agent.channel == "twilio_outbound" and head.caller % 3 else None,
        "termination_reason": reason,
        "error": {"code": code, "reason": text} if failed else None,
        "main_language": language if script.entries else None,
        "rag_usage": (
            {"usage_count": script.n_retrievals, "embedding_model": agent.embedding_model}
            if script.n_retrievals
            else None
        ),
        "text_only": script.written,
        "features_usage": _features(head, script),
        "eleven_assistant": {"is_eleven_assistant": False},
        "initiator_id": f"initiator-{head.caller:04d}" if head.caller % 11 == 0 else None,
        "conversation_initiation_source": source,
        "conversation_initiation_source_version": "1.14.2" if source in _WEB_SOURCES else None,
        "timezone": agent.timezone,
        "initiation_trigger": {"trigger_type": "default"},
        "async_metadata": None,
        "whatsapp": None,
        "agent_created_from": _MADE_WITH[head.start % 6],
        "agent_last_updated_from": _MADE_WITH[head.start % 5],
    }
    if head.trait == "whatsapp":
        account = {"whatsapp_business_account_id": "104857600123456", "whatsapp_user_id": head.phone[1:]}
        metadata |= {"whatsapp": account, "conversation_initiation_source": "whatsapp"}
    if head.trait == "zendesk":
        ticket = 40_000 + head.caller
        metadata |= {
            "initiation_trigger": {"trigger_type": "zendesk", "ticket_id": ticket},
            "async_metadata": _delivery(head, str(ticket)),
        }
    return metadata


def no_feedback() -> Json:
    """The feedback of a call that nobody has judged."""
    return {"type": None, "overall_score": None, "likes": 0, "dislikes": 0, "rating": None, "comment": None}


def deletion_settings(head: Head) -> Json:
    """Older agents delete after 730 days, newer ones never; a shorter retention belongs to the calls it blanks."""
    deletion = head.redacted_at
    if deletion is None and head.agent.agent_id.startswith("Xq"):
        deletion = head.end + _RETENTION_DAYS * DAY_SECS
    return {
        "deletion_time_unix_secs": deletion,
        "deleted_logs_at_time_unix_secs": None,
        "deleted_audio_at_time_unix_secs": None,
        "deleted_transcript_at_time_unix_secs": None,
        "delete_transcript_and_pii": deletion is not None,
        "delete_audio": deletion is not None,
    }


def _feedback(rng: Random, head: Head) -> Json:
    if head.feedback_at is None and not happens(rng, 0.06):
        return no_feedback()
    if head.caller % 2:
        like = happens(rng, 0.7)
        score = {"overall_score": "like" if like else "dislike", "likes": int(like), "dislikes": int(not like)}
        return no_feedback() | score | {"type": "thumbs"}
    comment = _COMMENTS[int(rng.random() * len(_COMMENTS))]
    return no_feedback() | {"type": "rating", "rating": 1 + int(rng.random() ** 0.5 * 5), "comment": comment}


def _origin(rng: Random, head: Head) -> tuple[str, str]:
    """Where the call came from, and how it was authorised."""
    if head.trait == "genesys":
        return "genesys", "genesys_api_key"
    if head.agent.channel == "sip_trunking":
        return "sip_trunk", "authorization_header"
    if head.agent.channel != "chat":
        return "twilio", "signed_url" if head.caller % 2 else "authorization_header"
    source = _WEB_SOURCES[int(rng.random() * len(_WEB_SOURCES))]
    return source, _WEB_METHODS[int(rng.random() ** 2 * len(_WEB_METHODS))]


def _phone_call(rng: Random, head: Head) -> Json:
    agent = head.agent
    call = {
        "direction": "outbound" if agent.channel == "twilio_outbound" else "inbound",
        "phone_number_id": agent.phone_number_id,
        "agent_number": agent.number,
        "external_number": head.phone,
    }
    if agent.channel == "sip_trunking":
        return {**call, "type": "sip_trunking", "call_sid": f"SCL_{rng.getrandbits(64):016x}"}
    stream, sid = f"MZ{rng.getrandbits(128):032x}", f"CA{rng.getrandbits(128):032x}"
    return {**call, "type": "twilio", "stream_sid": stream, "call_sid": sid}


def _batch_call(head: Head) -> Json:
    batch = head.day % 100_000
    return {
        "batch_call_id": f"btcal_8501ka00sxcefsyjg2hg{batch:08d}",
        "batch_call_recipient_id": f"rcpt_{head.conversation_id[5:]}",
    }


def _delivery(head: Head, ticket: str) -> Json:
    """How the transcript reached the ticket system, which is tried again when it fails."""
    status = ("success", "pending", "failed")[head.caller % 3]
    failed = status == "failed"
    return {
        "delivery_status": status,
        "delivery_timestamp": head.done_at,
        "delivery_error": "403 from the ticket system" if failed else None,
        "external_system": "zendesk",
        "external_id": ticket,
        "retry_count": 2 if failed else 0,
        "last_retry_timestamp": head.done_at + 30 if failed else None,
    }


def _features(head: Head, script: Script) -> Json:
    used = script.features
    phone = head.agent.channel != "chat"

    def status(name: str, *, enabled: bool = True) -> Json:
        return {"enabled": enabled or name in used, "used": name in used}

    off: Any = {"enabled": False, "used": False}
    workflow = "workflow" in used
    return {
        "language_detection": {"enabled": True, "used": head.trait == "language_detection"},
        "transfer_to_agent": status("transfer_to_agent", enabled=False),
        "transfer_to_number": status("transfer_to_number", enabled=phone),
        "multivoice": status("multivoice", enabled=False),
        "dtmf_tones": {"enabled": phone, "used": head.trait in ("play_dtmf", "play_dtmf_error")},
        "external_mcp_servers": status("external_mcp_servers", enabled=False),
        "pii_zrm_workspace": False,
        "pii_zrm_agent": False,
        "tool_dynamic_variable_updates": status("tool_dynamic_variable_updates"),
        "is_livekit": not phone,
        "voicemail_detection": {"enabled": phone, "used": head.trait == "voicemail"},
        "workflow": {
            "enabled": workflow,
            "tool_node": {"enabled": workflow, "used": workflow},
            "standalone_agent_node": off,
            "phone_number_node": off,
            "end_node": {"enabled": workflow, "used": False},
        },
        "agent_testing": {
            "enabled": head.trait == "testing",
            "tests_ran_after_last_modification": head.trait == "testing",
            "tests_ran_in_last_7_days": False,
        },
    }
