/*
description = "Lake table quarantine, with readable column names: one row per item that was quarantined."
grain = ["workspace", "conversation_id"]
inherits_columns_from = "lake.quarantine"
*/
with source as (
    select * from lake.quarantine
),

final as (
    select
        workspace,
        conversation_id,
        fetched_at,
        reason,
        error
    from source
)

select * from final
