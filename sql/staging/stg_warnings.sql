/*
description = "Lake table warnings, its columns named for people: one row per warning that the API gives with a call."
grain = ["conversation_id", "warning_index"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
warning_index = "Position of the warning, from 0."
warning = "The warning."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.warnings
),

final as (
    select
        conversation_id,
        start_date,
        warning_index,
        warning,
        extra
    from source
)

select * from final
