/*
description = "Lake table tools, with readable column names: one row per tool of the workspace that the API ever listed, as it was listed last."
grain = ["workspace", "tool_id"]
inherits_columns_from = "lake.tools"
*/
with source as (
    select * from lake.tools
),

final as (
    select
        workspace,
        tool_id,
        type as tool_type,
        name as tool_name,
        description,
        response_timeout_secs,
        execution_mode,
        disable_interruptions,
        interruption_mode,
        force_pre_tool_speech,
        pre_tool_speech,
        tool_call_sound,
        tool_call_sound_behavior,
        tool_error_handling_mode,
        assignments,
        expects_response,
        api_schema_url,
        api_schema_method,
        api_schema_auth_connection_auth_connection_id,
        api_schema_content_type,
        api_schema_auth_connection_env_var_label,
        api_schema_auth_resolved_params,
        api_schema_response_filter_mode,
        api_schema_response_filter_filters,
        api_schema_response_filter_content_type,
        follow_redirects,
        follow_redirects_allowed_domains,
        tool_version,
        api_integration_id,
        api_integration_connection_id,
        base_api_schema_url,
        base_api_schema_method,
        base_api_schema_auth_connection_auth_connection_id,
        params_system_tool_type,
        params_transfers,
        params_enable_client_message,
        params_voicemail_message,
        params_only_at_conversation_start,
        params_use_out_of_band_dtmf,
        params_suppress_turn_after_dtmf,
        params_wait_timeout_secs,
        params_procedures,
        params_enabled_strategies,
        value,
        response_mocks,
        access_info_is_creator,
        access_info_creator_name,
        access_info_creator_email,
        access_info_role,
        access_info_anonymous_access_level_override,
        access_info_access_source,
        usage_stats_n_calls,
        usage_stats_avg_latency_secs,
        first_seen_at,
        changed_at,
        last_seen_at,
        is_gone,
        content_sha256,
        extra
    from source
)

select * from final
