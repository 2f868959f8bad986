/*
description = "Lake table unknown_fields_daily: one row per day and key path or word that the schema does not know."
grain = ["workspace", "start_date", "path", "value"]
inherits_columns_from = "lake.unknown_fields_daily"
*/
with source as (
    select * from lake.unknown_fields_daily
),

final as (
    select
        workspace,
        start_date,
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
