/*
description = "Lake table multivoice_parts, with readable column names: one row per part of a message that several voices speak."
grain = ["conversation_id", "turn_index", "part_index"]
inherits_columns_from = "lake.multivoice_parts"
*/
with source as (
    select * from lake.multivoice_parts
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        turn_index,
        part_index,
        text,
        voice_label,
        time_in_call_secs,
        extra
    from source
)

select * from final
