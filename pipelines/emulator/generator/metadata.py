"""What surrounds a conversation, in the form of 2026: channel, phone, batch, delivery, feedback, retention."""

from __future__ import annotations

from random import Random

from pipelines.emulator.data.story import STORY
from pipelines.emulator.generator.blueprint import Blueprint
from pipelines.emulator.generator.features import features_usage
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.generator.schedule import DAY_SECS
from pipelines.emulator.generator.transcript import Json, Script

_WEB_SOURCES = (
    "react_sdk", "js_sdk", "widget", "node_js_sdk", "python_sdk", "react_native_sdk", "android_sdk", "swift_sdk",
    "unknown",
)  # fmt: skip
_WEB_METHODS = ("public", "signed_url", "shareable_link", "livekit_token", "livekit_token_website", "invalid")
_SOURCES = {"genesys": ("genesys", "genesys_api_key"), "exotel": ("exotel", "authorization_header")}
_SOURCE_OF_MESSAGES = {"whatsapp": "whatsapp", "sms": "twilio_sms"}
_EDITED_WITH = ("ui", "ui", "ui", "api", "cli", "unknown")
_ERRORS = (
    (1008, "The LLM did not answer in time"),
    (1011, "Internal error while generating speech"),
    (1002, None),
)
_COMMENTS = (
    ("It did not understand me.", "Had to repeat myself twice.", "Das hat mir nicht geholfen.", None),
    ("Very quick and friendly!", "Solved at once.", "Die Wartezeit war kurz, danke.", None),
)
"""Of low and of high ratings."""
_LOW_RATING = 3
_NO_ANSWER = {"code": 1011, "reason": "request timed out"}
_NOT_JUDGED = "Evaluation could not determine if conversation goals were met."
_RETENTION_DAYS = 730


def describe(
    rng: Random, blueprint: Blueprint, script: Script, charging: Json | None, cost: int, *, reason: str
) -> Json:
    """The ``metadata`` of a finished conversation."""
    agent, scenario = blueprint.agent, blueprint.scenario
    source, method = _origin(rng, blueprint)
    is_phone = agent.channel != "chat" and scenario != "genesys"
    phone_call = _phone_call(rng, blueprint) if is_phone else None
    is_unanswered = scenario == "no_answer"
    return {
        "start_time_unix_secs": blueprint.start,
        "accepted_time_unix_secs": None if is_unanswered else blueprint.start + blueprint.caller % 2,
        "call_duration_secs": blueprint.duration,
        "cost": cost,
        "deletion_settings": _deletion_settings(blueprint),
        "feedback": no_feedback() if is_unanswered else _feedback(rng, blueprint),
        "authorization_method": method,
        "charging": charging,
        "phone_call": phone_call,
        "batch_call": _batch_call(blueprint) if blueprint.is_batch and is_phone else None,
        "termination_reason": reason,
        "error": _error(blueprint),
        "warnings": [_NOT_JUDGED] if scenario == "empty" else [],
        "main_language": blueprint.topic.language if script.entries or is_unanswered else None,
        "rag_usage": (
            {"usage_count": script.n_retrievals, "embedding_model": agent.embedding_model}
            if script.n_retrievals
            else None
        ),
        "text_only": script.is_chat,
        "features_usage": features_usage(blueprint, script),
        "eleven_assistant": {"is_eleven_assistant": False},
        "initiator_id": f"initiator-{blueprint.caller:04d}" if blueprint.caller % 11 == 0 else None,
        "conversation_initiation_source": source,
        "conversation_initiation_source_version": "1.14.2" if source in _WEB_SOURCES else None,
        "timezone": agent.timezone,
        "async_metadata": _delivery(blueprint) if scenario == "zendesk" else None,
        "whatsapp": _whatsapp(blueprint) if scenario == "whatsapp" else None,
        "sms": _sms(blueprint) if scenario == "sms" else None,
        "agent_created_from": _EDITED_WITH[blueprint.start % 6],
        "agent_last_updated_from": _EDITED_WITH[blueprint.start % 5],
        "queue_wait_secs": round(45 * rng.random() ** 5, 3) if phone_call and blueprint.caller % 6 == 0 else None,
        "cost_fiat": _cost_fiat(rng, charging),
        "voice_rewards": [] if script.is_chat else _voice_rewards(blueprint),
    }


def no_feedback() -> Json:
    """The feedback of a conversation that nobody has judged."""
    return {"type": None, "overall_score": None, "likes": 0, "dislikes": 0, "rating": None, "comment": None}


def _deletion_settings(blueprint: Blueprint) -> Json:
    """Older agents delete after 730 days, newer ones never; conversations that are blanked have a shorter retention."""
    deletion = blueprint.redacted_at
    if deletion is None and blueprint.agent.agent_id.startswith("Xq"):
        deletion = blueprint.end + _RETENTION_DAYS * DAY_SECS
    return {
        "deletion_time_unix_secs": deletion,
        "deleted_logs_at_time_unix_secs": None,
        "deleted_audio_at_time_unix_secs": None,
        "deleted_transcript_at_time_unix_secs": None,
        "delete_transcript_and_pii": deletion is not None,
        "delete_audio": deletion is not None,
    }


def _feedback(rng: Random, blueprint: Blueprint) -> Json:
    if blueprint.feedback_at is None and not happens(rng, 0.06):
        return no_feedback()
    if blueprint.caller % 2:
        like = happens(rng, 0.7)
        score = {"overall_score": "like" if like else "dislike", "likes": int(like), "dislikes": int(not like)}
        return no_feedback() | score | {"type": "thumbs"}
    place, rating = rng.random(), 1 + int(rng.random() ** 0.5 * 5)
    comments = _COMMENTS[rating > _LOW_RATING]
    return no_feedback() | {"type": "rating", "rating": rating, "comment": comments[int(place * len(comments))]}


