/*
description = "Lake table voice_usage, with readable column names: one row per voice that spoke in a conversation."
grain = ["conversation_id", "voice_index"]
inherits_columns_from = "lake.voice_usage"
*/
with source as (
    select * from lake.voice_usage
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        voice_index,
        voice_id,
        audio_output_seconds as audio_output_secs,
        extra
    from source
)

select * from final
