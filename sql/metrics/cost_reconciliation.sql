/*
description = """Whether the bill adds up: one row per workspace and UTC day, over all finished conversations, excluded ones too. \
The cost of a conversation is held against its call charge + LLM charge, in credits; the LLM price that the API reports against \
the sum of the prices of the tokens that were initiated, in US dollars. Only conversations that tell both sides are compared; \
those that tell a cost and no parts, as before July 2025, are counted apart."""
grain = ["workspace", "start_date"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
n_calls = "Finished conversations (done or failed), excluded ones too."
cost_credits = "Cost of finished conversations; null when no conversation's is known."
n_cost_alone = "Conversations that tell a cost and none of its parts."
n_cost_compared = "Conversations that tell a cost and a part of it."
compared_cost_credits = "Cost of the conversations compared."
call_cost_credits = "Call part of the conversations compared."
llm_cost_credits = "LLM part of the conversations compared."
unexplained_credits = "Cost that the parts leave unexplained, with its sign; differences of opposite sign cancel."
n_cost_differences = "Conversations whose cost is not the sum of their parts."
n_llm_compared = "Conversations that tell the LLM price and the price of tokens."
llm_price_usd = "LLM price of the conversations compared, as reported."
usage_usd = "Price of the tokens that were initiated in the conversations compared."
unexplained_llm_usd = "LLM price that the tokens leave unexplained, with its sign; differences of opposite sign cancel."
n_llm_differences = "Conversations whose two LLM prices differ by a billionth of a dollar or more."

[tests]
not_null = [
  "workspace",
  "start_date",
  "n_calls",
  "n_cost_alone",
  "n_cost_compared",
  "n_cost_differences",
  "n_llm_compared",
  "n_llm_differences",
]

[metrics.unexplained_credits]
name = "Unexplained cost"
numerator = "cost − call charge − LLM charge, over finished conversations that tell a cost and a part of it"
null_when = "null when no conversation was compared"
direction = "neither"
differs_from_vendor = "No counterpart known. 0 when the bill adds up."

[metrics.n_cost_differences]
name = "Conversations whose cost does not add up"
numerator = "conversations whose cost is not call charge + LLM charge, a missing part as 0"
null_when = "never null"
direction = "low"

[metrics.unexplained_llm_usd]
name = "Unexplained LLM price"
numerator = "reported LLM price − price of the tokens of scope initiated, over finished conversations that tell both"
null_when = "null when no conversation was compared"
direction = "neither"
differs_from_vendor = "No counterpart known. 0 when the bill adds up."

[metrics.n_llm_differences]
name = "Conversations whose LLM price does not add up"
numerator = "conversations whose two LLM prices differ by a billionth of a dollar or more"
null_when = "never null"
direction = "low"
*/
with conversations as (
    select * from marts.fct_conversations
),

counted_conversations as (
    select
        workspace,
        start_date,
        cost_credits,
        call_cost_credits,
        llm_cost_credits,
        cost_credits is not null and call_cost_credits is null and llm_cost_credits is null as is_cost_alone,
        case
            when call_cost_credits is not null or llm_cost_credits is not null
                then cost_credits - coalesce(call_cost_credits, 0) - coalesce(llm_cost_credits, 0)
        end as left_credits,
        cast(llm_price_usd as decimal(38, 12)) as price_usd,
        cast(llm_cost_usd as decimal(38, 12)) as usage_usd,
        cast(llm_price_usd as decimal(38, 12)) - cast(llm_cost_usd as decimal(38, 12)) as left_usd
    from conversations
    where is_finished
),

final as (
    select
        workspace,
        start_date,
        count(*) as n_calls,
        cast(sum(cost_credits) as bigint) as cost_credits,
        count(*) filter (where is_cost_alone) as n_cost_alone,
        count(left_credits) as n_cost_compared,
        cast(sum(cost_credits) filter (where left_credits is not null) as bigint) as compared_cost_credits,
        cast(sum(call_cost_credits) filter (where left_credits is not null) as bigint) as call_cost_credits,
        cast(sum(llm_cost_credits) filter (where left_credits is not null) as bigint) as llm_cost_credits,
        cast(sum(left_credits) as bigint) as unexplained_credits,
        count(*) filter (where left_credits <> 0) as n_cost_differences,
        count(left_usd) as n_llm_compared,
        cast(sum(price_usd) filter (where left_usd is not null) as double) as llm_price_usd,
        cast(sum(usage_usd) filter (where left_usd is not null) as double) as usage_usd,
        cast(sum(left_usd) as double) as unexplained_llm_usd,
        count(*) filter (where abs(left_usd) >= 0.000000001) as n_llm_differences
    from counted_conversations
    group by all
)

select * from final
