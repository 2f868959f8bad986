/*
description = """Whether the bill adds up: one row per workspace and UTC day with a finished conversation or a bill, over all finished \
conversations, excluded ones too. The cost of the conversations that started on a day is compared with the vendor's bill of that \
day, in the unit of the bill; bill_explanation names what can explain the rest. Of a day that is billed in two units, the one \
with the larger number counts. \
The cost of a conversation is compared with its call charge + LLM charge, in credits; the LLM price that the API reports with \
the sum of the prices of the tokens that were initiated, in US dollars. Only conversations that report both sides are compared; \
those that report a cost and no parts, as before July 2025, are counted apart."""
grain = ["workspace", "start_date"]

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
n_calls = "Finished conversations (done or failed), excluded ones too."
cost_credits = "Cost of finished conversations; null when no conversation's is known."
n_cost_alone = "Conversations that report a cost and none of its parts."
n_cost_compared = "Conversations that report a cost and a part of it, or both parts."
compared_cost_credits = "Cost of the conversations compared."
call_cost_credits = "Call part of the conversations compared."
llm_cost_credits = "LLM part of the conversations compared."
unexplained_credits = "Cost that the parts leave unexplained, with its sign; differences of opposite sign cancel."
n_cost_differences = "Conversations whose cost is not the sum of their parts."
n_llm_compared = "Conversations that report the LLM price and the price of tokens."
llm_price_usd = "LLM price of the conversations compared, as reported."
usage_usd = "Price of the tokens that were initiated in the conversations compared."
unexplained_llm_usd = "LLM price that the tokens leave unexplained, with its sign; differences of opposite sign cancel."
n_llm_differences = "Conversations whose two LLM prices differ by a billionth of a dollar or more."
bill_unit = "credits, or the currency of the vendor's bill; null for a day without a bill."
billed_amount = "What the vendor bills for the day, for all products, in bill_unit."
billed_agents_amount = "Its part for conversations with agents: products whose name has 'conv' or 'agent' in it."
billed_other_amount = "Its part for other products."
conversations_amount = "Cost of the finished conversations in bill_unit; null if that is neither credits nor US dollars."
unexplained_amount = "billed_agents_amount − conversations_amount, with its sign."
is_bill_complete = "Whether the day was over when its bill was last requested."
n_unknown_cost = "Finished conversations whose cost in bill_unit is not known; null without a bill."
n_open = "Conversations that started on the day and are not finished."
n_removed = "Conversations of the day that were deleted at the API or erased here, and are not in n_calls."
bill_explanation = "What can explain unexplained_amount; null when the amounts agree, or without a bill."

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
  "n_open",
  "n_removed",
]

[metrics.unexplained_credits]
name = "Unexplained cost"
numerator = "cost − call charge − LLM charge, over finished conversations that report a cost and a part of it"
null_when = "null when no conversation was compared"
direction = "neither"
differs_from_vendor = "No counterpart known. 0 when the bill adds up."

[metrics.n_cost_differences]
name = "Conversations whose cost does not add up"
numerator = "conversations whose cost is not call charge + LLM charge, a missing part as 0"
null_when = "never null"
direction = "low"

[metrics.unexplained_amount]
name = "Bill that conversations do not explain"
unit = "credits, or the currency of the bill: see bill_unit"
numerator = "the vendor's bill for conversations − the cost of finished conversations that started on the day"
null_when = "null without a bill, or when its unit is neither credits nor US dollars"
direction = "neither"
differs_from_vendor = "No counterpart known. 0 when the bill adds up."

[metrics.unexplained_llm_usd]
name = "Unexplained LLM price"
numerator = "reported LLM price − price of the tokens of scope initiated, over finished conversations that report both"
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

llm_usage as (
    select * from marts.fct_llm_usage
),

usage as (
    select * from staging.stg_billed_usage
),

removed as (
    select * from staging.stg_deletions
),

-- the reported price is the sum over what was initiated, of which delivered is a part
initiated as (
    select
        workspace,
        conversation_id,
        sum(cast(llm_cost_usd as decimal(38, 12))) as usage_usd
    from llm_usage
    where scope = 'initiated'
    group by all
),

counted_conversations as (
    select
        conversations.workspace,
        conversations.start_date,
        conversations.cost_credits,
        conversations.cost_usd,
        conversations.call_cost_credits,
        conversations.llm_cost_credits,
        conversations.voice_surcharge_credits,
        conversations.voice_surcharge_credits / conversations.credits_per_usd as voice_surcharge_usd,
        conversations.cost_credits is not null
        and conversations.call_cost_credits is null
        and conversations.llm_cost_credits is null as is_cost_alone,
        case
            when conversations.call_cost_credits is not null or conversations.llm_cost_credits is not null
                then
                    conversations.cost_credits
                    - coalesce(conversations.call_cost_credits, 0)
                    - coalesce(conversations.llm_cost_credits, 0)
        end as left_credits,
        cast(conversations.llm_price_usd as decimal(38, 12)) as price_usd,
        initiated.usage_usd,
        cast(conversations.llm_price_usd as decimal(38, 12)) - initiated.usage_usd as left_usd
    from conversations
    left join initiated
        on
            conversations.workspace = initiated.workspace
            and conversations.conversation_id = initiated.conversation_id
    where conversations.is_finished
),

days as (
    select
        workspace,
        start_date,
        count(*) as n_calls,
        sum(cast(cost_usd as decimal(38, 12))) as cost_usd,
        count(*) filter (where cost_credits is null) as n_without_credits,
        count(*) filter (where cost_usd is null) as n_without_usd,
        cast(sum(cost_credits) as bigint) as cost_credits,
        cast(sum(cast(voice_surcharge_credits as decimal(38, 6))) as double) as surcharge_credits,
        cast(sum(cast(voice_surcharge_usd as decimal(38, 12))) as double) as surcharge_usd,
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
),

open_days as (
    select
        workspace,
        start_date,
        count(*) as n_open
    from conversations
    where not is_finished
    group by all
),

removed_days as (
    select
        removed.workspace,
        removed.start_date,
        count(*) as n_removed
    from removed
    left join conversations
        on removed.workspace = conversations.workspace and removed.conversation_id = conversations.conversation_id
    where conversations.conversation_id is null and removed.reason in ('deleted', 'erased')
    group by all
),

billed_units as (
    select
        workspace,
        usage_date,
        unit,
        sum(amount) as billed_amount,
        coalesce(
            sum(amount) filter (where lower(product_type) like '%conv%' or lower(product_type) like '%agent%'), 0
        ) as billed_agents_amount,
        bool_and(is_complete) as is_bill_complete
    from usage
    group by all
),

bills as (
    select * from billed_units
    qualify row_number() over (partition by workspace, usage_date order by billed_amount desc, unit) = 1
),

compared as (
    select
        days.* exclude (workspace, start_date, n_calls, cost_usd, n_without_credits, n_without_usd),
        coalesce(days.workspace, bills.workspace) as workspace,
        coalesce(days.start_date, bills.usage_date) as start_date,
        coalesce(days.n_calls, 0) as n_calls,
        bills.unit as bill_unit,
        bills.billed_amount,
        bills.billed_agents_amount,
        bills.billed_amount - bills.billed_agents_amount as billed_other_amount,
        case
            when bills.unit = 'credits' then coalesce(days.cost_credits, 0)
            when bills.unit = 'usd' then coalesce(cast(days.cost_usd as double), 0)
        end as conversations_amount,
        case
            when bills.unit = 'credits' then days.surcharge_credits
            when bills.unit = 'usd' then days.surcharge_usd
        end as surcharge_amount,
        bills.is_bill_complete,
        case
            when bills.unit = 'credits' then coalesce(days.n_without_credits, 0)
            when bills.unit is not null then coalesce(days.n_without_usd, 0)
        end as n_unknown_cost
    from days
    full outer join bills on days.workspace = bills.workspace and days.start_date = bills.usage_date
),

explained as (
    select
        compared.*,
        compared.billed_agents_amount - compared.conversations_amount as unexplained_amount,
        case when compared.bill_unit = 'credits' then 0.5 else 0.005 end as tolerance,
        coalesce(open_days.n_open, 0) as n_open,
        coalesce(removed_days.n_removed, 0) as n_removed
    from compared
    left join open_days
        on compared.workspace = open_days.workspace and compared.start_date = open_days.start_date
    left join removed_days
        on compared.workspace = removed_days.workspace and compared.start_date = removed_days.start_date
),

final as (
    select
        workspace,
        start_date,
        n_calls,
        cost_credits,
        coalesce(n_cost_alone, 0) as n_cost_alone,
        coalesce(n_cost_compared, 0) as n_cost_compared,
        compared_cost_credits,
        call_cost_credits,
        llm_cost_credits,
        unexplained_credits,
        coalesce(n_cost_differences, 0) as n_cost_differences,
        coalesce(n_llm_compared, 0) as n_llm_compared,
        llm_price_usd,
        usage_usd,
        unexplained_llm_usd,
        coalesce(n_llm_differences, 0) as n_llm_differences,
        bill_unit,
        billed_amount,
        billed_agents_amount,
        billed_other_amount,
        conversations_amount,
        unexplained_amount,
        is_bill_complete,
        n_unknown_cost,
        n_open,
        n_removed,
        case
            when abs(unexplained_amount) >= tolerance
                then
                    coalesce(
                        nullif(
                            concat_ws(
                                '; ',
                                case when not is_bill_complete then 'the day was not over' end,
                                case when n_open > 0 then concat(n_open, ' not finished') end,
                                case when n_removed > 0 then concat(n_removed, ' deleted or erased') end,
                                case when n_unknown_cost > 0 then concat(n_unknown_cost, ' without a known cost') end,
                                case
                                    when abs(unexplained_amount - surcharge_amount) < tolerance
                                        then 'the surcharges for voices, which no cost includes'
                                end
                            ),
                            ''
                        ),
                        'not explained: billed on another day, or deleted before it was copied'
                    )
            when bill_unit is not null and conversations_amount is null then 'the bill is in another currency'
        end as bill_explanation
    from explained
)

select * from final
