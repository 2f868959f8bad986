"""A row of the conversation list, in the form of its document."""

from __future__ import annotations

from typing import Any

from pipelines.emulator.generator.transcript import Json


def list_row(detail: Json, agent_name: str, transcript: list[Json]) -> Json:
    """The row of a document; ``transcript`` is counted and searched for tools even where retention blanked it."""
    metadata = detail["metadata"]
    analysis = detail["analysis"] or {}
    phone = metadata["phone_call"] or {}
    row = {
        "agent_id": detail["agent_id"],
        "branch_id": detail["branch_id"],
        "agent_name": agent_name,
        "conversation_id": detail["conversation_id"],
        "start_time_unix_secs": metadata["start_time_unix_secs"],
        "call_duration_secs": metadata["call_duration_secs"],
        "message_count": sum(bool(entry["message"]) for entry in transcript),
        "status": detail["status"],
        "call_successful": analysis.get("call_successful", "unknown"),
        "transcript_summary": analysis.get("transcript_summary"),
        "call_summary_title": analysis.get("call_summary_title"),
        "direction": phone.get("direction"),
    }
    if "conversation_product" in detail:
        row |= _row_of_2026(detail, metadata, analysis, transcript)
    return row


def _row_of_2026(detail: Json, metadata: Json, analysis: Json, transcript: list[Json]) -> dict[str, Any]:
    tools = dict.fromkeys(call["tool_name"] for entry in transcript for call in entry["tool_calls"])
    return {
        "version_id": detail["version_id"],
        "cost": metadata["cost"],
        "cost_fiat": metadata["cost_fiat"],
        "user_message_count": detail["user_message_count"],
        "agent_message_count": detail["agent_message_count"],
        "termination_reason": metadata["termination_reason"],
        "call_success_score": analysis.get("call_success_score"),
        "main_language": metadata["main_language"],
        "conversation_initiation_source": metadata["conversation_initiation_source"],
        "tool_names": list(tools) or None,
        "rating": metadata["feedback"]["rating"],
        "sentiment_analysis": analysis.get("sentiment_analysis"),
        "tag_ids": detail["tag_ids"],
    }
