/*
description = "Lake table billed_usage, with readable column names: one row per UTC day, product and unit of the vendor's bill."
grain = ["workspace", "usage_date", "product_type", "unit"]
inherits_columns_from = "lake.billed_usage"
*/
with source as (
    select * from lake.billed_usage
),

final as (
    select
        workspace,
        usage_date,
        product_type,
        unit,
        amount,
        asked_at,
        is_complete
    from source
)

select * from final
