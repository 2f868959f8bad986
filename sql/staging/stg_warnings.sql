/*
description = "Lake table warnings, with readable column names: one row per warning that the API gives with a conversation."
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
