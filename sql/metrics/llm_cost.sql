/*
description = """What language models cost: one row per workspace, UTC day, agent and model, over conversations that count. Tokens and \
prices are of scope initiated: all that was generated, which is what is paid. What of it was delivered (scope \
irreversible) is in separate columns and is never added. A conversation that used two models counts in both rows, so \
n_calls and call_minutes do not add up over models."""
grain = ["workspace", "start_date", "agent_id", "model"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
model = "Language model."
n_calls = "Finished conversations that the model was paid for."
call_minutes = "Minutes of these conversations, the whole of each."
input_tokens = "Input tokens that were not read from the cache."
input_cache_read_tokens = "Tokens read from the cache."
input_cache_write_tokens = "Tokens written to the cache."
output_tokens = "Tokens written by the model."
other_tokens = "Tokens of kinds that are none of these four."
cache_hit_rate = "Tokens read from the cache among these and the input tokens that were not read from it."
input_usd = "Price of the input tokens that were not read from the cache; null when none is reported."
input_cache_read_usd = "Price of the tokens read from the cache; null when none is reported."
input_cache_write_usd = "Price of the tokens written to the cache; null when none is reported."
output_usd = "Price of the tokens written by the model; null when none is reported."
other_usd = "Price of tokens of other kinds; null when none is reported."
llm_cost_usd = "Price of all these tokens; null when none is reported."
llm_cost_usd_coverage = "Conversations with a price among the conversations."
llm_cost_usd_per_call = "US dollars per conversation that the model was paid for."
llm_cost_usd_per_minute = "US dollars per minute of these conversations."
delivered_tokens = "Tokens of all kinds that were delivered, a count: the part of scope irreversible."
delivered_usd = "Price of the tokens that were delivered; null when none is reported."
undelivered_usd = "Price of what was generated and not delivered; null when one of the two is not reported."

[tests]
not_null = ["workspace", "start_date", "model", "n_calls", "call_minutes", "input_tokens", "output_tokens", "delivered_tokens"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.cache_hit_rate]
name = "Cache hit share"
numerator = "input_cache_read_tokens"
denominator = "input_tokens + input_cache_read_tokens"
null_when = "null when nothing was read"
direction = "high"
differs_from_vendor = "No counterpart known. Tokens written to the cache are in neither."

[metrics.llm_cost_usd]
name = "LLM cost by model"
numerator = "price of all tokens of scope initiated"
null_when = "null when no price is reported"
direction = "low"
differs_from_vendor = "Free LLM dollars are not taken off; what was generated and never delivered is in it."

[metrics.llm_cost_usd_coverage]
name = "LLM cost coverage"
numerator = "conversations with a price of the model"
denominator = "n_calls"
null_when = "null without conversations that the model was paid for"
direction = "high"
differs_from_vendor = "No counterpart known. Below 1, llm_cost_usd and what is divided from it are too low."

[metrics.llm_cost_usd_per_call]
name = "LLM cost per conversation"
numerator = "llm_cost_usd"
denominator = "n_calls: conversations that the model was paid for"
null_when = "null without such conversations or without a price"
direction = "low"
differs_from_vendor = "Per conversation that used the model, not per conversation of the agent."

[metrics.llm_cost_usd_per_minute]
name = "LLM cost per minute"
numerator = "llm_cost_usd"
denominator = "call_minutes of the conversations that the model was paid for"
null_when = "null when these conversations lasted no time or no price is reported"
direction = "low"
differs_from_vendor = "What was paid, where the vendor's calculator estimates."

[metrics.undelivered_usd]
name = "LLM cost of what was not delivered"
numerator = "llm_cost_usd − price of the tokens of scope irreversible"
null_when = "null when one of the two prices is not reported"
direction = "low"
differs_from_vendor = "No counterpart known. Answers that the user cut, and drafts made before the user had ended."
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

llm_usage as (
    select * from marts.fct_llm_usage
),

conversations as (
    select * from marts.fct_conversations
),

initiated as (
    select
        llm_usage.workspace,
        llm_usage.start_date,
        llm_usage.agent_id,
        llm_usage.model,
        count(*) as n_calls,
        count(llm_usage.llm_cost_usd) as n_priced,
        cast(coalesce(sum(conversations.call_duration_secs), 0) as bigint) as call_secs,
        cast(sum(llm_usage.input_tokens) as bigint) as input_tokens,
        cast(sum(llm_usage.input_cache_read_tokens) as bigint) as input_cache_read_tokens,
        cast(sum(llm_usage.input_cache_write_tokens) as bigint) as input_cache_write_tokens,
        cast(sum(llm_usage.output_tokens) as bigint) as output_tokens,
        cast(sum(llm_usage.other_tokens) as bigint) as other_tokens,
        cast(sum(cast(llm_usage.input_usd as decimal(38, 12))) as double) as input_usd,
        cast(sum(cast(llm_usage.input_cache_read_usd as decimal(38, 12))) as double) as input_cache_read_usd,
        cast(sum(cast(llm_usage.input_cache_write_usd as decimal(38, 12))) as double) as input_cache_write_usd,
        cast(sum(cast(llm_usage.output_usd as decimal(38, 12))) as double) as output_usd,
        cast(sum(cast(llm_usage.other_usd as decimal(38, 12))) as double) as other_usd,
        sum(cast(llm_usage.llm_cost_usd as decimal(38, 12))) as llm_cost_usd
    from llm_usage
    inner join conversations
        on llm_usage.workspace = conversations.workspace and llm_usage.conversation_id = conversations.conversation_id
    where llm_usage.is_counted and llm_usage.is_total
    group by all
),

delivered as (
    select
        workspace,
        start_date,
        agent_id,
        model,
        cast(
            sum(input_tokens + input_cache_read_tokens + input_cache_write_tokens + output_tokens + other_tokens)
            as bigint
        ) as delivered_tokens,
        sum(cast(llm_cost_usd as decimal(38, 12))) as delivered_usd
    from llm_usage
    where is_counted and scope = 'irreversible'
    group by all
),

final as (
    select
        coalesce(initiated.workspace, delivered.workspace) as workspace,
        coalesce(initiated.start_date, delivered.start_date) as start_date,
        coalesce(initiated.agent_id, delivered.agent_id) as agent_id,
        agent_names.agent_name,
        coalesce(initiated.model, delivered.model) as model,
        coalesce(initiated.n_calls, 0) as n_calls,
        coalesce(initiated.call_secs, 0) / 60 as call_minutes,
        coalesce(initiated.input_tokens, 0) as input_tokens,
        coalesce(initiated.input_cache_read_tokens, 0) as input_cache_read_tokens,
        coalesce(initiated.input_cache_write_tokens, 0) as input_cache_write_tokens,
        coalesce(initiated.output_tokens, 0) as output_tokens,
        coalesce(initiated.other_tokens, 0) as other_tokens,
        initiated.input_cache_read_tokens
        / nullif(initiated.input_tokens + initiated.input_cache_read_tokens, 0) as cache_hit_rate,
        initiated.input_usd,
        initiated.input_cache_read_usd,
        initiated.input_cache_write_usd,
        initiated.output_usd,
        initiated.other_usd,
        cast(initiated.llm_cost_usd as double) as llm_cost_usd,
        initiated.n_priced / initiated.n_calls as llm_cost_usd_coverage,
        cast(initiated.llm_cost_usd as double) / initiated.n_calls as llm_cost_usd_per_call,
        cast(initiated.llm_cost_usd as double) / (nullif(initiated.call_secs, 0) / 60) as llm_cost_usd_per_minute,
        coalesce(delivered.delivered_tokens, 0) as delivered_tokens,
        cast(delivered.delivered_usd as double) as delivered_usd,
        cast(initiated.llm_cost_usd - delivered.delivered_usd as double) as undelivered_usd
    from initiated
    full outer join delivered
        on
            initiated.workspace = delivered.workspace
            and initiated.start_date = delivered.start_date
            and initiated.agent_id is not distinct from delivered.agent_id
            and initiated.model = delivered.model
    left join agent_names
        on
            coalesce(initiated.workspace, delivered.workspace) = agent_names.workspace
            and coalesce(initiated.agent_id, delivered.agent_id) = agent_names.agent_id
)

select * from final
