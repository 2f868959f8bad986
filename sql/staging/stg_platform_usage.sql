/*
description = "Lake table platform_usage, its columns named for people: one row per platform usage of a call by category."
grain = ["conversation_id", "category"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
category = "voice, silence, burst, asr, text_message, …; open text."
charge_credits = "Charge."
price_usd = "Price."
quantity = "Quantity in the category's own unit."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.platform_usage
),

final as (
    select
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
