/*
description = "Lake table turn_files, with readable column names: one row per file of a transcript entry."
grain = ["conversation_id", "turn_index", "file_index"]
inherits_columns_from = "lake.turn_files"
*/
with source as (
    select * from lake.turn_files
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        turn_index,
        file_index,
        file_id,
        original_filename,
        mime_type,
        file_url,
        extra
    from source
)

select * from final
