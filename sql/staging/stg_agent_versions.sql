/*
description = "Lake table agent_versions, with readable column names: one row per version of an agent that the API keeps."
grain = ["workspace", "agent_id", "version_id"]
inherits_columns_from = "lake.agent_versions"
*/
with source as (
    select * from lake.agent_versions
),

final as (
    select
        workspace,
        agent_id,
        version_id,
        first_seen_at,
        branch_id,
        description,
        seq_no_in_branch,
        committed_at,
        author_name,
        author_email,
        parents,
        parent_version_id,
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
        content_sha256,
        extra
    from source
)

select * from final
