/*
description = """What a conversation cost in US dollars, and how we know: one row per conversation. Order of trust: the dollars \
that the API reports; else the credits, at the rate of the plan on that day (seeds.credits_per_usd); 0 credits are 0 dollars, whatever the \
plan; else unknown."""
grain = ["conversation_id"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
cost_credits = "Cost of the conversation: call charge + LLM charge, also where the API reports only these; null when unknown."
voice_surcharge_credits = "Surcharge for the voice, which the vendor bills on top: it is in neither cost_credits nor cost_usd."
voice_surcharge_usd = "The surcharge at the plan's rate; null without a surcharge or a rate."
credits_per_usd = "Credits for one US dollar on the conversation's plan and day; null when the plan has no rate."
cost_usd = "Cost of the conversation: call and LLM; null when unknown."
cost_basis = "reported (by the API), plan_rate (credits at the plan's rate; 0 credits are 0 dollars on every plan) or unknown."
llm_cost_usd = "Price of all tokens that were initiated, or that were delivered where the API reports only those; null when no usage is reported."

[tests]
not_null = ["workspace", "conversation_id", "cost_basis"]
accepted = { cost_basis = ["reported", "plan_rate", "unknown"] }
same_count_as = "staging.stg_conversations"
*/
with conversations as (
    select * from staging.stg_conversations
),

rates as (
    select * from seeds.credits_per_usd
),

llm_usage as (
    select * from marts.fct_llm_usage
),

rated as (
    select
        conversations.workspace,
        conversations.conversation_id,
        conversations.start_date,
        -- the vendor defines a cost as the sum of both charges
        coalesce(conversations.cost_credits, conversations.call_cost_credits + conversations.llm_cost_credits)
            as cost_credits,
        conversations.voice_surcharge_credits,
        conversations.cost_fiat_usd,
        rates.credits_per_usd
    from conversations
    left join rates on lower(conversations.tier) = lower(rates.tier) and conversations.start_date >= rates.valid_from
    qualify
        row_number() over (
            partition by conversations.workspace, conversations.conversation_id
            order by rates.valid_from desc, rates.tier
        ) = 1
),

used as (
    select
        workspace,
        conversation_id,
        cast(sum(cast(llm_cost_usd as decimal(38, 12))) as double) as llm_cost_usd
    from llm_usage
    where is_total
    group by all
),

final as (
    select
        rated.workspace,
        rated.conversation_id,
        rated.start_date,
        rated.cost_credits,
        rated.voice_surcharge_credits,
        rated.voice_surcharge_credits / rated.credits_per_usd as voice_surcharge_usd,
        rated.credits_per_usd,
        coalesce(
            rated.cost_fiat_usd,
            rated.cost_credits / rated.credits_per_usd,
            -- an attempt that nobody answered has no plan
            case when rated.cost_credits = 0 then cast(0 as double) end
        ) as cost_usd,
        case
            when rated.cost_fiat_usd is not null then 'reported'
            when rated.cost_credits = 0 then 'plan_rate'
            when rated.cost_credits is not null and rated.credits_per_usd is not null then 'plan_rate'
            else 'unknown'
        end as cost_basis,
        used.llm_cost_usd
    from rated
    left join used on rated.workspace = used.workspace and rated.conversation_id = used.conversation_id
)

select * from final
