/*
description = "Lake table turn_metrics, its columns named for people: one row per timing of a transcript entry."
grain = ["conversation_id", "turn_index", "metric"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
turn_index = "Position of the transcript entry, from 0."
metric = "Name of the metric, as the API calls it."
elapsed_secs = "Time measured."
is_repeat = "Whether a tool entry repeats the spoken entry before it."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.turn_metrics
),

final as (
    select
        conversation_id,
        start_date,
        turn_index,
        metric,
        elapsed_secs,
        is_repeat,
        extra
    from source
)

select * from final
