"""Which features of the platform a conversation could use and did, in the form of 2026."""

from __future__ import annotations

from pipelines.emulator.generator.blueprint import Blueprint
from pipelines.emulator.generator.transcript import Json, Script


def features_usage(blueprint: Blueprint, script: Script) -> Json:
    """The ``features_usage`` of a conversation."""
    used_features = script.features
    scenario = blueprint.scenario
    is_voice = not script.is_chat
    has_phone = is_voice and scenario != "genesys"
    has_workflow = "workflow" in used_features
    has_procedure = scenario == "procedure"
    is_test = scenario == "testing"
    is_newest = blueprint.version_id == blueprint.agent.versions[-1].version_id

    def status(name: str, *, is_enabled: bool = True) -> Json:
        return _status(is_enabled=is_enabled or name in used_features, is_used=name in used_features)

    return {
        "language_detection": _status(is_enabled=True, is_used=scenario == "language_detection"),
        "transfer_to_agent": status("transfer_to_agent", is_enabled=False),
        "transfer_to_number": status("transfer_to_number", is_enabled=is_voice),
        "multivoice": status("multivoice", is_enabled=False),
        "dtmf_tones": _status(is_enabled=is_voice, is_used=scenario in ("play_dtmf", "play_dtmf_error")),
        "external_mcp_servers": status("external_mcp_servers", is_enabled=False),
        "pii_zrm_workspace": False,
        "pii_zrm_agent": False,
        "tool_dynamic_variable_updates": status("tool_dynamic_variable_updates"),
        "is_livekit": not is_voice,
        "voicemail_detection": _status(is_enabled=is_voice, is_used=scenario == "voicemail"),
        "dtmf_input": _status(is_enabled=has_phone, is_used=scenario == "dtmf_input"),
        "workflow": {
            "enabled": has_workflow,
            "tool_node": _status(is_enabled=has_workflow, is_used=has_workflow),
            "standalone_agent_node": _status(is_enabled=False, is_used=False),
            "phone_number_node": _status(is_enabled=False, is_used=False),
            "end_node": _status(is_enabled=has_workflow, is_used=False),
        },
        "agent_testing": {
            "enabled": is_test,
            "tests_ran_after_last_modification": is_test,
            "tests_ran_in_last_7_days": False,
        },
        "versioning": _status(is_enabled=True, is_used=is_newest),
        "file_input": _status(is_enabled=script.is_chat, is_used=scenario == "file_input"),
        "freeform_procedure": _status(is_enabled=has_procedure, is_used=has_procedure),
        "structured_procedure": _status(is_enabled=False, is_used=False),
    }


def _status(*, is_enabled: bool, is_used: bool) -> Json:
    return {"enabled": is_enabled, "used": is_used}
