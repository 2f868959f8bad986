/*
description = "Lake table tool_calls, its columns named for people: one row per tool call, those nested in workflow steps included."
grain = ["conversation_id", "call_index"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
call_index = "Running number of the call in the conversation, from 0."
turn_index = "Transcript entry that holds it."
parent_request_id = "request_id of the workflow result that holds it; null at the top."
depth = "0 in the transcript, +1 for each workflow step around it."
request_id = "Id that a call and its result share."
tool_name = "Name of the tool."
tool_id = "Id of the tool; today's API."
tool_type = "system, webhook, client, mcp, workflow, …; open text."
params_as_json = "Arguments, the API's own JSON text."
tool_has_been_called = "Whether the call was carried out."
tool_details_type = "webhook, client or mcp."
tool_details_method = "HTTP method of a webhook."
tool_details_url = "Address of a webhook."
tool_details_headers = "Names of the webhook's headers; the values are masked before landing."
tool_details_path_params = "Path parameters of a webhook."
tool_details_query_params = "Query parameters of a webhook."
tool_details_body = "Body of a webhook."
tool_details_parameters = "Arguments of a client tool (text) or an MCP tool (JSON)."
tool_details_mcp_server_id = "MCP server."
tool_details_mcp_server_name = "Name of the MCP server."
tool_details_integration_type = "Kind of the MCP integration."
tool_details_approval_policy = "Who approves calls of the MCP server."
tool_details_requires_approval = "Whether this call needed an approval."
tool_details_mcp_tool_name = "Name of the tool at the MCP server."
tool_details_mcp_tool_description = "Description of the tool at the MCP server."
tool_details_integration_id = "Integration of an api_integration_webhook tool."
tool_details_credential_id = "Id of the credential it used; never the credential."
tool_details_integration_connection_id = "Connection it used."
tool_details_webhook_details_type = "Kind of the integration's call."
tool_details_webhook_details_method = "HTTP method of the integration's call."
tool_details_webhook_details_url = "Address of the integration's call."
tool_details_webhook_details_headers = "Names of its headers; the values are masked."
tool_details_webhook_details_path_params = "Its path parameters."
tool_details_webhook_details_query_params = "Its query parameters."
tool_details_webhook_details_body = "Its body."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.tool_calls
),

final as (
    select
        conversation_id,
        start_date,
        call_index,
        turn_index,
        parent_request_id,
        depth,
        request_id,
        tool_name,
        tool_id,
        type as tool_type,
        params_as_json,
        tool_has_been_called,
        tool_details_type,
        tool_details_method,
        tool_details_url,
        tool_details_headers,
        tool_details_path_params,
        tool_details_query_params,
        tool_details_body,
        tool_details_parameters,
        tool_details_mcp_server_id,
        tool_details_mcp_server_name,
        tool_details_integration_type,
        tool_details_approval_policy,
        tool_details_requires_approval,
        tool_details_mcp_tool_name,
        tool_details_mcp_tool_description,
        tool_details_integration_id,
        tool_details_credential_id,
        tool_details_integration_connection_id,
        tool_details_webhook_details_type,
        tool_details_webhook_details_method,
        tool_details_webhook_details_url,
        tool_details_webhook_details_headers,
        tool_details_webhook_details_path_params,
        tool_details_webhook_details_query_params,
        tool_details_webhook_details_body,
        extra
    from source
)

select * from final
