/*
description = "Lake table tags, its columns named for people: one row per tag of a call."
grain = ["conversation_id", "tag_index"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
tag_index = "Position of the tag, from 0."
tag_id = "Id of the tag."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.tags
),

final as (
    select
        conversation_id,
        start_date,
        tag_index,
        tag_id,
        extra
    from source
)

select * from final
