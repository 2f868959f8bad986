/*
description = "Lake table multivoice_parts, its columns named for people: one row per part of a message that several voices speak."
grain = ["conversation_id", "turn_index", "part_index"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
turn_index = "Position of the transcript entry, from 0."
part_index = "Position of the part, from 0."
text = "What the part says."
voice_label = "Voice of the part."
time_in_call_secs = "Start of the part from the start of the call."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.multivoice_parts
),

final as (
    select
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
