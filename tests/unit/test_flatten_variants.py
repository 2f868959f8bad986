"""Entire rows of objects that have several variants: phone calls, tool details, results of system tools."""

from __future__ import annotations

import pytest

from tests.helpers.sample_documents import STARTED

SIDES = {
    "direction": "outbound",
    "phone_number_id": "phnum_1",
    "agent_number": "+1555010",
    "external_number": "+1555020",
}


@pytest.mark.parametrize(
    "call",
    [
        {"type": "twilio", "stream_sid": "MZ1", "call_sid": "CA1"},
        {"type": "sip_trunking", "call_sid": "SCL_1"},
        {"type": "sip_trunking", "call_id": "id@sip", "call_result": "answered", "call_sid": "SCL_1"},
        {"type": "exotel", "stream_sid": "ex-stream", "call_sid": "ex-call"},
    ],
)
def test_each_kind_of_phone_call(call, rows):
    row = rows("conversations", metadata={"start_time_unix_secs": STARTED, "phone_call": SIDES | call})[0]
    columns = {key: value for key, value in row.items() if key.startswith("phone_call")}
    assert columns == {f"phone_call_{key}": value for key, value in (SIDES | call).items()}


def test_variables_of_sip_headers_are_json(rows):
    call = {"type": "sip_trunking", "sip_header_dynamic_variables": {"x-customer": "c 1"}}
    row = rows("conversations", metadata={"start_time_unix_secs": STARTED, "phone_call": call})[0]
    assert row["phone_call_sip_header_dynamic_variables"] == '{"x-customer":"c 1"}'


TOOL_DETAILS = [
    (
        {
            "type": "webhook",
            "method": "POST",
            "url": "https://example.com/orders",
            "headers": {"accept": "***"},
            "path_params": {"id": "7"},
            "query_params": {},
            "body": '{"a":1}',
        },
        {"headers": '{"accept":"***"}', "path_params": '{"id":"7"}', "query_params": "{}"},
    ),
    ({"type": "client", "parameters": '{"colour": "red"}'}, {}),
    (
        {
            "type": "mcp",
            "mcp_server_id": "mcp_1",
            "mcp_server_name": "Orders",
            "integration_type": "mcp_server",
            "parameters": {"order": "7"},
            "approval_policy": "auto_approve_all",
            "requires_approval": False,
            "mcp_tool_name": "find",
            "mcp_tool_description": "Finds an order.",
        },
        {"parameters": '{"order":"7"}'},
    ),
]


@pytest.mark.parametrize(("details", "as_json"), TOOL_DETAILS)
def test_each_kind_of_tool_details(details, as_json, rows):
    call = {"type": details["type"], "request_id": "r", "tool_name": "t", "params_as_json": "{}"}
    tool_calls = rows("tool_calls", transcript=[{"role": "agent", "tool_calls": [call | {"tool_details": details}]}])
    columns = {f"tool_details_{key}": value for key, value in (details | as_json).items()}
    assert tool_calls == [{"call_index": 0, "turn_index": 0, "depth": 0, **call, **columns}]


def test_details_of_an_integration_keep_those_of_its_webhook_apart(rows):
    webhook = {"type": "webhook", "method": "GET", "url": "https://example.com", "headers": {}, "body": ""}
    ids = {"integration_id": "int_1", "credential_id": "cred_1", "integration_connection_id": "conn_1"}
    details = {"type": "api_integration_webhook", **ids, "webhook_details": webhook}
    tool_calls = rows("tool_calls", transcript=[{"tool_calls": [{"request_id": "r", "tool_details": details}]}])
    assert tool_calls == [
        {
            "call_index": 0,
            "turn_index": 0,
            "depth": 0,
            "request_id": "r",
            "tool_details_type": "api_integration_webhook",
            "tool_details_integration_id": "int_1",
            "tool_details_credential_id": "cred_1",
            "tool_details_integration_connection_id": "conn_1",
            "tool_details_webhook_details_type": "webhook",
            "tool_details_webhook_details_method": "GET",
            "tool_details_webhook_details_url": "https://example.com",
            "tool_details_webhook_details_headers": "{}",
            "tool_details_webhook_details_body": "",
        }
    ]


