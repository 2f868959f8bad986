/*
description = "Lake table dynamic_variables, with readable column names: one row per variable given at the start or set by the system."
grain = ["conversation_id", "name"]
inherits_columns_from = "lake.dynamic_variables"
*/
with source as (
    select * from lake.dynamic_variables
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        name,
        value,
        value_text,
        value_number,
        value_bool,
        extra
    from source
)

select * from final
