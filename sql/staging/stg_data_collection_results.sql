/*
description = "Lake table data_collection_results, with readable column names: one row per field collected from the conversation, and from each scope of the analysis."
grain = ["conversation_id", "scope_index", "data_collection_id"]
inherits_columns_from = "lake.data_collection_results"
*/
with source as (
    select * from lake.data_collection_results
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        scope_index,
        data_collection_id,
        scope,
        source_agent_id,
        source_branch_id,
        inner_data_collection_id,
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
