/*
description = "Lake table dynamic_variables, its columns named for people: one row per variable given at the start or set by the system."
grain = ["conversation_id", "name"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
name = "Name of the variable; the system's begin with system__."
value = "The value as JSON text; null when it was null."
value_text = "The value where it is a text."
value_number = "The value where it is a number."
value_bool = "The value where it is a boolean."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.dynamic_variables
),

final as (
    select
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
