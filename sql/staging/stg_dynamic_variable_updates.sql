/*
description = "Lake table dynamic_variable_updates, with readable column names: one row per variable that a tool result changed."
grain = ["conversation_id", "result_index", "update_index"]
inherits_columns_from = "lake.dynamic_variable_updates"
*/
with source as (
    select * from lake.dynamic_variable_updates
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        result_index,
        update_index,
        variable_name,
        old_value,
        new_value,
        updated_at,
        tool_name,
        tool_request_id,
        extra
    from source
)

select * from final
