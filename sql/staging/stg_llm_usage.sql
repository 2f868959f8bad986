/*
description = "Lake table llm_usage, its columns named for people: one row per LLM usage by scope, model and kind of token."
grain = ["conversation_id", "scope", "turn_index", "model", "token_kind"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
scope = "initiated or irreversible (whole call), or turn: never add scopes."
turn_index = "Transcript entry for scope turn, -1 for the whole call."
model = "Model."
token_kind = "input, input_cache_read, input_cache_write, output_total; open text."
tokens = "Tokens."
price_usd = "Their price."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.llm_usage
),

final as (
    select
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
