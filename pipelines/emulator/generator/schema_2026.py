"""Today's form of a document: what the API has added to the reference since November 2025, and what it has dropped.

Users' accounts are on this form. A few keys here are in no published schema (``hiding_reason``, ``config_snapshot_id``
and others): the real API sends them too.
"""

from __future__ import annotations

import json
from typing import Any

from pipelines.emulator.generator import schema_2026_charging, schema_2026_turns
from pipelines.emulator.generator.blueprint import Head
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.generator.transcript import Json, Script

_TAGS = ("tag_4501kc2vip", "tag_9901kc2complaint", "tag_1301kc2followup")
_LABELS = ((0.35, "negative"), (0.6, "neutral"), (1.01, "positive"))
_NOT_IN_TODAY = "initiation_trigger"


def rewrite(final: Json, head: Head, script: Script) -> Json:
    """Turn a document of the reference's form into one of today's; ``final`` is used up."""
    agent = head.agent
    metadata = final["metadata"]
    spoken = [entry for entry in final["transcript"] if entry["message"]]
    n_user = sum(entry["role"] == "user" for entry in spoken)
    visited = {"agent_id": agent.agent_id, "branch_id": agent.branch_id}
    schema_2026_turns.rewrite(final["transcript"], head, script)
    _rewrite_metadata(metadata, head, script)
    if final["analysis"] is not None:
        _rewrite_analysis(final["analysis"], head, script)
    _rewrite_client_data(final["conversation_initiation_client_data"], head, spoken)
    return final | {
        "agent_name": agent.name,
        "conversation_product": "agent",
        "version_id": head.version_id,
        "user_message_count": n_user,
        "agent_message_count": len(spoken) - n_user,
        "visited_agents": [visited, *_transferred_to(final["transcript"])],
        "environment": "production",
        "has_auxiliary_audio": False,
        "tag_ids": [_TAGS[head.caller % len(_TAGS)]] if head.caller % 7 == 0 else [],
        "hiding_reason": None,
        "smb_metadata": None,
        "realtime_config_snapshots": None,
        "otlp_traces": None,
    }


def _transferred_to(transcript: list[Json]) -> list[Json]:
    results = [entry["tool_results"][0].get("result") for entry in transcript if entry["tool_results"]]
    return [
        {"agent_id": result["to_agent"], "branch_id": None}
        for result in results
        if result and result.get("result_type") == "transfer_to_agent_success"
    ]


def _rewrite_metadata(metadata: Json, head: Head, script: Script) -> None:
    draw = script.rng.random
    del metadata[_NOT_IN_TODAY]
    phone, batch, trait = metadata["phone_call"], metadata["batch_call"], head.trait
    if phone:
        phone["call_result"] = "voicemail" if trait == "voicemail" else "answered"
        if phone["type"] == "sip_trunking":
            phone["call_id"] = f"{script.rng.getrandbits(64):016x}@pbx.example.com"
        elif trait == "exotel":
            phone["type"] = metadata["conversation_initiation_source"] = "exotel"
    if batch:
        lead = {"campaign_id": "camp_2201kd1spring", "campaign_lead_id": f"lead_{head.caller:04d}"}
        kind = {"cold_attempt": 1, "conversation_type": "initial"}
        batch["campaign"] = lead | kind if head.caller % 5 == 0 else None
    if metadata["whatsapp"]:
        number = {"direction": "inbound", "whatsapp_phone_number_id": "109876543210987"}
        metadata["whatsapp"] = number | {"whatsapp_user_id": head.phone[1:]}
    charging = metadata["charging"]
    if "llm_price" in charging:
        schema_2026_charging.extend(charging, head, script)
        known = charging["tier"] != "free" and happens(script.rng, 0.9)
        cost_fiat = charging["llm_price"] + charging["platform_price"] if known else None
    else:
        cost_fiat = None
    sms = {"direction": "inbound", "sms_user_phone_number": head.phone, "agent_phone_number": "+15550100550"}
    status = {"enabled": False, "used": False}
    metadata["features_usage"] |= {
        "dtmf_input": {"enabled": bool(phone), "used": trait == "dtmf_input"},
        "versioning": {"enabled": True, "used": head.version_id == head.agent.version_ids[1]},
        "file_input": {"enabled": script.written, "used": trait == "file_input"},
        "freeform_procedure": {"enabled": trait == "procedure", "used": trait == "procedure"},
        "structured_procedure": status,
    }
    metadata |= {
        "queue_wait_secs": round(draw() * 2, 3) if phone and head.caller % 6 == 0 else None,
        "warnings": ["Evaluation could not determine if conversation goals were met."] if trait == "empty" else [],
        "sms": sms if trait == "sms" else None,
        "cost_fiat": cost_fiat,
        "voice_rewards": [],
    }
    if trait == "sms":
        metadata["conversation_initiation_source"] = "twilio_sms"


