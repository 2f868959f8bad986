"""Today's form of transcript entries, tool calls and tool results, those nested in workflow steps included."""

from __future__ import annotations

from typing import Any

from pipelines.emulator.data.tools import TOOLS
from pipelines.emulator.generator.blueprint import Head
from pipelines.emulator.generator.transcript import Json, Script

_CONNECTION = {
    "integration_id": "carrier_tracking",
    "credential_id": "cred_3301k8frh0x",
    "integration_connection_id": "conn_8801k8frh4z",
}
_GUARDRAIL = {
    "guardrail_type": "medical_and_legal",
    "guardrail_name": "No diagnosis",
    "execution_mode": "streaming",
    "guardrail_details": {"type": "classifier", "score": 0.91, "threshold": 0.8},
}


def rewrite(transcript: list[Json], head: Head, script: Script) -> None:
    """Add today's keys to every entry, in place."""
    agent = head.agent
    for position, entry in enumerate(transcript):
        metadata = entry["agent_metadata"]
        if metadata is not None:
            metadata["version_id"] = head.version_id
        usage = entry["llm_usage"]
        retrieval = entry["rag_retrieval_info"]
        if retrieval:
            retrieval["used_chunk_ids"] = [chunk["chunk_id"] for chunk in retrieval["chunks"][:2]]
        metrics = entry["conversation_turn_metrics"]
        if metrics is not None and "metrics" in metrics:
            user = metadata is None
            metrics["convai_asr_provider"] = "scribe_realtime" if user else None
            metrics["convai_tts_model"] = None if user or script.written else "eleven_flash_v2_5"
            metrics["convai_tts_cascade"] = None
            metrics["voice_id"] = None if user or script.written else agent.voice_id
        for call in entry["tool_calls"]:
            _rewrite_call(call)
        for result in entry["tool_results"]:
            _rewrite_result(result)
        entry |= {
            "producing_llm": next(iter(usage["model_usage"])) if usage else None,
            "ignored_as_backchannel": False,
            "platform_event": None,
            "reasoning": [],
            "source_event_id": position + 1,
            "used_static_kb_document_ids": [],
            "user_identifier": None,
            "id": f"{head.conversation_id[5:21]}{position:04d}",
            "created_at_unix_ms": (head.start + entry["time_in_call_secs"]) * 1000 + 137,
            "triggered_guardrails": [],
            "file_input": None,
            "contextual_update_info": None,
            "config_snapshot_id": None,
        }
    _decorate(transcript, head)


def _decorate(transcript: list[Json], head: Head) -> None:
    """Give a turn what only a few have."""
    users = [entry for entry in transcript if entry["role"] == "user"]
    spoken = [entry for entry in transcript if entry["role"] == "agent" and entry["message"]]
    if not users or not spoken:
        return
    user, agent = users[-1], spoken[-1]
    if user["message"] == "...":
        user["platform_event"] = "user_turn_timeout"
    if head.trait == "guardrail":
        agent["triggered_guardrails"] = [dict(_GUARDRAIL)]
        agent["reasoning"] = [{"summary": "The caller asks for a diagnosis.", "provider_redact": False}]
        agent["used_static_kb_document_ids"] = [head.agent.document_id]
    elif head.trait == "dtmf_input":
        user |= {"source_medium": "dtmf", "message": "4711#"}
    elif head.trait == "file_input":
        user |= {"source_medium": "image", "user_identifier": head.user_id}
        user["file_input"] = {
            "file_id": f"file_{head.caller:04d}",
            "original_filename": "parcel.jpg",
            "mime_type": "image/jpeg",
            "file_url": "https://files.example.com/parcel.jpg",
        }
    elif head.trait == "overrides":
        user["contextual_update_info"] = {"context_id": "page", "is_superseded": False}
        user["ignored_as_backchannel"] = True


def _rewrite_call(call: Json) -> None:
    tool = TOOLS.get(call["tool_name"])
    call["tool_id"] = tool.tool_id if tool else None
    if call["type"] == "api_integration_webhook":
        details = call["tool_details"]
        call["tool_details"] = {"type": call["type"], **_CONNECTION, "webhook_details": details}


def _rewrite_result(result: Json) -> None:
    tool = TOOLS.get(result["tool_name"])
    failed = result["is_error"]
    error: dict[str, Any] = {"error_type": None, "raw_error_message": None}
    if failed and tool:
        error = {"error_type": "tool_execution_error", "raw_error_message": tool.error}
    result |= {"tool_id": tool.tool_id if tool else None, "is_blocked": False, **error}
    if result["type"] == "api_integration_webhook":
        result |= _CONNECTION
        result["error_type"] = result["error_type"] or ""
        result["raw_error_message"] = result["raw_error_message"] or ""
    inner = result.get("result") or {}
    if inner.get("result_type") == "transfer_to_agent_success":
        node = inner["to_agent"].startswith("node_")
        inner["to_node"] = inner["to_agent"] if node else None
        inner["branch_info"] = None if node else {"branch_reason": "defaulting_to_main", "branch_id": "agtbrch_main"}
    for step in inner.get("steps", ()):
        if step["type"] == "nested_tools":
            for call in step["requests"]:
                _rewrite_call(call)
            for nested in step["results"]:
                _rewrite_result(nested)
