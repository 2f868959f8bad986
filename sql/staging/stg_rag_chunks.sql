/*
description = "Lake table rag_chunks, its columns named for people: one row per chunk retrieved from the knowledge base."
grain = ["conversation_id", "turn_index", "chunk_index"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
turn_index = "Position of the transcript entry, from 0."
chunk_index = "Rank of the chunk, from 0."
document_id = "Document of the chunk."
chunk_id = "Chunk."
vector_distance = "Distance to the query; smaller is nearer."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.rag_chunks
),

final as (
    select
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
