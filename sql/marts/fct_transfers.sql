/*
description = """Transfers to another agent or to a number, tried and done: one row per tool result that is a transfer. \
One inside a workflow (depth above 0) leads to a node of the same agent."""
grain = ["conversation_id", "result_index"]
incremental_by = "start_date"
inherits_columns_from = "intermediate.int_conversation_flags"

[columns]
result_index = "Running number of the tool result in the conversation, from 0."
turn_index = "Transcript entry that holds the result."
depth = "0 in the transcript, +1 for each workflow step around it."
kind = "agent or number: where the transfer leads."
from_agent_id = "Agent that transferred; the speaker of the entry, else the conversation's agent, where the API does not say."
to_agent_id = "Agent transferred to; a node id inside a workflow; null when not reported."
to_number = "Number transferred to; null when not reported, or once deleted."
is_error = "Whether the transfer did not take place: an error, blocked or never carried out."
error = "Error in words."
condition = "Condition of the transfer, as the agent is set up."
reason = "Why the agent transferred."

[tests]
not_null = ["workspace", "conversation_id", "result_index", "start_date", "turn_index", "depth", "kind", "is_error", "is_finished", "is_counted"]
accepted = { kind = ["agent", "number"] }
references = { conversation_id = "marts.fct_conversations.conversation_id" }
*/
with tool_results as (
    select * from staging.stg_tool_results
),

system_tool_results as (
    select * from intermediate.int_system_tool_results
),

turns as (
    select * from staging.stg_turns
),

flags as (
    select * from intermediate.int_conversation_flags
),

tried as (
    select
        tool_results.*,
        case
            when system_tool_results.system_tool like 'transfer_to_agent%' then 'agent'
            when system_tool_results.system_tool like 'transfer_to_number%' then 'number'
        end as kind,
        not system_tool_results.is_success as is_failed
    from tool_results
    inner join system_tool_results
        on
            tool_results.workspace = system_tool_results.workspace
            and tool_results.conversation_id = system_tool_results.conversation_id
            and tool_results.result_index = system_tool_results.result_index
),

final as (
    select
        tried.workspace,
        tried.conversation_id,
        tried.result_index,
        tried.start_date,
        flags.agent_id,
        flags.agent_name,
        flags.version_id,
        tried.turn_index,
        tried.depth,
        tried.kind,
        coalesce(tried.result_from_agent, turns.speaking_agent_id, flags.agent_id) as from_agent_id,
        tried.result_to_agent as to_agent_id,
        tried.result_transfer_number as to_number,
        tried.is_failed as is_error,
        coalesce(tried.result_error, tried.raw_error_message) as error,
        tried.result_condition as condition,
        tried.result_reason as reason,
        coalesce(flags.is_finished, false) as is_finished,
        coalesce(flags.is_counted, false) as is_counted
    from tried
    left join flags on tried.workspace = flags.workspace and tried.conversation_id = flags.conversation_id
    left join turns
        on
            tried.workspace = turns.workspace
            and tried.conversation_id = turns.conversation_id
            and tried.turn_index = turns.turn_index
    where tried.kind is not null
)

select * from final
