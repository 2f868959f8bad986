/*
description = "No token and no price is lost between the lake and fct_llm_usage, scope by scope; tokens below 0 are none."
*/
with llm_usage as (
    select * from staging.stg_llm_usage
),

by_model as (
    select * from marts.fct_llm_usage
),

before as (
    select
        scope,
        cast(coalesce(sum(tokens) filter (where tokens >= 0), 0) as bigint) as n_tokens,
        sum(price_usd) as cost_usd
    from llm_usage
    group by all
),

after as (
    select
        scope,
        cast(
            sum(input_tokens + input_cache_read_tokens + input_cache_write_tokens + output_tokens + other_tokens)
            as bigint
        ) as n_tokens,
        sum(llm_cost_usd) as cost_usd
    from by_model
    group by all
),

final as (
    select
        before.scope,
        before.n_tokens,
        after.n_tokens as n_tokens_after,
        before.cost_usd,
        after.cost_usd as cost_usd_after
    from before
    full outer join after on before.scope = after.scope
    where
        before.n_tokens is distinct from after.n_tokens
        or (before.cost_usd is null) <> (after.cost_usd is null)
        or abs(before.cost_usd - after.cost_usd) > 0.000001 * greatest(1, abs(before.cost_usd) / 1000)
)

select * from final
