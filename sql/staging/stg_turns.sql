/*
description = "Lake table turns, its columns named for people: one row per transcript entry."
grain = ["conversation_id", "turn_index"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
turn_index = "Position of the transcript entry, from 0."
role = "user or agent."
message = "What was said; null on tool entries, '...' for a silent user, cut when interrupted."
original_message = "Whole text of an interrupted agent turn."
is_interrupted = "Whether the user cut in."
time_in_call_secs = "Start of the entry from the start of the call."
source_medium = "audio, text, dtmf, image, file."
entry_id = "Id of the entry; today's API."
created_at = "When the entry was made; today's API."
source_event_id = "Event that the entry stems from."
speaking_agent_id = "Agent that spoke."
branch_id = "Branch of the agent that spoke."
workflow_node_id = "Node of the workflow that spoke."
version_id = "Version of the agent that spoke."
feedback_score = "like or dislike of this entry."
feedback_time_in_call_secs = "When it was given, from the start of the call."
llm_override = "Model set for this entry."
producing_llm = "Model that made the entry."
rag_embedding_model = "Embedding model of the retrieval."
rag_query = "Query of the retrieval."
rag_latency_secs = "Time of the retrieval."
rag_used_chunk_ids = "Chunks that were used."
asr_provider = "Speech recognition of the entry."
tts_model = "Speech model of the entry."
tts_cascade = "Speech models tried in turn."
voice_id = "Voice of the entry."
user_identifier = "Who spoke, where several users do."
is_backchannel = "Whether the entry was taken as a mere 'mhm'."
platform_event = "Event of the platform."
reasoning = "Reasoning of the model."
used_static_kb_document_ids = "Documents of the knowledge base in the prompt."
triggered_guardrails = "Guardrails that fired."
file_input = "File that the user sent."
file_inputs = "Files that the user sent."
reasoned = "Whether the model reasoned."
config_snapshot_id = "Undocumented key of recorded responses."
contextual_update_info = "Context that the client sent."
analysis = "Analysis of the entry."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.turns
),

final as (
    select
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
        created_at_at as created_at,
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
        triggered_guardrails,
        file_input,
        file_inputs,
        reasoned,
        config_snapshot_id,
        contextual_update_info,
        analysis,
        extra
    from source
)

select * from final
