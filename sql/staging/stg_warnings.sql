/*
description = "Lake table warnings, its columns named for people: one row per warning that the API gives with a conversation."
grain = ["conversation_id", "warning_index"]
inherits_columns_from = "lake.warnings"
*/
with source as (
    select * from lake.warnings
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        warning_index,
        warning,
        extra
    from source
)

select * from final
