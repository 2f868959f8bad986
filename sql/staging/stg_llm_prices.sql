/*
description = "Lake table llm_prices, with readable column names: one row per estimated price of a language model for an agent, each time it was asked for."
grain = ["workspace", "agent_id", "model", "asked_at"]
inherits_columns_from = "lake.llm_prices"
*/
with source as (
    select * from lake.llm_prices
),

final as (
    select
        workspace,
        agent_id,
        llm as model,
        asked_at,
        price_per_minute_usd,
        price_per_message_usd,
        prompt_length,
        number_of_pages,
        is_rag_enabled,
        prompt_basis,
        extra
    from source
)

select * from final
