/*
description = """Conversations, success and cost by channel: one row per workspace, UTC day, agent and channel, over finished conversations \
that count."""
grain = ["workspace", "start_date", "agent_id", "channel"]
inherits_columns_from = "intermediate.int_agent_measures"

[columns]
call_share = "These conversations among the agent's finished conversations of the day."
cost_usd_per_call = "US dollars per finished conversation."
cost_usd_per_minute = "US dollars per minute of finished conversations."

[tests]
not_null = ["workspace", "start_date", "channel", "n_calls", "call_share", "call_minutes", "n_success", "n_failure", "n_unknown"]
accepted = { channel = ["phone", "whatsapp", "sms", "chat", "voice"] }
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.call_share]
name = "Share of conversations by channel"
numerator = "n_calls of the channel"
denominator = "n_calls of the agent's day"
null_when = "never null"
direction = "neither"
differs_from_vendor = "The channel is computed from the data of the conversation, not from its initiation source."

[metrics.success_rate]
name = "Success rate by channel"

[metrics.success_coverage]
name = "Success coverage by channel"
null_when = "never null"

[metrics.cost_usd]
name = "Cost by channel"

[metrics.cost_usd_per_call]
name = "Cost per conversation by channel"
null_when = "null without a known cost"

[metrics.cost_usd_per_minute]
name = "Cost per minute by channel"
*/
with measures as (
    select * from intermediate.int_agent_measures
),

final as (
    select
        workspace,
        start_date,
        agent_id,
        agent_name,
        channel,
        n_calls,
        n_calls / sum(n_calls) over (partition by workspace, start_date, agent_id) as call_share,
        call_minutes,
        n_success,
        n_failure,
        n_unknown,
        success_rate,
        success_coverage,
        n_reached,
        n_contained,
        containment_rate,
        cost_credits,
        cost_usd,
        cost_usd_coverage,
        cost_usd_per_call,
        cost_usd_per_minute,
        n_waits,
        wait_p50_secs,
        wait_p90_secs,
        wait_p95_secs
    from measures
    where breakdown = 'channel' and n_calls > 0
)

select * from final
