/*
description = """Guardrails that were triggered: one row per workspace, UTC day, agent and guardrail, over the transcript entries of \
conversations that count. A redaction takes what was triggered."""
grain = ["workspace", "start_date", "agent_id", "guardrail_type", "guardrail_name"]

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
guardrail_type = "Kind of the guardrail, in the API's word; null when not reported."
guardrail_name = "Name of the guardrail; null when not reported."
n_calls = "Finished conversations in which it was triggered."
n_blocked = "Finished conversations that a guardrail ended, among these: their outcome is blocked."
n_triggers = "Times that it was triggered."
n_day_calls = "Finished conversations of the agent's day: the n of the rate."
guardrail_rate = "Conversations in which it was triggered among the finished ones."

[tests]
not_null = ["workspace", "start_date", "n_calls", "n_blocked", "n_triggers", "n_day_calls", "guardrail_rate"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.n_triggers]
name = "Guardrails triggered"
numerator = "entries of triggered_guardrails of finished conversations"
null_when = "never null; a guardrail that was not triggered has no row"
direction = "low"

[metrics.guardrail_rate]
name = "Conversations with the guardrail"
numerator = "n_calls: finished conversations in which the guardrail was triggered"
denominator = "n_day_calls: all finished conversations of the agent's day"
null_when = "never null; a guardrail that was not triggered has no row"
direction = "low"
*/
with conversations as (
    select * from marts.fct_conversations
),

triggered as (
    select * from staging.stg_triggered_guardrails
),

measures as (
    select * from intermediate.int_agent_measures
),

counted as (
    select
        conversations.workspace,
        conversations.start_date,
        conversations.agent_id,
        triggered.guardrail_type,
        triggered.guardrail_name,
        count(distinct conversations.conversation_id) as n_calls,
        count(distinct conversations.conversation_id) filter (where conversations.outcome = 'blocked') as n_blocked,
        count(*) as n_triggers
    from triggered
    inner join conversations
        on
            triggered.workspace = conversations.workspace
            and triggered.conversation_id = conversations.conversation_id
    where conversations.is_counted
    group by all
),

days as (
    select * from measures
    where breakdown = 'day'
),

final as (
    select
        counted.workspace,
        counted.start_date,
        counted.agent_id,
        days.agent_name,
        counted.guardrail_type,
        counted.guardrail_name,
        counted.n_calls,
        counted.n_blocked,
        counted.n_triggers,
        days.n_calls as n_day_calls,
        counted.n_calls / days.n_calls as guardrail_rate
    from counted
    inner join days
        on
            counted.workspace = days.workspace
            and counted.start_date = days.start_date
            and counted.agent_id is not distinct from days.agent_id
)

select * from final
