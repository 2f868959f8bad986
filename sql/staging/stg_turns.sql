/*
description = "Lake table turns, with readable column names: one row per transcript entry."
grain = ["conversation_id", "turn_index"]
inherits_columns_from = "lake.turns"
*/
with source as (
    select * from lake.turns
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        turn_index,
        role,
        message,
        original_message,
        interrupted as is_interrupted,
        time_in_call_secs,
        source_medium,
        id as entry_id,
        created_at,
        source_event_id,
        agent_metadata_agent_id as speaking_agent_id,
        agent_metadata_branch_id as branch_id,
        agent_metadata_workflow_node_id as workflow_node_id,
        agent_metadata_version_id as version_id,
        feedback_score,
        feedback_time_in_call_secs,
        llm_override,
        producing_llm,
        rag_retrieval_info_embedding_model as rag_embedding_model,
        rag_retrieval_info_retrieval_query as rag_query,
        rag_retrieval_info_rag_latency_secs as rag_latency_secs,
        rag_retrieval_info_used_chunk_ids as rag_used_chunk_ids,
        conversation_turn_metrics_convai_asr_provider as asr_provider,
        conversation_turn_metrics_convai_tts_model as tts_model,
        conversation_turn_metrics_convai_tts_cascade as tts_cascade,
        conversation_turn_metrics_voice_id as voice_id,
        user_identifier,
        ignored_as_backchannel as is_backchannel,
        platform_event,
        reasoning,
        used_static_kb_document_ids,
        reasoned,
        config_snapshot_id,
        contextual_update_info_context_id as context_id,
        contextual_update_info_is_superseded as is_context_superseded,
        analysis,
        extra
    from source
)

select * from final
