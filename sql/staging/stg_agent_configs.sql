/*
description = "Lake table agent_configs, with readable column names: one row per configuration of an agent that listings showed, with the paths that it changed."
grain = ["workspace", "agent_id", "valid_from_at"]
inherits_columns_from = "lake.agent_configs"
*/
with source as (
    select * from lake.agent_configs
),

final as (
    select
        workspace,
        agent_id,
        valid_from_at,
        last_seen_at,
        is_current,
        changes,
        agent_name,
        language,
        prompt_length,
        prompt,
        first_message_length,
        llm,
        temperature,
        max_tokens,
        reasoning_effort,
        voice_id,
        tts_model,
        asr_provider,
        turn_timeout_secs,
        max_duration_secs,
        n_tools,
        tool_ids,
        n_knowledge_documents,
        n_criteria,
        criteria,
        n_data_collection_fields,
        data_collection,
        version_id,
        branch_id,
        main_branch_id,
        tags,
        created_at,
        content_sha256,
        extra
    from source
)

select * from final
