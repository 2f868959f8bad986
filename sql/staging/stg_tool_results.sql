/*
description = "Lake table tool_results, its columns named for people: one row per tool result, those nested in workflow steps included."
grain = ["conversation_id", "result_index"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
result_index = "Running number of the result in the conversation, from 0."
turn_index = "Transcript entry that holds it."
parent_request_id = "request_id of the workflow result that holds it; null at the top."
depth = "0 in the transcript, +1 for each workflow step around it."
request_id = "Id that a call and its result share."
tool_name = "Name of the tool."
tool_id = "Id of the tool; today's API."
tool_type = "system, webhook, client, mcp, workflow, …; open text."
result_value = "The result, the API's own text (often JSON)."
is_error = "Whether the tool failed."
is_blocked = "Whether the call was blocked."
error_type = "Kind of the error."
raw_error_message = "Error in the tool's own words."
tool_has_been_called = "Whether the call was carried out."
tool_latency_secs = "Time that the tool took."
integration_id = "Integration of an api_integration_webhook tool."
credential_id = "Id of the credential it used; never the credential."
integration_connection_id = "Connection it used."
result_type = "Which system result it is; null for other tools."
result_status = "success or error."
result_reason = "Why the system tool was used."
result_message = "Message of end_call."
result_language = "Language detected."
result_from_agent = "Agent that transferred."
result_to_agent = "Agent transferred to; a node id inside a workflow."
result_to_node = "Node transferred to; today's API."
result_branch_info = "Branch transferred to; today's API."
result_condition = "Condition of the transfer."
result_delay_ms = "Delay of the transfer."
result_transfer_message = "Message at the transfer."
result_enable_transferred_agent_first_message = "Whether the next agent speaks its first message."
result_error = "Error of the system tool."
result_details = "Details of the error."
result_transfer_number = "Number transferred to."
result_client_message = "Message to the caller at a transfer."
result_agent_message = "Message to the person called at a transfer."
result_conference_name = "Conference of the transfer."
result_note = "Note on the transfer."
result_dtmf_tones = "Tones played."
result_voicemail_message = "Message left on the voicemail."
result_post_dial_digits = "Digits dialled after a transfer."
result_preserve_client_tts_overrides = "Whether the next agent keeps the client's voice settings."
result_preserve_voice_settings = "Whether the next agent keeps the voice."
result_procedure_id = "Procedure started or ended."
result_procedure_name = "Its name."
result_procedure_entry_workflow_node = "Node at which it was entered."
result_procedure_return_workflow_node = "Node to which it returns."
result_chunk_count = "Chunks that a look-up in the knowledge base gave."
result_chunks = "Those chunks."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.tool_results
),

final as (
    select
        conversation_id,
        start_date,
        result_index,
        turn_index,
        parent_request_id,
        depth,
        request_id,
        tool_name,
        tool_id,
        type as tool_type,
        result_value,
        is_error,
        is_blocked,
        error_type,
        raw_error_message,
        tool_has_been_called,
        tool_latency_secs,
        integration_id,
        credential_id,
        integration_connection_id,
        result_type,
        result_status,
        result_reason,
        result_message,
        result_language,
        result_from_agent,
        result_to_agent,
        result_to_node,
        result_branch_info,
        result_condition,
        result_delay_ms,
        result_transfer_message,
        result_enable_transferred_agent_first_message,
        result_error,
        result_details,
        result_transfer_number,
        result_client_message,
        result_agent_message,
        result_conference_name,
        result_note,
        result_dtmf_tones,
        result_voicemail_message,
        result_post_dial_digits,
        result_preserve_client_tts_overrides,
        result_preserve_voice_settings,
        result_procedure_id,
        result_procedure_name,
        result_procedure_entry_workflow_node,
        result_procedure_return_workflow_node,
        result_chunk_count,
        result_chunks,
        extra
    from source
)

select * from final
