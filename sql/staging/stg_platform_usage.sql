/*
description = "Lake table platform_usage, with readable column names: one row per platform usage of a conversation by category."
grain = ["conversation_id", "category"]
inherits_columns_from = "lake.platform_usage"
*/
with source as (
    select * from lake.platform_usage
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        category,
        charge_credits,
        price_usd,
        quantity,
        extra
    from source
)

select * from final
