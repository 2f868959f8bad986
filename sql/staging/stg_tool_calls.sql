/*
description = "Lake table tool_calls, with readable column names: one row per tool call, those nested in workflow steps included."
grain = ["conversation_id", "call_index"]
inherits_columns_from = "lake.tool_calls"
*/
with source as (
    select * from lake.tool_calls
),

final as (
    select
        workspace,
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
