"""Tables of tool calls, tool results, workflow steps and updates of dynamic variables, at every level of nesting."""

from __future__ import annotations

from warehouse.schema.types import (
    BOOL,
    FLOAT,
    INT,
    JSON,
    TEXT,
    TIME,
    Column,
    Type,
    column,
    derived,
    free_text,
    identifier,
    table,
)

_NESTING = (
    derived("turn_index", INT, "Transcript entry that contains it.", required=True),
    derived(
        "parent_request_id", TEXT, "request_id of the workflow result that contains it; null if the transcript does."
    ),
    derived("depth", INT, "0 in the transcript, plus 1 for each workflow step around it.", required=True),
)

TOOL_CALLS = table(
    "tool_calls",
    "tool call, including those nested in workflow steps",
    at="transcript[turn_index].tool_calls[call_index]",
    keys=(derived("call_index", INT, "Running number of the tool call in the conversation, from 0.", required=True),),
    columns=(
        *_NESTING,
        column("request_id", TEXT, "Id that a tool call and its result have in common."),
        column("tool_name", TEXT, "Name of the tool."),
        column("tool_id", TEXT, "Id of the tool; current API only."),
        column("type", TEXT, "system, webhook, client, mcp, workflow, …; open text."),
        free_text("params_as_json", TEXT, "Arguments, as the JSON text that the API sends."),
        column("tool_has_been_called", BOOL, "Whether the tool was called."),
        column("tool_details.type", TEXT, "webhook, client or mcp."),
        column("tool_details.method", TEXT, "HTTP method of a webhook."),
        free_text("tool_details.url", TEXT, "URL of a webhook."),
        column("tool_details.headers", JSON, "Names of the webhook's headers; the values are masked before landing."),
        free_text("tool_details.path_params", JSON, "Path parameters of a webhook."),
        free_text("tool_details.query_params", JSON, "Query parameters of a webhook."),
        free_text("tool_details.body", TEXT, "Body of a webhook."),
        free_text(
            "tool_details.parameters", Type.TEXT_OR_JSON, "Arguments of a client tool (text) or an MCP tool (JSON)."
        ),
        column("tool_details.mcp_server_id", TEXT, "MCP server."),
        column("tool_details.mcp_server_name", TEXT, "Name of the MCP server."),
        column("tool_details.integration_type", TEXT, "Kind of the MCP integration."),
        column("tool_details.approval_policy", TEXT, "Approval policy of the MCP server."),
        column("tool_details.requires_approval", BOOL, "Whether this tool call needed an approval."),
        column("tool_details.mcp_tool_name", TEXT, "Name of the tool at the MCP server."),
        column("tool_details.mcp_tool_description", TEXT, "Description of the tool at the MCP server."),
        column("tool_details.integration_id", TEXT, "Integration of an api_integration_webhook tool."),
        column("tool_details.credential_id", TEXT, "Id of the credential that was used; never the credential itself."),
        column("tool_details.integration_connection_id", TEXT, "Connection to the integration that was used."),
        column("tool_details.webhook_details.type", TEXT, "Kind of the integration's request."),
        column("tool_details.webhook_details.method", TEXT, "HTTP method of the integration's request."),
        free_text("tool_details.webhook_details.url", TEXT, "URL of the integration's request."),
        column(
            "tool_details.webhook_details.headers",
            JSON,
            "Names of the headers of the integration's request; the values are masked before landing.",
        ),
        free_text("tool_details.webhook_details.path_params", JSON, "Path parameters of the integration's request."),
        free_text("tool_details.webhook_details.query_params", JSON, "Query parameters of the integration's request."),
        free_text("tool_details.webhook_details.body", TEXT, "Body of the integration's request."),
    ),
)


def _result(name: str, type_: Type, description: str) -> Column:
    return column(f"result.{name}", type_, description)


