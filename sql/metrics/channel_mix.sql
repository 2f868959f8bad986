/*
description = """Conversations, success and cost by channel: one row per workspace, UTC day, agent and channel, over finished conversations \
that count."""
grain = ["workspace", "start_date", "agent_id", "channel"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
agent_id = "Agent that the conversations were started with."
channel = "phone, whatsapp, sms, chat (text only) or voice (audio over an SDK or the widget)."
n_calls = "Finished conversations (done or failed)."
call_share = "These conversations among the agent's finished conversations of the day."
call_minutes = "Minutes of finished conversations."
n_success = "Conversations judged a success."
n_failure = "Conversations judged a failure."
n_unknown = "Finished conversations without a verdict: unknown, or not judged."
success_rate = "Successes among the conversations judged."
success_coverage = "Conversations judged among the finished ones."
cost_credits = "Cost of finished conversations; null when no conversation's is known."
cost_usd = "Cost of finished conversations whose cost in US dollars is known; null when none is."
cost_usd_coverage = "Finished conversations whose cost in US dollars is known, among the finished ones."
cost_usd_per_call = "US dollars per finished conversation."
cost_usd_per_minute = "US dollars per minute of finished conversations."

[tests]
not_null = ["workspace", "start_date", "channel", "n_calls", "call_share", "call_minutes", "n_success", "n_failure", "n_unknown"]
accepted = { channel = ["phone", "whatsapp", "sms", "chat", "voice"] }
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.call_share]
name = "Share of conversations by channel"
unit = "share of 1"
numerator = "n_calls of the channel"
denominator = "n_calls of the agent's day"
null_when = "never null"
direction = "neither"
differs_from_vendor = "The channel is worked out from the data of the conversation, not from its initiation source."

[metrics.success_rate]
name = "Success rate by channel"
numerator = "n_success"
denominator = "n_success + n_failure"
null_when = "null when no conversation was judged"
direction = "high"
differs_from_vendor = "Conversations judged unknown are not in the denominator; success_coverage says how many were judged."

[metrics.success_coverage]
name = "Success coverage by channel"
numerator = "n_success + n_failure"
denominator = "n_calls"
null_when = "never null"
direction = "high"

[metrics.cost_usd]
name = "Cost by channel"
numerator = "reported cost, else credits ÷ credits per USD of the plan"
null_when = "null when no conversation's cost is known; cost_usd_coverage says for how many it is"
direction = "low"
differs_from_vendor = "Conversations without a reported cost in dollars are valued at their plan's rate."

[metrics.cost_usd_per_call]
name = "Cost per conversation by channel"
unit = "US dollars per conversation"
numerator = "cost_usd"
denominator = "n_calls"
null_when = "null without a known cost"
direction = "low"
differs_from_vendor = "Conversations deleted at the vendor are kept."

[metrics.cost_usd_per_minute]
name = "Cost per minute by channel"
unit = "US dollars per minute"
numerator = "cost_usd"
denominator = "call_minutes"
null_when = "null when the conversations lasted no time or no cost is known"
direction = "low"
*/
with conversations as (
    select * from marts.fct_conversations
),

counted as (
    select
        workspace,
        start_date,
        agent_id,
        channel,
        count(*) as n_calls,
        cast(coalesce(sum(call_duration_secs), 0) as bigint) as call_secs,
        count(*) filter (where call_successful = 'success') as n_success,
        count(*) filter (where call_successful = 'failure') as n_failure,
        cast(sum(cost_credits) as bigint) as cost_credits,
        cast(sum(cast(cost_usd as decimal(38, 12))) as double) as cost_usd,
        count(cost_usd) as n_priced
    from conversations
    where is_counted
    group by all
),

final as (
    select
        workspace,
        start_date,
        agent_id,
        channel,
        n_calls,
        n_calls / sum(n_calls) over (partition by workspace, start_date, agent_id) as call_share,
        call_secs / 60 as call_minutes,
        n_success,
        n_failure,
        n_calls - n_success - n_failure as n_unknown,
        n_success / nullif(n_success + n_failure, 0) as success_rate,
        (n_success + n_failure) / n_calls as success_coverage,
        cost_credits,
        cost_usd,
        n_priced / n_calls as cost_usd_coverage,
        cost_usd / n_calls as cost_usd_per_call,
        cost_usd / (nullif(call_secs, 0) / 60) as cost_usd_per_minute
    from counted
)

select * from final
