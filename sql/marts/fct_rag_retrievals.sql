/*
description = """Retrievals from the knowledge base: one row per transcript entry that holds one. An entry holds one when it \
has a query, a latency, an embedding model or a chunk."""
grain = ["conversation_id", "turn_index"]
incremental_by = "start_date"
inherits_columns_from = "intermediate.int_conversation_flags"

[columns]
turn_index = "Position of the transcript entry, from 0."
embedding_model = "Model that turned text into vectors."
retrieval_query = "What was looked for."
latency_secs = "Time of the retrieval; null when reported below 0."
n_chunks = "Chunks that were found."
n_chunks_used = "Chunks that were used; null when not reported, as on older conversations."
best_distance = "Smallest vector distance of a chunk to the query: the smaller, the nearer."
mean_distance = "Mean vector distance of the chunks to the query."

[tests]
not_null = ["workspace", "conversation_id", "turn_index", "start_date", "n_chunks", "is_finished", "is_counted"]
references = { conversation_id = "marts.fct_conversations.conversation_id" }
*/
with turns as (
    select * from staging.stg_turns
),

rag_chunks as (
    select * from staging.stg_rag_chunks
),

flags as (
    select * from intermediate.int_conversation_flags
),

chunks_in_turn as (
    select
        workspace,
        conversation_id,
        turn_index,
        count(*) as n_chunks,
        min(vector_distance) as best_distance,
        avg(vector_distance) as mean_distance
    from rag_chunks
    group by all
),

final as (
    select
        turns.workspace,
        turns.conversation_id,
        turns.turn_index,
        turns.start_date,
        flags.agent_id,
        flags.agent_name,
        flags.version_id,
        turns.rag_embedding_model as embedding_model,
        turns.rag_query as retrieval_query,
        case when turns.rag_latency_secs >= 0 then turns.rag_latency_secs end as latency_secs,
        coalesce(chunks_in_turn.n_chunks, 0) as n_chunks,
        cast(json_array_length(turns.rag_used_chunk_ids) as bigint) as n_chunks_used,
        chunks_in_turn.best_distance,
        chunks_in_turn.mean_distance,
        coalesce(flags.is_finished, false) as is_finished,
        coalesce(flags.is_counted, false) as is_counted
    from turns
    left join flags on turns.workspace = flags.workspace and turns.conversation_id = flags.conversation_id
    left join chunks_in_turn
        on
            turns.workspace = chunks_in_turn.workspace
            and turns.conversation_id = chunks_in_turn.conversation_id
            and turns.turn_index = chunks_in_turn.turn_index
    where
        turns.rag_query is not null
        or turns.rag_latency_secs is not null
        or turns.rag_embedding_model is not null
        or chunks_in_turn.n_chunks is not null
)

select * from final
