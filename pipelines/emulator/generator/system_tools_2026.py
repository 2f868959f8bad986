"""System tools whose results the reference does not know yet; only documents of today's form show them."""

from __future__ import annotations

from typing import Any

from pipelines.emulator.generator.tool_calls import request_id, use_system
from pipelines.emulator.generator.transcript import Json, Script

_PROCEDURE = {"procedure_id": "proc_7701kd3verify", "procedure_name": "Verify the caller"}
_NUMBER = "+15550100900"


def play(script: Script) -> None:
    """Play the episode of the call's trait, if it is one of today's."""
    if not script.head.today:
        return
    trait, even = script.head.trait, script.head.caller % 2 == 0
    reason = f"{script.slots['name']} asked for it"
    chunk = {"chunk_id": "c0007", "document_id": script.head.agent.document_id, "content": "Breakfast from 6.30 to 10."}
    if trait == "procedure":
        _use(script, "start_procedure", "start_procedure_success", "success", **_PROCEDURE)
        if even:
            _use(script, "end_procedure", "end_procedure_success", "success", **_PROCEDURE)
        else:
            _use(script, "end_procedure", "end_procedure_error", "not_found", message="No procedure is active")
            _use(script, "start_procedure", "start_procedure_error", "invalid_name", message="Unknown procedure")
    elif trait == "knowledge_tool":
        if even:
            _use(script, "knowledge_base", "knowledge_base_rag_success", "success", chunk_count=1, chunks=[chunk])
        else:
            _use(script, "knowledge_base", "knowledge_base_success", "no_results", chunk_count=0, message="Nothing")
    elif trait == "amazon_connect":
        kind = "transfer_to_number_amazon_connect_success"
        _use(script, "transfer_to_number", kind, "success", reason=reason, note="queue billing")
    elif trait == "exotel":
        kind = "transfer_to_number_exotel_success"
        _use(script, "transfer_to_number", kind, "success", transfer_number=_NUMBER, reason=reason)
    elif trait == "code_tool":
        _run_code(script)
        use_system(script, "wait", {}, {"result_type": "dummy"})


def _use(script: Script, tool_name: str, kind: str, status: str, **rest: Any) -> None:
    if tool_name == "transfer_to_number":
        script.features.add(tool_name)
    use_system(script, tool_name, {"reason": "as configured"}, {"result_type": kind, "status": status, **rest})


def _run_code(script: Script) -> None:
    """A call of a code tool, a kind that came after the reference; ``smb`` tools look the same."""
    kind = "code" if script.head.caller % 2 else "smb"
    call: Json = {
        "type": kind,
        "request_id": request_id(script, "work_out_instalments"),
        "tool_name": "work_out_instalments",
        "params_as_json": '{"months": 6}',
        "tool_has_been_called": True,
        "tool_details": None,
    }
    script.think(call)
    result = {
        "request_id": call["request_id"],
        "tool_name": call["tool_name"],
        "result_value": '{"monthly": 41.5}',
        "is_error": False,
        "tool_has_been_called": True,
        "tool_latency_secs": 0.04,
        "dynamic_variable_updates": [],
        "type": kind,
    }
    script.learn(result, 0.04)
