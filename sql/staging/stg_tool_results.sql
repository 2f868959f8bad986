/*
description = "Lake table tool_results, with readable column names: one row per tool result, those nested in workflow steps included."
grain = ["conversation_id", "result_index"]
inherits_columns_from = "lake.tool_results"
*/
with source as (
    select * from lake.tool_results
),

final as (
    select
        workspace,
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
        result_branch_info_branch_reason as result_branch_reason,
        result_branch_info_branch_id as result_branch_id,
        result_branch_info_traffic_percentage as result_branch_traffic_percentage,
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
