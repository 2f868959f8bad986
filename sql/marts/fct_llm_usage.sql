/*
description = """Tokens and their price by scope and model: one row per conversation, scope, transcript entry and model. \
Choose one scope and never add scopes: initiated is all that was generated and is what is paid, irreversible the part \
of it that was delivered, turn the same usage by transcript entry."""
grain = ["conversation_id", "scope", "turn_index", "model"]

[columns]
conversation_id = "Id of the conversation."
scope = "initiated or irreversible (whole call), or turn: never add scopes."
turn_index = "Transcript entry for scope turn, -1 for the whole call."
model = "Model."
start_date = "UTC day on which the conversation started."
agent_id = "Agent that the call was started with."
input_tokens = "Tokens read afresh."
input_cache_read_tokens = "Tokens read from the cache."
input_cache_write_tokens = "Tokens written to the cache."
output_tokens = "Tokens written by the model."
other_tokens = "Tokens of kinds that are none of these four."
input_usd = "Price of the tokens read afresh."
input_cache_read_usd = "Price of the tokens read from the cache."
input_cache_write_usd = "Price of the tokens written to the cache."
output_usd = "Price of the tokens written by the model."
other_usd = "Price of tokens of other kinds."
llm_cost_usd = "Price of all tokens of the row; null when no price is told."
is_finished = "Whether the call is done or failed."

[tests]
not_null = ["conversation_id", "scope", "turn_index", "model", "start_date", "is_finished"]
accepted = { scope = ["initiated", "irreversible", "turn"] }
references = { conversation_id = "marts.fct_conversations.conversation_id" }
*/
with llm_usage as (
    select * from staging.stg_llm_usage
),

conversations as (
    select * from staging.stg_conversations
),

by_model as (
    select
        conversation_id,
        scope,
        turn_index,
        model,
        start_date,
        sum(tokens) filter (where token_kind = 'input') as input_tokens,
        sum(tokens) filter (where token_kind = 'input_cache_read') as input_cache_read_tokens,
        sum(tokens) filter (where token_kind = 'input_cache_write') as input_cache_write_tokens,
        sum(tokens) filter (where token_kind = 'output_total') as output_tokens,
        sum(tokens) filter (
            where token_kind not in ('input', 'input_cache_read', 'input_cache_write', 'output_total')
        ) as other_tokens,
        sum(price_usd) filter (where token_kind = 'input') as input_usd,
        sum(price_usd) filter (where token_kind = 'input_cache_read') as input_cache_read_usd,
        sum(price_usd) filter (where token_kind = 'input_cache_write') as input_cache_write_usd,
        sum(price_usd) filter (where token_kind = 'output_total') as output_usd,
        sum(price_usd) filter (
            where token_kind not in ('input', 'input_cache_read', 'input_cache_write', 'output_total')
        ) as other_usd,
        sum(cast(price_usd as decimal(38, 12))) as llm_cost_usd
    from llm_usage
    group by all
),

final as (
    select
        by_model.conversation_id,
        by_model.scope,
        by_model.turn_index,
        by_model.model,
        by_model.start_date,
        conversations.agent_id,
        cast(coalesce(by_model.input_tokens, 0) as bigint) as input_tokens,
        cast(coalesce(by_model.input_cache_read_tokens, 0) as bigint) as input_cache_read_tokens,
        cast(coalesce(by_model.input_cache_write_tokens, 0) as bigint) as input_cache_write_tokens,
        cast(coalesce(by_model.output_tokens, 0) as bigint) as output_tokens,
        cast(coalesce(by_model.other_tokens, 0) as bigint) as other_tokens,
        by_model.input_usd,
        by_model.input_cache_read_usd,
        by_model.input_cache_write_usd,
        by_model.output_usd,
        by_model.other_usd,
        cast(by_model.llm_cost_usd as double) as llm_cost_usd,
        coalesce(conversations.status in ('done', 'failed'), false) as is_finished
    from by_model
    left join conversations on by_model.conversation_id = conversations.conversation_id
)

select * from final