TOOL_RESULTS = table(
    "tool_results",
    "tool result, including those nested in workflow steps",
    at="transcript[turn_index].tool_results[result_index]",
    keys=(
        derived("result_index", INT, "Running number of the tool result in the conversation, from 0.", required=True),
    ),
    columns=(
        *_NESTING,
        column("request_id", TEXT, "Id that a tool call and its result have in common."),
        column("tool_name", TEXT, "Name of the tool."),
        column("tool_id", TEXT, "Id of the tool; current API only."),
        column("type", TEXT, "system, webhook, client, mcp, workflow, …; open text."),
        free_text("result_value", TEXT, "The result, as the text that the API sends; often JSON."),
        column("is_error", BOOL, "Whether the tool failed."),
        column("is_blocked", BOOL, "Whether the tool call was blocked."),
        column("error_type", TEXT, "Kind of the error."),
        free_text("raw_error_message", TEXT, "Error message of the tool."),
        column("tool_has_been_called", BOOL, "Whether the tool was called."),
        column("tool_latency_secs", FLOAT, "Duration of the tool call."),
        column("integration_id", TEXT, "Integration of an api_integration_webhook tool."),
        column("credential_id", TEXT, "Id of the credential that was used; never the credential itself."),
        column("integration_connection_id", TEXT, "Connection to the integration that was used."),
        column("result.result_type", TEXT, "Kind of a system tool's result; null for other tools.", name="result_type"),
        _result("status", TEXT, "Status of the result, such as success or error; open text."),
        free_text("result.reason", TEXT, "Why the system tool was used."),
        free_text("result.message", TEXT, "Message of end_call."),
        _result("language", TEXT, "Detected language."),
        _result("from_agent", TEXT, "Agent that transferred."),
        _result("to_agent", TEXT, "Agent that was transferred to; inside a workflow, the id of a node."),
        _result("to_node", TEXT, "Workflow node that was transferred to; current API only."),
        _result("branch_info.branch_reason", TEXT, "Why this branch of the agent was transferred to."),
        _result("branch_info.branch_id", TEXT, "Branch that was transferred to; current API only."),
        _result("branch_info.traffic_percentage", FLOAT, "Share of the traffic that the branch gets, in percent."),
        _result("condition", TEXT, "Condition of the transfer."),
        _result("delay_ms", INT, "Delay of the transfer."),
        free_text("result.transfer_message", TEXT, "Message at the transfer."),
        _result("enable_transferred_agent_first_message", BOOL, "Whether the next agent speaks its first message."),
        free_text("result.error", TEXT, "Error of the system tool."),
        free_text("result.details", TEXT, "Details of the error."),
        identifier("result.transfer_number", TEXT, "Phone number that was transferred to."),
        free_text("result.client_message", TEXT, "Message to the caller at a transfer."),
        free_text("result.agent_message", TEXT, "Message to the person who is called at a transfer."),
        identifier("result.conference_name", TEXT, "Conference of the transfer."),
        free_text("result.note", TEXT, "Note on the transfer."),
        free_text("result.dtmf_tones", TEXT, "DTMF tones that were played."),
        free_text("result.voicemail_message", TEXT, "Message left on the voicemail."),
        identifier("result.post_dial_digits", TEXT, "Digits dialled after a transfer."),
        _result("preserve_client_tts_overrides", BOOL, "Whether the next agent keeps the client's voice settings."),
        _result("preserve_voice_settings", BOOL, "Whether the next agent keeps the voice."),
        _result("procedure_id", TEXT, "Procedure that was started or ended."),
        _result("procedure_name", TEXT, "Name of the procedure."),
        _result("procedure_entry_workflow_node", TEXT, "Workflow node at which the procedure was entered."),
        _result("procedure_return_workflow_node", TEXT, "Workflow node to which the procedure returns."),
        _result("chunk_count", INT, "Number of chunks that were retrieved from the knowledge base."),
        free_text("result.chunks", JSON, "Chunks that were retrieved from the knowledge base."),
    ),
)

WORKFLOW_STEPS = table(
    "workflow_steps",
    "step of a workflow in a tool result",
    at="transcript[turn_index].tool_results[result_index].result.steps[step_index]",
    keys=(
        derived("result_index", INT, "Running number of the tool result that contains the step.", required=True),
        derived("step_index", INT, "Position of the step, from 0.", required=True),
    ),
    columns=(
        column("type", TEXT, "edge, nested_tools or max_iterations_exceeded."),
        column("step_latency_secs", FLOAT, "Duration of the step."),
        column("edge_id", TEXT, "Edge that was taken."),
        column("target_node_id", TEXT, "Node that the edge leads to."),
        column("node_id", TEXT, "Node that called tools."),
        column("is_successful", BOOL, "Whether the tools of the node succeeded."),
        column("max_iterations", INT, "Limit that was exceeded."),
    ),
)

DYNAMIC_VARIABLE_UPDATES = table(
    "dynamic_variable_updates",
    "dynamic variable that a tool result changed",
    at="transcript[turn_index].tool_results[result_index].dynamic_variable_updates[update_index]",
    keys=(
        derived("result_index", INT, "Running number of the tool result that contains the update.", required=True),
        derived("update_index", INT, "Position of the update, from 0.", required=True),
    ),
    columns=(
        column("variable_name", TEXT, "Name of the variable."),
        free_text("old_value", Type.TEXT_OR_JSON, "Value before the update."),
        free_text("new_value", Type.TEXT_OR_JSON, "Value after the update."),
        column("updated_at", TIME, "When the variable changed."),
        column("tool_name", TEXT, "Tool that changed the variable."),
        column("tool_request_id", TEXT, "request_id of the tool call that changed the variable."),
    ),
)
