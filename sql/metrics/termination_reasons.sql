/*
description = """Why conversations ended: one row per workspace, UTC day, agent, group and reason in the API's own words, over \
conversations that count. The groups come from seeds.termination_groups; add the \
rows of a group to count it."""
grain = ["workspace", "start_date", "agent_id", "termination_group", "termination_reason"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
termination_group = "agent_ended, client_left, silence, error, transfer, voicemail, guardrail, quota, limit or other."
termination_reason = "Why they ended, in the API's words; null when it gives none, or a blank one."
n_calls = "Finished conversations that ended so."
n_day_calls = "All finished conversations of the agent and day."
termination_rate = "Conversations that ended so among all of the agent and day; rows of a group add up."
n_errors = "Conversations that ended so and whose outcome is error."
call_minutes = "Minutes of the conversations that ended so."

[tests]
not_null = ["workspace", "start_date", "termination_group", "n_calls", "n_day_calls", "termination_rate", "n_errors", "call_minutes"]
references = { agent_id = "marts.dim_agents.agent_id" }

[tests.accepted]
termination_group = ["agent_ended", "client_left", "silence", "error", "transfer", "voicemail", "guardrail", "quota", "limit", "other"]

[metrics.n_calls]
name = "Conversations by how they ended"
numerator = "finished conversations with the reason"
null_when = "never null"
direction = "neither"
differs_from_vendor = "Reasons are grouped by seeds.termination_groups, which a user may override."

[metrics.termination_rate]
name = "Share of conversations by how they ended"
numerator = "n_calls with the reason"
denominator = "n_day_calls: finished conversations of the agent and day"
null_when = "never null"
direction = "neither"
differs_from_vendor = "Of all finished conversations, those without a reason included."
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

conversations as (
    select * from marts.fct_conversations
),

reasons as (
    select
        workspace,
        start_date,
        agent_id,
        termination_group,
        termination_reason,
        count(*) as n_calls,
        count(*) filter (where is_error) as n_errors,
        cast(coalesce(sum(call_duration_secs), 0) as bigint) as call_secs
    from conversations
    where is_counted
    group by all
),

days as (
    select
        *,
        cast(sum(n_calls) over (partition by workspace, start_date, agent_id) as bigint) as n_day_calls
    from reasons
),

final as (
    select
        workspace,
        start_date,
        agent_id,
        agent_name,
        termination_group,
        termination_reason,
        n_calls,
        n_day_calls,
        n_calls / n_day_calls as termination_rate,
        n_errors,
        call_secs / 60 as call_minutes
    from days
    left join agent_names using (workspace, agent_id)
)

select * from final
