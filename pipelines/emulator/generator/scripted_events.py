"""What an agent does in the middle of a conversation because its scenario says so."""

from __future__ import annotations

from pipelines.emulator.generator.system_tools import HUMAN_NUMBER, Event, success, system_events, use_events
from pipelines.emulator.generator.tool_calls import plain_answer, plain_request, use_system
from pipelines.emulator.generator.transcript import Json, Script
from pipelines.emulator.generator.workflow_routes import play_route

_PROCEDURE = {"procedure_id": "proc_7701kd3verify", "procedure_name": "Verify the caller"}
_AS_CONFIGURED = {"reason": "as configured"}
_SYSTEM_TOOLS = {
    "language_detection", "transfer_to_agent", "transfer_to_agent_error", "transfer_to_number_twilio",
    "transfer_to_number_sip", "transfer_to_number_error", "skip_turn", "play_dtmf", "play_dtmf_error", "voicemail",
    "testing",
}  # fmt: skip


def play_event(script: Script) -> None:
    """Play the event of the conversation's scenario, if it has one."""
    scenario = script.blueprint.scenario
    if scenario.startswith("workflow"):
        play_route(script)
    elif scenario in _SYSTEM_TOOLS:
        use_events(script, [system_events(script)[scenario]])
    elif scenario == "code_tool":
        _use_code_tool(script)
        use_system(script, "wait", {}, {"result_type": "dummy"})
    elif script.blueprint.schema == 2026:  # noqa: PLR2004 - the year of a form
        use_events(script, _events_of_2026(script, scenario))


def _events_of_2026(script: Script, scenario: str) -> list[Event]:
    """System tools whose results the spec of 2025 does not know; two courses, by caller."""
    reason = f"{script.variables['name']} asked for it"
    is_even = script.blueprint.caller % 2 == 0
    if scenario == "procedure":
        start = ("start_procedure", _AS_CONFIGURED, success("start_procedure_success", **_PROCEDURE))
        end = ("end_procedure", _AS_CONFIGURED, success("end_procedure_success", **_PROCEDURE))
        no_end = _result("end_procedure_error", "not_found", "No procedure is active")
        no_start = _result("start_procedure_error", "invalid_name", "Unknown procedure")
        failed: list[Event] = [
            ("end_procedure", _AS_CONFIGURED, no_end),
            ("start_procedure", _AS_CONFIGURED, no_start),
        ]
        return [start, end] if is_even else [start, *failed]
    if scenario == "knowledge_tool":
        document_id = script.blueprint.agent.document_id
        chunk = {"chunk_id": "c0007", "document_id": document_id, "content": "Breakfast from 6.30 to 10."}
        chunks = success("knowledge_base_rag_success", chunk_count=1, chunks=[chunk])
        nothing = _result("knowledge_base_success", "no_results", "Nothing") | {"chunk_count": 0}
        return [("knowledge_base", _AS_CONFIGURED, chunks if is_even else nothing)]
    if scenario == "amazon_connect":
        result = success("transfer_to_number_amazon_connect_success", reason=reason, note="queue billing")
        return [("transfer_to_number", _AS_CONFIGURED, result)]
    if scenario == "exotel":
        result = success("transfer_to_number_exotel_success", transfer_number=HUMAN_NUMBER, reason=reason)
        return [("transfer_to_number", _AS_CONFIGURED, result)]
    return []


def _result(kind: str, status: str, message: str) -> Json:
    return {"result_type": kind, "status": status, "message": message}


def _use_code_tool(script: Script) -> None:
    """Use a code tool, a kind that came after the spec of 2025; ``smb`` tools look the same."""
    kind = "code" if script.blueprint.caller % 2 else "smb"
    call = plain_request(script, "work_out_instalments", {"months": 6}, kind=kind)
    script.call_tool(call)
    script.read_result(plain_answer(call, '{"monthly": 41.5}', 0.04), 0.04)
