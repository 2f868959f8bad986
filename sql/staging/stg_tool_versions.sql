/*
description = "Lake table tool_versions, with readable column names: one row per configuration that a tool had."
grain = ["workspace", "tool_id", "valid_from_at"]
inherits_columns_from = "lake.tool_versions"
*/
with source as (
    select * from lake.tool_versions
),

final as (
    select
        workspace,
        tool_id,
        valid_from_at,
        content_sha256,
        changes
    from source
)

select * from final
