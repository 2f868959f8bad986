/*
description = "Lake table deletions, with readable column names: one row per conversation that the API no longer has, or no longer whole, or that was erased here."
grain = ["conversation_id"]
inherits_columns_from = "lake.deletions"
*/
with source as (
    select * from lake.deletions
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        noticed_at,
        evidence,
        reason
    from source
)

select * from final
