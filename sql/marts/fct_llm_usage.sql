/*
description = """Tokens and their price by scope and model: one row per conversation, scope, transcript entry and model. \
Choose one scope and never add scopes: initiated is all that was generated and is what is paid, irreversible the part \
of it that was delivered, turn the same usage by transcript entry. Tokens that are reported below 0 do not count."""
grain = ["conversation_id", "scope", "turn_index", "model"]
incremental_by = "start_date"
inherits_columns_from = "intermediate.int_conversation_flags"

[columns]
scope = "initiated or irreversible (whole conversation), or turn: never add scopes."
is_total = "Whether the row belongs to the scope to add up: initiated, or irreversible where the conversation has no initiated usage."
turn_index = "Transcript entry for scope turn, -1 for the whole conversation."
model = "Language model."
input_tokens = "Input tokens that were not read from the cache."
input_cache_read_tokens = "Tokens read from the cache."
input_cache_write_tokens = "Tokens written to the cache."
output_tokens = "Tokens written by the model."
other_tokens = "Tokens of kinds that are none of these four."
input_usd = "Price of the input tokens that were not read from the cache."
input_cache_read_usd = "Price of the tokens read from the cache."
input_cache_write_usd = "Price of the tokens written to the cache."
output_usd = "Price of the tokens written by the model."
other_usd = "Price of tokens of other kinds."
llm_cost_usd = "Price of all tokens of the row; null when no price is reported."

[tests]
not_null = ["workspace", "conversation_id", "scope", "is_total", "turn_index", "model", "start_date", "is_finished", "is_counted"]
accepted = { scope = ["initiated", "irreversible", "turn"] }
references = { conversation_id = "marts.fct_conversations.conversation_id" }
*/
with llm_usage as (
    select * from staging.stg_llm_usage
),

flags as (
    select * from intermediate.int_conversation_flags
),

initiated as (
    select distinct
        workspace,
        conversation_id
    from llm_usage
    where scope = 'initiated'
),

counts as (
    select
        *,
        -- no count is below 0
        case when tokens >= 0 then tokens end as n_tokens
    from llm_usage
),

by_model as (
    select
        workspace,
        conversation_id,
        scope,
        turn_index,
        model,
        start_date,
        sum(n_tokens) filter (where token_kind = 'input') as input_tokens,
        sum(n_tokens) filter (where token_kind = 'input_cache_read') as input_cache_read_tokens,
        sum(n_tokens) filter (where token_kind = 'input_cache_write') as input_cache_write_tokens,
        sum(n_tokens) filter (where token_kind = 'output_total') as output_tokens,
        sum(n_tokens) filter (
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
    from counts
    group by all
),

final as (
    select
        by_model.workspace,
        by_model.conversation_id,
        by_model.scope,
        by_model.scope = 'initiated'
        or (by_model.scope = 'irreversible' and initiated.conversation_id is null) as is_total,
        by_model.turn_index,
        by_model.model,
        by_model.start_date,
        flags.agent_id,
        flags.agent_name,
        flags.version_id,
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
        coalesce(flags.is_finished, false) as is_finished,
        coalesce(flags.is_counted, false) as is_counted
    from by_model
    left join flags on by_model.workspace = flags.workspace and by_model.conversation_id = flags.conversation_id
    left join initiated
        on by_model.workspace = initiated.workspace and by_model.conversation_id = initiated.conversation_id
)

select * from final
