/*
description = "Lake table data_collection_results, its columns named for people: one row per field collected from the call."
grain = ["conversation_id", "data_collection_id"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
data_collection_id = "Field: the key of the map."
value = "The value as JSON text; null when it was null."
value_text = "The value where it is a text."
value_number = "The value where it is a number."
value_bool = "The value where it is a boolean."
rationale = "Why."
name = "Name of the field; today's API."
json_schema_type = "Type asked for: string, boolean, integer, number."
json_schema_description = "What was asked for."
json_schema_enum = "Values allowed."
json_schema_is_system_provided = "Whether the system provides it."
json_schema_dynamic_variable = "Variable that provides it."
json_schema_constant_value = "Constant that provides it."
json_schema_allowed_values = "Values allowed; today's API."
json_schema_allowed_values_dynamic_variable = "Variable that gives the values allowed."
json_schema_is_omitted = "Whether the field is left out."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.data_collection_results
),

final as (
    select
        conversation_id,
        start_date,
        data_collection_id,
        value,
        value_text,
        value_number,
        value_bool,
        rationale,
        name,
        json_schema_type,
        json_schema_description,
        json_schema_enum,
        json_schema_is_system_provided,
        json_schema_dynamic_variable,
        json_schema_constant_value,
        json_schema_allowed_values,
        json_schema_allowed_values_dynamic_variable,
        json_schema_is_omitted,
        extra
    from source
)

select * from final
