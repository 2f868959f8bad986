/*
description = "Lake table llm_usage, with readable column names: one row per LLM usage by scope, model and kind of token."
grain = ["conversation_id", "scope", "turn_index", "model", "token_kind"]
inherits_columns_from = "lake.llm_usage"
*/
with source as (
    select * from lake.llm_usage
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        scope,
        turn_index,
        model,
        token_kind,
        tokens,
        price_usd,
        extra
    from source
)

select * from final
