/*
description = "Lake table audio_files: one row per conversation whose recording was asked for."
grain = ["conversation_id"]
inherits_columns_from = "lake.audio_files"
*/
with source as (
    select * from lake.audio_files
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        fetched_at,
        outcome,
        path,
        file_bytes,
        sha256,
        reason
    from source
)

select * from final
