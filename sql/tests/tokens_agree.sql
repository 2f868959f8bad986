/*
description = "No token and no price is lost between the lake and fct_llm_usage, scope by scope."
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
        cast(coalesce(sum(tokens), 0) as bigint) as n_tokens,
        round(sum(price_usd), 6) as cost_usd
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
        round(sum(llm_cost_usd), 6) as cost_usd
    from by_model
    group by all
),

final as (
    select * from before
    except
    select * from after
)

select * from final
