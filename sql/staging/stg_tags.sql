/*
description = "Lake table tags, with readable column names: one row per tag of a conversation."
grain = ["conversation_id", "tag_index"]
inherits_columns_from = "lake.tags"
*/
with source as (
    select * from lake.tags
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        tag_index,
        tag_id,
        extra
    from source
)

select * from final
