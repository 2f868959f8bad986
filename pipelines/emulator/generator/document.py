"""The final document of a conversation, built in the form of 2026; ``lifecycle`` derives its earlier states."""

from __future__ import annotations

from pipelines.emulator.data.callers import template_variables
from pipelines.emulator.generator.analysis import analyse
from pipelines.emulator.generator.blueprint import Blueprint
from pipelines.emulator.generator.charging import charge
from pipelines.emulator.generator.client_data import initiation_data
from pipelines.emulator.generator.dialogue import play_dialogue
from pipelines.emulator.generator.downgrade_to_2025 import downgrade
from pipelines.emulator.generator.metadata import describe
from pipelines.emulator.generator.randomness import seeded
from pipelines.emulator.generator.transcript import Json

TAGS = {"tag_4501kc2vip": "VIP", "tag_9901kc2complaint": "Complaint", "tag_1301kc2followup": "Follow-up"}
"""Titles of the workspace's tags, by id."""


def build_document(blueprint: Blueprint) -> Json:
    """The final document in the form of its blueprint: a fresh one each time, always the same for a blueprint."""
    document = build_document_of_2026(blueprint)
    return document if blueprint.schema == 2026 else downgrade(document, blueprint.scenario)  # noqa: PLR2004 - a year


def build_document_of_2026(blueprint: Blueprint) -> Json:
    """The final document in the newest form.

    A few of its keys are in no published schema (``hiding_reason``, ``config_snapshot_id`` and others): the real API
    sends them too.
    """
    rng = seeded(blueprint.seed ^ 0x5EED)
    agent, scenario = blueprint.agent, blueprint.scenario
    variables = template_variables(rng, blueprint.caller, blueprint.phone, blueprint.topic.language)
    script, reason = play_dialogue(rng, blueprint, variables)
    charging, cost = charge(rng, blueprint, script)
    metadata = describe(rng, blueprint, script, charging, cost, reason=reason)
    n_user = sum(entry["role"] == "user" and bool(entry["message"]) for entry in script.entries)
    n_agent = sum(entry["role"] == "agent" and bool(entry["message"]) for entry in script.entries)
    is_unanswered = scenario == "no_answer"
    has_audio = is_unanswered or (bool(script.entries) and not script.is_chat)
    is_failed = scenario == "failed"
    visited = {"agent_id": agent.agent_id, "branch_id": blueprint.branch_id}
    return {
        "agent_id": agent.agent_id,
        "agent_name": agent.name,
        "conversation_id": blueprint.conversation_id,
        "conversation_product": "agent",
        "status": "failed" if is_failed or is_unanswered else "done",
        "user_id": blueprint.user_id,
        "branch_id": blueprint.branch_id,
        "version_id": blueprint.version_id,
        "transcript": script.entries,
        "user_message_count": n_user,
        "agent_message_count": n_agent,
        "metadata": metadata,
        "analysis": None if is_failed and blueprint.caller % 3 == 0 else analyse(rng, blueprint, script),
        "conversation_initiation_client_data": initiation_data(blueprint, script, metadata),
        "visited_agents": [visited, *_transferred_to(script.entries)],
        "environment": "production",
        "has_audio": has_audio,
        "has_user_audio": has_audio and (is_unanswered or n_user > 0),
        "has_response_audio": has_audio,
        "has_auxiliary_audio": False,
        "tag_ids": [[*TAGS][blueprint.caller % len(TAGS)]] if blueprint.caller % 7 == 0 else [],
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
