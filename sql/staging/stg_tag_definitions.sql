/*
description = "Lake table tag_definitions, with readable column names: one row per tag of a workspace that was ever listed, as it was listed last."
grain = ["workspace", "tag_id"]
inherits_columns_from = "lake.tag_definitions"
*/
with source as (
    select * from lake.tag_definitions
),

final as (
    select
        workspace,
        tag_id,
        title,
        description,
        created_at,
        changed_at,
        is_gone,
        content_sha256,
        extra
    from source
)

select * from final