SYSTEM_RESULTS = [
    {"result_type": "end_call_success", "status": "success", "reason": "All said.", "message": "Good-bye."},
    {"result_type": "language_detection_success", "status": "success", "reason": "Spoke French.", "language": "fr"},
    {
        "result_type": "transfer_to_agent_success",
        "status": "success",
        "from_agent": "agent_a",
        "to_agent": "agent_b",
        "to_node": "node_1",
        "condition": "Wants billing.",
        "delay_ms": 250,
        "transfer_message": "One moment.",
        "enable_transferred_agent_first_message": True,
        "branch_info": {"branch_reason": "traffic_split", "branch_id": "b", "traffic_percentage": 0.5},
        "preserve_client_tts_overrides": True,
        "preserve_voice_settings": False,
    },
    {"result_type": "transfer_to_agent_error", "status": "error", "from_agent": "agent_a", "error": "No such agent."},
    {
        "result_type": "transfer_to_number_twilio_success",
        "status": "success",
        "transfer_number": "+1555030",
        "reason": "Asked for a person.",
        "client_message": "I connect you.",
        "agent_message": "A caller.",
        "conference_name": "conf_1",
        "post_dial_digits": "ww12",
        "note": "warm",
    },
    {
        "result_type": "transfer_to_number_sip_success",
        "status": "success",
        "transfer_number": "sip:a@b",
        "reason": "r",
        "note": "n",
    },
    {
        "result_type": "transfer_to_number_exotel_success",
        "status": "success",
        "transfer_number": "+91555",
        "agent_message": "m",
        "note": "n",
    },
    {"result_type": "transfer_to_number_amazon_connect_success", "status": "success", "client_message": "m"},
    {"result_type": "transfer_to_number_error", "status": "error", "error": "busy", "details": "486"},
    {"result_type": "skip_turn_success", "status": "success", "reason": "Asked to wait."},
    {"result_type": "play_dtmf_success", "status": "success", "dtmf_tones": "1#", "reason": "Menu."},
    {"result_type": "play_dtmf_error", "status": "error", "error": "no line", "details": "text chat"},
    {
        "result_type": "voicemail_detection_success",
        "status": "success",
        "voicemail_message": "Call back.",
        "reason": "r",
    },
    {"result_type": "testing_tool_result", "status": "success", "reason": "Mocked.", "to_agent": "a", "to_node": "n"},
    {
        "result_type": "start_procedure_success",
        "status": "success",
        "procedure_id": "proc_1",
        "procedure_name": "Refund",
        "procedure_entry_workflow_node": "n1",
        "procedure_return_workflow_node": "n2",
        "message": "m",
    },
    {"result_type": "start_procedure_error", "status": "error", "procedure_id": "proc_1", "message": "m"},
    {"result_type": "end_procedure_success", "status": "success", "procedure_id": "proc_1", "procedure_name": "Refund"},
    {"result_type": "end_procedure_error", "status": "error", "message": "m"},
    {"result_type": "knowledge_base_success", "status": "success", "chunk_count": 0, "message": "nothing"},
    {
        "result_type": "knowledge_base_rag_success",
        "status": "success",
        "chunk_count": 1,
        "chunks": [{"chunk_id": "c", "document_id": "d", "content": "text"}],
    },
    {"result_type": "dummy"},
    {"result_type": "kind_of_tomorrow", "status": "success"},
]


def test_each_kind_of_system_result(rows):
    tool = {"tool_name": "t", "result_value": "", "is_error": False, "tool_has_been_called": True, "type": "system"}
    results = [
        tool | {"request_id": f"r{at}", "tool_latency_secs": at / 2, "result": result}
        for at, result in enumerate(SYSTEM_RESULTS)
    ]
    as_json = {
        "knowledge_base_rag_success": {"chunks": '[{"chunk_id":"c","document_id":"d","content":"text"}]'},
    }
    assert rows("tool_results", transcript=[{"role": "user"}, {"role": "agent", "tool_results": results}]) == [
        {
            **tool,
            "result_index": at,
            "turn_index": 1,
            "depth": 0,
            "request_id": f"r{at}",
            "tool_latency_secs": at / 2,
            **_columns(result | as_json.get(result["result_type"], {})),
        }
        for at, result in enumerate(SYSTEM_RESULTS)
    ]


def _columns(result):
    branch = {f"branch_info_{key}": value for key, value in result.get("branch_info", {}).items()}
    columns = {key: value for key, value in result.items() if key != "branch_info"} | branch
    return {key if key == "result_type" else f"result_{key}": value for key, value in columns.items()}


def test_an_error_that_is_a_text_is_its_reason(rows):
    (row,) = rows("conversations", metadata={"start_time_unix_secs": STARTED, "error": "Agent not found"})
    assert {key: row.get(key) for key in ("error_reason", "error_code", "error_type", "extra")} == {
        "error_reason": "Agent not found",
        "error_code": None,
        "error_type": None,
        "extra": None,
    }
