"""Which features of the platform a conversation could use and did, in the form of 2026."""

from __future__ import annotations

from pipelines.emulator.generator.blueprint import Blueprint
from pipelines.emulator.generator.transcript import Json, Script


def features_usage(blueprint: Blueprint, script: Script) -> Json:
    """The ``features_usage`` of a conversation."""
    used = script.features
    scenario = blueprint.scenario
    is_voice = not script.is_chat
    has_phone = is_voice and scenario != "genesys"
    has_workflow = "workflow" in used
    has_procedure = scenario == "procedure"
    is_test = scenario == "testing"
    is_newest = blueprint.version_id == blueprint.agent.versions[-1].version_id

    def status(name: str, *, enabled: bool = True) -> Json:
        return _status(enabled=enabled or name in used, used=name in used)

    return {
        "language_detection": _status(enabled=True, used=scenario == "language_detection"),
        "transfer_to_agent": status("transfer_to_agent", enabled=False),
        "transfer_to_number": status("transfer_to_number", enabled=is_voice),
        "multivoice": status("multivoice", enabled=False),
        "dtmf_tones": _status(enabled=is_voice, used=scenario in ("play_dtmf", "play_dtmf_error")),
        "external_mcp_servers": status("external_mcp_servers", enabled=False),
        "pii_zrm_workspace": False,
        "pii_zrm_agent": False,
        "tool_dynamic_variable_updates": status("tool_dynamic_variable_updates"),
        "is_livekit": not is_voice,
        "voicemail_detection": _status(enabled=is_voice, used=scenario == "voicemail"),
        "dtmf_input": _status(enabled=has_phone, used=scenario == "dtmf_input"),
        "workflow": {
            "enabled": has_workflow,
            "tool_node": _status(enabled=has_workflow, used=has_workflow),
            "standalone_agent_node": _status(enabled=False, used=False),
            "phone_number_node": _status(enabled=False, used=False),
            "end_node": _status(enabled=has_workflow, used=False),
        },
        "agent_testing": {
            "enabled": is_test,
            "tests_ran_after_last_modification": is_test,
            "tests_ran_in_last_7_days": False,
        },
        "versioning": _status(enabled=True, used=is_newest),
        "file_input": _status(enabled=script.is_chat, used=scenario == "file_input"),
        "freeform_procedure": _status(enabled=has_procedure, used=has_procedure),
        "structured_procedure": _status(enabled=False, used=False),
    }


def _status(*, enabled: bool, used: bool) -> Json:
    return {"enabled": enabled, "used": used}
