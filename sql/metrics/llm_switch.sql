/*
description = """What another language model would have cost: one row per agent and candidate model, over the conversations that \
count of the last 30 days of the workspace that are over (intermediate.int_whole_days). The candidate's price is the vendor's estimate of a \
minute, as it was asked for last (lake.llm_prices). An estimate is not a bill: estimated_saving_usd compares it with the \
estimate of the model that was paid most, like against like, and saving_usd against what was paid. An agent without \
prices has no rows; one without conversations has a price and nothing to compare."""
grain = ["workspace", "agent_id", "model"]

[columns]
workspace = "Workspace of the API that the agent belongs to."
agent_id = "Agent."
agent_name = "Latest name of the agent; null when the API never reported one."
model = "Candidate model."
asked_at = "When its price was asked for."
prompt_length = "Characters of the prompt that it was asked for; null when left to the API."
prompt_basis = "Source of the length: given, setting, measured or none."
price_per_minute_usd = "The vendor's estimate of a minute of a conversation with the candidate."
first_start_date = "First UTC day of the 30 that are looked at; null without any conversation in the workspace."
last_start_date = "Last of these days: the newest with conversations that is over."
n_calls = "Finished conversations of the agent on these days; excluded ones do not count."
n_priced_calls = "Those that report what their tokens cost; only they are compared."
call_minutes = "Minutes of the conversations compared."
llm_cost_usd = "What was paid for their tokens; null when no conversation is compared."
llm_cost_usd_per_minute = "US dollars per minute of these conversations."
main_model = "Language model that was paid most in these conversations; null when none was."
is_main_model = "Whether the candidate is that model."
is_used = "Whether these conversations used the candidate."
estimated_usd = "Minutes of these conversations at the candidate's price."
saving_usd = "What was paid less estimated_usd; below 0 the candidate would have cost more."
estimated_saving_usd = "The same minutes at the main model's price less estimated_usd; null when that has no price."

[tests]
not_null = [
  "workspace",
  "agent_id",
  "model",
  "asked_at",
  "n_calls",
  "n_priced_calls",
  "call_minutes",
  "is_main_model",
  "is_used",
]

[metrics.estimated_usd]
name = "Cost with another model, estimated"
numerator = "call_minutes × price_per_minute_usd"
null_when = "null when the candidate has no price"
direction = "low"
differs_from_vendor = "The vendor's calculator gives the price of a minute; the minutes are those of the conversations here."

[metrics.saving_usd]
name = "Saving against what was paid"
numerator = "llm_cost_usd − estimated_usd"
null_when = "null when no conversation is compared or the candidate has no price"
direction = "high"
differs_from_vendor = "No counterpart known. Compares an estimate with a bill: where the estimate of the main model is far from what was paid, trust estimated_saving_usd."

[metrics.estimated_saving_usd]
name = "Saving against the main model, both estimated"
numerator = "call_minutes × (price_per_minute_usd of main_model − that of the candidate)"
null_when = "null when no conversation is compared or one of the two has no price"
direction = "high"

[metrics.llm_cost_usd_per_minute]
name = "LLM cost per minute, last 30 days"
numerator = "llm_cost_usd"
denominator = "call_minutes"
null_when = "null when the conversations compared lasted no time"
direction = "low"
differs_from_vendor = "What was paid, where the vendor's calculator estimates."
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

llm_prices as (
    select * from staging.stg_llm_prices
),

conversations as (
    select * from marts.fct_conversations
),

llm_usage as (
    select * from marts.fct_llm_usage
),

whole_days as (
    select * from intermediate.int_whole_days
),

latest_prices as (
    select *
    from llm_prices
    qualify row_number() over (partition by workspace, agent_id, model order by asked_at desc) = 1
),

windows as (
    select
        workspace,
        cast(last_whole_date - interval 29 day as date) as first_start_date,
        last_whole_date as last_start_date
    from whole_days
),

recent as (
    select
        conversations.workspace,
        conversations.agent_id,
        conversations.conversation_id,
        conversations.llm_cost_usd,
        coalesce(conversations.call_duration_secs, 0) as call_secs
    from conversations
    inner join windows on conversations.workspace = windows.workspace
    where
        conversations.is_counted
        and conversations.start_date between windows.first_start_date and windows.last_start_date
),

paid as (
    select
        workspace,
        agent_id,
        count(*) as n_calls,
        count(llm_cost_usd) as n_priced_calls,
        coalesce(sum(call_secs) filter (where llm_cost_usd is not null), 0) / 60 as call_minutes,
        cast(sum(cast(llm_cost_usd as decimal(38, 12))) as double) as llm_cost_usd
    from recent
    group by all
),

used as (
    select
        recent.workspace,
        recent.agent_id,
        llm_usage.model,
        sum(cast(llm_usage.llm_cost_usd as decimal(38, 12))) as llm_cost_usd
    from recent
    inner join llm_usage
        on recent.workspace = llm_usage.workspace and recent.conversation_id = llm_usage.conversation_id
    where llm_usage.is_total
    group by all
),

main_models as (
    select
        workspace,
        agent_id,
        model
    from used
    where llm_cost_usd > 0
    qualify row_number() over (partition by workspace, agent_id order by llm_cost_usd desc, model) = 1
),

candidates as (
    select
        latest_prices.workspace,
        latest_prices.agent_id,
        latest_prices.model,
        latest_prices.asked_at,
        latest_prices.prompt_length,
        latest_prices.prompt_basis,
        latest_prices.price_per_minute_usd,
        windows.first_start_date,
        windows.last_start_date,
        coalesce(paid.n_calls, 0) as n_calls,
        coalesce(paid.n_priced_calls, 0) as n_priced_calls,
        coalesce(paid.call_minutes, 0) as call_minutes,
        paid.llm_cost_usd,
        main_models.model as main_model,
        main_prices.price_per_minute_usd as main_price_usd,
        used.model is not null as is_used
    from latest_prices
    left join windows on latest_prices.workspace = windows.workspace
    left join paid
        on latest_prices.workspace = paid.workspace and latest_prices.agent_id = paid.agent_id
    left join main_models
        on latest_prices.workspace = main_models.workspace and latest_prices.agent_id = main_models.agent_id
    left join latest_prices as main_prices
        on
            main_models.workspace = main_prices.workspace
            and main_models.agent_id = main_prices.agent_id
            and main_models.model = main_prices.model
    left join used
        on
            latest_prices.workspace = used.workspace
            and latest_prices.agent_id = used.agent_id
            and latest_prices.model = used.model
),

final as (
    select
        workspace,
        agent_id,
        agent_name,
        model,
        asked_at,
        prompt_length,
        prompt_basis,
        price_per_minute_usd,
        first_start_date,
        last_start_date,
        n_calls,
        n_priced_calls,
        call_minutes,
        llm_cost_usd,
        llm_cost_usd / nullif(call_minutes, 0) as llm_cost_usd_per_minute,
        main_model,
        coalesce(model = main_model, false) as is_main_model,
        is_used,
        call_minutes * price_per_minute_usd as estimated_usd,
        llm_cost_usd - call_minutes * price_per_minute_usd as saving_usd,
        case when n_priced_calls > 0 then call_minutes * (main_price_usd - price_per_minute_usd) end
        as estimated_saving_usd
    from candidates
    left join agent_names using (workspace, agent_id)
)

select * from final
