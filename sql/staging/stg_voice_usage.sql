/*
description = "Lake table voice_usage, its columns named for people: one row per voice that spoke in a call."
grain = ["conversation_id", "voice_index"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
voice_index = "Position of the voice, from 0."
voice_id = "Voice."
audio_output_secs = "Speech of the voice, in seconds."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.voice_usage
),

final as (
    select
        conversation_id,
        start_date,
        voice_index,
        voice_id,
        audio_output_seconds as audio_output_secs,
        extra
    from source
)

select * from final
