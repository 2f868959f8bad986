/*
description = """Cost of each conversation that counts, split so that the parts add up: one row per conversation and component. \
call is the part of the call charge that no platform category itemises (all of it on older conversations), platform_<category> \
what the API itemises (it is inside the call charge and is taken out of call), llm the LLM charge, unexplained what is \
left of the cost (negative when the parts say more than the whole). In US dollars a reported cost is split by the \
reported prices, a cost at the plan's rate by credits; less than a billionth of a dollar of rounding goes to call."""
grain = ["conversation_id", "component"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
agent_id = "Agent that the conversation was started with."
version_id = "Version of the agent that answered."
component = "call, llm, platform_<category> or unexplained."
cost_credits = "Credits of the component; null when the conversation's credits are unknown."
cost_usd = "US dollars of the component; null when the conversation's are unknown."
burst_surcharge_credits = "Part of these credits that the burst added."
dev_discount_credits = "Credits that the development discount took off this component."
free_minutes = "Minutes taken from the plan's free minutes; on component call."
free_llm_usd = "US dollars taken from the plan's free LLM dollars; on component llm."

[tests]
not_null = ["workspace", "conversation_id", "start_date", "component"]
*/
with conversations as (
    select * from marts.fct_conversations
),

platform_usage as (
    select * from staging.stg_platform_usage
),

counted_conversations as (
    select
        workspace,
        conversation_id,
        start_date,
        agent_id,
        version_id,
        cost_basis,
        credits_per_usd,
        is_burst,
        is_dev_discount,
        free_minutes,
        free_llm_usd,
        cast(cost_credits as decimal(38, 6)) as total_credits,
        cast(cost_usd as decimal(38, 12)) as total_usd,
        cast(coalesce(call_cost_credits, 0) as decimal(38, 6)) as call_credits,
        cast(coalesce(llm_cost_credits, 0) as decimal(38, 6)) as llm_credits,
        cast(
            case when cost_basis = 'reported' then llm_price_usd else llm_cost_credits / credits_per_usd end
            as decimal(38, 12)
        ) as llm_usd,
        cast(
            case when cost_basis = 'reported' then platform_price_usd else call_cost_credits / credits_per_usd end
            as decimal(38, 12)
        ) as call_usd
    from conversations
    where is_counted and (cost_credits is not null or cost_usd is not null)
),

categories as (
    select
        platform_usage.workspace,
        platform_usage.conversation_id,
        platform_usage.category,
        cast(coalesce(platform_usage.charge_credits, 0) as decimal(38, 6)) as credits,
        cast(
            case
                when counted_conversations.cost_basis = 'reported' then platform_usage.price_usd
                else platform_usage.charge_credits / counted_conversations.credits_per_usd
            end as decimal(38, 12)
        ) as usd
    from platform_usage
    inner join counted_conversations
        on
            platform_usage.workspace = counted_conversations.workspace
            and platform_usage.conversation_id = counted_conversations.conversation_id
),

itemised as (
    select
        workspace,
        conversation_id,
        cast(sum(credits) as decimal(38, 6)) as credits,
        cast(sum(usd) as decimal(38, 12)) as usd,
        bool_or(category = 'burst') as has_burst
    from categories
    group by all
),

remainders as (
    select
        counted_conversations.*,
        coalesce(itemised.credits, 0) as itemised_credits,
        coalesce(itemised.usd, 0) as itemised_usd,
        coalesce(itemised.has_burst, false) as has_burst,
        greatest(counted_conversations.call_credits - coalesce(itemised.credits, 0), 0) as rest_credits,
        greatest(coalesce(counted_conversations.call_usd, 0) - coalesce(itemised.usd, 0), 0) as rest_usd
    from counted_conversations
    left join itemised
        on
            counted_conversations.workspace = itemised.workspace
            and counted_conversations.conversation_id = itemised.conversation_id
),

left_over as (
    select
        *,
        total_credits - rest_credits - llm_credits - itemised_credits as left_credits,
        total_usd - rest_usd - coalesce(llm_usd, 0) - itemised_usd as left_usd
    from remainders
),

settled as (
    select
        *,
        case when abs(left_usd) < 0.000000001 then rest_usd + left_usd else rest_usd end as settled_usd,
        case when abs(left_usd) < 0.000000001 then 0 else left_usd end as unexplained_usd
    from left_over
),

parts as (
    select
        workspace,
        conversation_id,
        'call' as component,
        rest_credits as credits,
        settled_usd as usd
    from settled
    union all
    select
        workspace,
        conversation_id,
        'llm' as component,
        llm_credits as credits,
        coalesce(llm_usd, 0) as usd
    from settled
    union all
    select
        workspace,
        conversation_id,
        'platform_' || category as component,
        credits,
        coalesce(usd, 0) as usd
    from categories
    union all
    select
        workspace,
        conversation_id,
        'unexplained' as component,
        left_credits as credits,
        unexplained_usd as usd
    from settled
    where left_credits <> 0 or unexplained_usd <> 0
),

final as (
    select
        settled.workspace,
        settled.conversation_id,
        settled.start_date,
        settled.agent_id,
        settled.version_id,
        parts.component,
        case when settled.total_credits is not null then parts.credits end as cost_credits,
        case when settled.total_usd is not null then parts.usd end as cost_usd,
        case
            when parts.component = 'platform_burst' then parts.credits
            when parts.component in ('llm', 'unexplained') or settled.has_burst or not settled.is_burst then 0
            else parts.credits / 2
        end as burst_surcharge_credits,
        case
            when parts.component in ('llm', 'unexplained') or not settled.is_dev_discount then 0
            else parts.credits
        end as dev_discount_credits,
        case when parts.component = 'call' then settled.free_minutes end as free_minutes,
        case when parts.component = 'llm' then settled.free_llm_usd end as free_llm_usd
    from parts
    inner join settled on parts.workspace = settled.workspace and parts.conversation_id = settled.conversation_id
)

select * from final
