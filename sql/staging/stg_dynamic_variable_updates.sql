/*
description = "Lake table dynamic_variable_updates, its columns named for people: one row per variable that a tool result changed."
grain = ["conversation_id", "result_index", "update_index"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
result_index = "Running number of the result that holds the update."
update_index = "Position of the update, from 0."
variable_name = "Name of the variable."
old_value = "Value before."
new_value = "Value after."
updated_at = "When it changed."
tool_name = "Tool that changed it."
tool_request_id = "Call that changed it."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.dynamic_variable_updates
),

final as (
    select
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
