/*
description = "What the tools of a conversation add up to, and where it was transferred: one row per conversation that used a tool."
grain = ["conversation_id"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
n_tool_calls = "Tool calls, nested ones included."
n_tool_errors = "Tool calls whose result is an error."
n_unanswered_tool_calls = "Tool calls without a result in the transcript."
is_transferred_to_agent = "Whether a transfer to another agent succeeded; one inside a workflow leads to a node and does not count."
is_transferred_to_human = "Whether a transfer to a number, or to the queue of Amazon Connect, succeeded."
is_transferred_to_number = "Whether a transfer to a number succeeded."
is_voicemail = "Whether the voicemail tool found an answering machine."
*/
with tool_calls as (
    select * from marts.fct_tool_calls
),

system_tool_results as (
    select * from intermediate.int_system_tool_results
),

call_counts as (
    select
        workspace,
        conversation_id,
        start_date,
        count(*) as n_tool_calls,
        count(*) filter (where is_error) as n_tool_errors,
        count(*) filter (where not is_answered) as n_unanswered_tool_calls
    from tool_calls
    group by all
),

outcomes as (
    select
        workspace,
        conversation_id,
        start_date,
        bool_or(system_tool like 'transfer_to_agent%' and depth = 0) as is_transferred_to_agent,
        bool_or(system_tool like 'transfer_to_number%') as is_transferred_to_human,
        bool_or(system_tool like 'transfer_to_number%' and system_tool not like '%amazon_connect%')
            as is_transferred_to_number,
        bool_or(system_tool like 'voicemail_detection%') as is_voicemail
    from system_tool_results
    where is_success
    group by all
),

final as (
    select
        coalesce(call_counts.workspace, outcomes.workspace) as workspace,
        coalesce(call_counts.conversation_id, outcomes.conversation_id) as conversation_id,
        coalesce(call_counts.start_date, outcomes.start_date) as start_date,
        coalesce(call_counts.n_tool_calls, 0) as n_tool_calls,
        coalesce(call_counts.n_tool_errors, 0) as n_tool_errors,
        coalesce(call_counts.n_unanswered_tool_calls, 0) as n_unanswered_tool_calls,
        coalesce(outcomes.is_transferred_to_agent, false) as is_transferred_to_agent,
        coalesce(outcomes.is_transferred_to_human, false) as is_transferred_to_human,
        coalesce(outcomes.is_transferred_to_number, false) as is_transferred_to_number,
        coalesce(outcomes.is_voicemail, false) as is_voicemail
    from call_counts
    full outer join outcomes
        on call_counts.workspace = outcomes.workspace and call_counts.conversation_id = outcomes.conversation_id
)

select * from final