def _origin(rng: Random, blueprint: Blueprint) -> tuple[str, str]:
    """Where the conversation came from, and how it was authorised."""
    if blueprint.scenario in _SOURCES:
        return _SOURCES[blueprint.scenario]
    if blueprint.agent.channel == "sip_trunking":
        return "sip_trunk", "authorization_header"
    if blueprint.agent.channel != "chat":
        return "twilio", "signed_url" if blueprint.caller % 2 else "authorization_header"
    source = _WEB_SOURCES[int(rng.random() * len(_WEB_SOURCES))]
    source = _SOURCE_OF_MESSAGES.get(blueprint.scenario, source)
    return source, _WEB_METHODS[int(rng.random() ** 2 * len(_WEB_METHODS))]


def _phone_call(rng: Random, blueprint: Blueprint) -> Json:
    agent, scenario = blueprint.agent, blueprint.scenario
    call = {
        "direction": "outbound" if agent.channel == "twilio_outbound" else "inbound",
        "phone_number_id": agent.phone_number_id,
        "agent_number": agent.number,
        "external_number": blueprint.phone,
    }
    if scenario != "no_answer":
        call["call_result"] = "voicemail" if scenario == "voicemail" else "answered"
    elif blueprint.caller % 2:  # the provider's own word is missing now and then
        call["call_result"] = "no_answer"
    if agent.channel == "sip_trunking":
        number = rng.getrandbits(64)
        sip = {"type": "sip_trunking", "call_sid": f"SCL_{number:016x}", "call_id": f"{number:016x}@pbx.example.com"}
        return call | sip
    kind = "exotel" if scenario == "exotel" else "twilio"
    sid = "" if scenario == "no_answer" else f"CA{rng.getrandbits(128):032x}"
    return {**call, "type": kind, "stream_sid": f"MZ{rng.getrandbits(128):032x}" if sid else "", "call_sid": sid}


def _batch_call(blueprint: Blueprint) -> Json:
    """The batch of the week, and its recipient; some are leads of a campaign."""
    week = (blueprint.day + 3) // 7 % 100_000
    campaign = {
        "campaign_id": "camp_2201kd1spring",
        "campaign_lead_id": f"lead_{blueprint.caller:04d}",
        "cold_attempt": 1,
        "conversation_type": "initial",
    }
    return {
        "batch_call_id": f"btcal_8501ka00sxcefsyjg2hg{week:08d}",
        "batch_call_recipient_id": f"rcpt_{blueprint.conversation_id[5:]}",
        "campaign": campaign if blueprint.caller % 5 == 0 else None,
    }


def _error(blueprint: Blueprint) -> Json | None:
    if blueprint.scenario == "no_answer":
        error_type = STORY.batch.error_type
        return _NO_ANSWER | ({"error_type": error_type} if error_type else {})
    code, reason = _ERRORS[blueprint.caller % len(_ERRORS)]
    return {"code": code, "reason": reason} if blueprint.scenario == "failed" else None


def _whatsapp(blueprint: Blueprint) -> Json:
    """A third is opened by a template of the business."""
    user, start = blueprint.phone[1:], blueprint.start
    whatsapp = {"direction": "inbound", "whatsapp_phone_number_id": "109876543210987", "whatsapp_user_id": user}
    if blueprint.caller % 3:
        return whatsapp
    opening = {
        "template_name": "appointment_reminder",
        "wamid": f"wamid.{blueprint.conversation_id[5:]}",
        "sent_at_unix": start - 90,
        "delivered_at_unix": start - 88,
        "read_at_unix": start - 40,
        "replied_at_unix": start,
        "failed_at_unix": None,
        "error_code": None,
        "pricing_category": "utility",
        "billable": True,
    }
    return whatsapp | {
        "direction": "outbound",
        "awaiting_first_user_message": False,
        "recipient": {"phone": user, "bsuid": None},
        "opening_message": opening,
    }


def _sms(blueprint: Blueprint) -> Json:
    return {
        "direction": "inbound",
        "phone_number_id": "phnum_4701kd5sms",
        "sms_user_phone_number": blueprint.phone,
        "agent_phone_number": "+15550100550",
    }


def _voice_rewards(blueprint: Blueprint) -> list[Json]:
    """What the owner of a shared voice earns; few agents have one."""
    reward = {"voice_id": blueprint.agent.voice_id, "reward_usd_cents": blueprint.duration / 20}
    return [reward] if blueprint.has_shared_voice else []


def _cost_fiat(rng: Random, charging: Json | None) -> float | None:
    """The cost in USD, which is not reported for free plans, and now and then not at all."""
    if charging is None or charging["tier"] == "free" or not happens(rng, 0.9):
        return None
    return float(charging["llm_price"] + charging["platform_price"])


def _delivery(blueprint: Blueprint) -> Json:
    """How the transcript reached the ticket system, which is tried again when it fails."""
    status = ("success", "pending", "failed")[blueprint.caller % 3]
    is_failed = status == "failed"
    return {
        "delivery_status": status,
        "delivery_timestamp": blueprint.done_at,
        "delivery_error": "403 from the ticket system" if is_failed else None,
        "external_system": "zendesk",
        "external_id": str(40_000 + blueprint.caller),
        "retry_count": 2 if is_failed else 0,
        "last_retry_timestamp": blueprint.done_at + 30 if is_failed else None,
    }
