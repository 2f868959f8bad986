/*
description = "Lake table tool_parameters, with readable column names: one row per parameter in the schema of a tool, the schema itself included."
grain = ["workspace", "tool_id", "location", "parameter_name"]
inherits_columns_from = "lake.tool_parameters"
*/
with source as (
    select * from lake.tool_parameters
),

final as (
    select
        workspace,
        tool_id,
        location,
        name as parameter_name,
        is_required,
        type as parameter_type,
        description,
        enum,
        is_system_provided,
        dynamic_variable,
        constant_value,
        secret_id,
        env_var_label,
        required,
        required_constraints,
        allowed_values,
        allowed_values_dynamic_variable,
        is_omitted,
        extra
    from source
)

select * from final