def _rewrite_analysis(analysis: Json, head: Head, script: Script) -> None:
    draw = script.rng.random
    criteria, collected = analysis["evaluation_criteria_results"], analysis["data_collection_results"]
    for result in criteria.values():
        score = {"success": 100, "failure": 20}.get(result["result"])
        result.update(scoring_mode="binary", score=score, max_score=100)
    for value in collected.values():
        value["name"] = value["data_collection_id"].replace("_", " ").capitalize()
    success = sum(result["result"] == "success" for result in criteria.values()) / len(criteria)
    score = round((success + draw()) / 2, 3)
    n_user = sum(entry["role"] == "user" for entry in script.entries)
    scoped = {
        "scope": "conversation",
        "source_agent_id": head.agent.agent_id,
        "source_branch_id": head.agent.branch_id,
        "evaluation_criteria_results": dict(criteria),
        "data_collection_results": {},
        "successful": analysis["call_successful"],
        "success_score": success,
    }
    analysis |= {
        "evaluation_criteria_results_list": list(criteria.values()),
        "data_collection_results_list": list(collected.values()),
        "call_success_score": round(success, 3),
        "scoped": [scoped] if head.caller % 10 == 0 else [],
        "sentiment_analysis": {
            "overall_label": next(label for most, label in _LABELS if score < most),
            "overall_sentiment_score": score,
            "overall_frustration_score": round(1 - score, 3),
            "min_user_sentiment_score": round(score / 2, 3),
            "max_user_frustration_score": round(1 - score / 2, 3),
            "num_scored_user_turns": n_user,
        }
        if n_user
        else None,
    }


def _rewrite_client_data(data: Json, head: Head, spoken: list[Json]) -> None:
    workflow = head.trait.startswith("workflow")
    data["conversation_config_override"]["asr"] = {"keywords": ["Alder"]} if head.trait == "overrides" else None
    data |= {
        "branch_id": head.agent.branch_id if head.caller % 4 == 0 else None,
        "environment": "production" if head.caller % 4 == 0 else None,
        "starting_workflow_node_id": "node_01k5gf1start" if workflow else None,
        "procedure_ids": ["proc_7701kd3verify"] if head.trait == "procedure" else None,
        "tool_mock_config": {
            "mocking_strategy": "none",
            "fallback_strategy": "raise_error",
            "mocked_tool_names": [],
        },
    }
    variables: dict[str, Any] = data["dynamic_variables"]
    variables["system__agent_turns"] = sum(entry["role"] == "agent" for entry in spoken)
    if head.trait in ("odd_values", "overrides"):  # today any JSON may be a variable's value
        variables["open_orders"] = [{"id": head.caller, "paid": True}, {"id": head.caller + 1, "paid": False}]
    if head.caller % 3 == 0:
        entries = [{"role": entry["role"], "message": entry["message"]} for entry in spoken]
        history = {"x-elevenlabs-history": True, "entries": entries}
        variables["system__conversation_history"] = json.dumps(history, ensure_ascii=False)
