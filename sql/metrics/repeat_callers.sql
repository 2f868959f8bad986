/*
description = """Who comes back: one row per workspace, UTC day and agent with conversations that count. \
A caller came back within n days when the same caller talks to the same agent \
again, in a conversation finished or not, at most n times 24 hours after a conversation of the day. Attempts that reached nobody or an \
answering machine (outcome not_reached or voicemail) are not contacts: they are in n_calls and in no other number. A window is null until a \
conversation on a later day than its last shows that the data reaches past it. Callers that are not known (or were erased) are in no \
number but n_calls and n_reached; caller_coverage says how many are."""
grain = ["workspace", "start_date", "agent_id"]

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
n_calls = "Finished conversations (done or failed)."
n_reached = "Finished conversations that reached somebody: the outcome is neither not_reached nor voicemail."
n_known_calls = "Conversations that reached somebody whose number or id is known."
caller_coverage = "Conversations whose caller is known among those that reached somebody."
n_callers = "Different callers of these conversations; who calls on two days is one on each, so days do not add up to a week's callers."
n_returned_1d = "Callers who came back within 1 day; null while the window is open."
n_returned_7d = "Callers who came back within 7 days; null while the window is open."
n_returned_30d = "Callers who came back within 30 days; null while the window is open."
return_1d_rate = "Callers who came back within 1 day among the callers of the day."
return_7d_rate = "Callers who came back within 7 days among the callers of the day."
return_30d_rate = "Callers who came back within 30 days among the callers of the day."
n_resolved = "Successful conversations whose caller did not come back within 7 days; null while that window is open."
first_contact_resolution_rate = "Conversations resolved among those whose caller is known."

[tests]
not_null = ["workspace", "start_date", "n_calls", "n_reached", "n_known_calls", "n_callers"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.n_callers]
name = "Callers"
numerator = "different known callers of the conversations that reached somebody"
null_when = "never null"
direction = "neither"
differs_from_vendor = "A caller is the other phone number, else the WhatsApp user, else the user's id."

[metrics.caller_coverage]
name = "Caller coverage"
numerator = "n_known_calls: conversations that reached somebody who is known"
denominator = "n_reached"
null_when = "null when nobody was reached"
direction = "high"

[metrics.return_1d_rate]
name = "Callers back within a day"
numerator = "n_returned_1d"
denominator = "n_callers"
null_when = "null without a known caller, and until a conversation later than the next day is in the data"
direction = "low"

[metrics.return_7d_rate]
name = "Callers back within 7 days"
numerator = "n_returned_7d"
denominator = "n_callers"
null_when = "null without a known caller, and until a conversation later than 7 days after the day is in the data"
direction = "low"

[metrics.return_30d_rate]
name = "Callers back within 30 days"
numerator = "n_returned_30d"
denominator = "n_callers"
null_when = "null without a known caller, and until a conversation later than 30 days after the day is in the data"
direction = "low"

[metrics.first_contact_resolution_rate]
name = "First-contact resolution"
numerator = "n_resolved: successful conversations whose caller did not come back to the agent within 7 days"
denominator = "n_known_calls: conversations that reached somebody who is known"
null_when = "null without a known caller, and until a conversation later than 7 days after the day is in the data"
direction = "high"
source = "contact centres: first-contact resolution, by no second contact within 7 days"
differs_from_vendor = "No counterpart known. It is the fcr_rate of agent_daily. Conversations judged unknown are in the denominator and not resolved."
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

conversations as (
    select * from marts.fct_conversations
),

returns as (
    select * from intermediate.int_returns
),

agent_daily as (
    select * from metrics.agent_daily
),

coverage as (
    select
        workspace,
        max(start_date) as newest_date
    from conversations
    group by all
),

counted_conversations as (
    select
        conversations.workspace,
        conversations.start_date,
        conversations.agent_id,
        conversations.caller_id,
        returns.is_back_1d,
        returns.is_back_7d,
        returns.is_back_30d
    from conversations
    inner join returns
        on
            conversations.workspace = returns.workspace
            and conversations.conversation_id = returns.conversation_id
    where conversations.is_counted
),

callers as (
    select
        workspace,
        start_date,
        agent_id,
        caller_id,
        count(*) as n_known_calls,
        bool_or(is_back_1d) as is_back_1d,
        bool_or(is_back_7d) as is_back_7d,
        bool_or(is_back_30d) as is_back_30d
    from counted_conversations
    group by all
),

returned as (
    select
        workspace,
        start_date,
        agent_id,
        cast(sum(n_known_calls) as bigint) as n_known_calls,
        count(*) as n_callers,
        count(*) filter (where is_back_1d) as n_returned_1d,
        count(*) filter (where is_back_7d) as n_returned_7d,
        count(*) filter (where is_back_30d) as n_returned_30d
    from callers
    group by all
),

days as (
    select
        workspace,
        start_date,
        agent_id,
        n_calls,
        n_reached,
        n_resolved,
        fcr_rate
    from agent_daily
    where n_calls > 0
),

-- a conversation on a later day is the only sign that a day is over
reached as (
    select
        days.*,
        coverage.newest_date > days.start_date + interval 1 day as is_over_1d,
        coverage.newest_date > days.start_date + interval 7 day as is_over_7d,
        coverage.newest_date > days.start_date + interval 30 day as is_over_30d
    from days
    inner join coverage on days.workspace = coverage.workspace
),

counted as (
    select
        reached.workspace,
        reached.start_date,
        reached.agent_id,
        reached.n_calls,
        reached.n_reached,
        coalesce(returned.n_known_calls, 0) as n_known_calls,
        coalesce(returned.n_callers, 0) as n_callers,
        case when reached.is_over_1d then coalesce(returned.n_returned_1d, 0) end as n_returned_1d,
        case when reached.is_over_7d then coalesce(returned.n_returned_7d, 0) end as n_returned_7d,
        case when reached.is_over_30d then coalesce(returned.n_returned_30d, 0) end as n_returned_30d,
        case when reached.is_over_7d then reached.n_resolved end as n_resolved,
        reached.fcr_rate
    from reached
    left join returned
        on
            reached.workspace = returned.workspace
            and reached.start_date = returned.start_date
            and reached.agent_id is not distinct from returned.agent_id
),

final as (
    select
        workspace,
        start_date,
        agent_id,
        agent_name,
        n_calls,
        n_reached,
        n_known_calls,
        n_known_calls / nullif(n_reached, 0) as caller_coverage,
        n_callers,
        n_returned_1d,
        n_returned_7d,
        n_returned_30d,
        n_returned_1d / nullif(n_callers, 0) as return_1d_rate,
        n_returned_7d / nullif(n_callers, 0) as return_7d_rate,
        n_returned_30d / nullif(n_callers, 0) as return_30d_rate,
        n_resolved,
        fcr_rate as first_contact_resolution_rate
    from counted
    left join agent_names using (workspace, agent_id)
)

select * from final
