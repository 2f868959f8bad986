/*
description = "Lake table rag_chunks, with readable column names: one row per chunk retrieved from the knowledge base."
grain = ["conversation_id", "turn_index", "chunk_index"]
inherits_columns_from = "lake.rag_chunks"
*/
with source as (
    select * from lake.rag_chunks
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        turn_index,
        chunk_index,
        document_id,
        chunk_id,
        vector_distance,
        extra
    from source
)

select * from final
