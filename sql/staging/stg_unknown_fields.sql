/*
description = "Lake table unknown_fields: one row per key path or word that the schema does not know."
grain = ["workspace", "path", "value"]
inherits_columns_from = "lake.unknown_fields"
*/
with source as (
    select * from lake.unknown_fields
),

final as (
    select
        workspace,
        path,
        value,
        kind,
        n_rows,
        n_conversations,
        first_seen_at,
        last_seen_at,
        example_id
    from source
)

select * from final
