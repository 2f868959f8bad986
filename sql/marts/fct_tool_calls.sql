/*
description = """Tool calls, each with its result, and results that no call is left for: one row per tool call, those nested in \
workflow steps included, and one per such result. A tool call and its result are in different transcript entries; they are matched by \
conversation and request_id. Where a request_id repeats, the first call takes the first result, the second the second; another result of \
the same call, or one whose call the transcript does not hold, is a row of its own. Without a request_id a call has no result."""
grain = ["conversation_id", "call_index"]
incremental_by = "start_date"
inherits_columns_from = "intermediate.int_conversation_flags"

[columns]
call_index = "Running number of the tool call in the conversation, from 0; below 0 in the row of a result that no call is left for."
turn_index = "Transcript entry that holds the tool call, or the result that no call is left for."
result_turn_index = "Transcript entry that holds the result; null when unanswered."
request_id = "Id that a tool call and its result share."
parent_request_id = "request_id of the workflow result that holds the tool call; null at the top."
depth = "0 in the transcript, +1 for each workflow step around it."
tool_name = "Name of the tool."
tool_id = "Id of the tool."
tool_type = "system, webhook, client, mcp, workflow, …; open text."
params_as_json = "Arguments, the API's own JSON text."
mcp_server_name = "Name of the MCP server; null for other tools."
has_call = "Whether the transcript holds the tool call of the row."
is_answered = "Whether the transcript holds a result of the tool call."
is_error = "Whether the tool failed; null when unanswered or not reported."
is_blocked = "Whether the tool call was blocked; null when unanswered or not reported."
error_type = "Kind of the error."
raw_error_message = "Error in the tool's own words."
latency_secs = "Time that the tool took; null when unanswered, and when reported below 0."
result_value = "The result, the API's own text (often JSON)."
result_type = "Which system result it is; null for other tools."
result_status = "success or error, of a system result."
result_reason = "Why the system tool was used."
called_at = "Start of the entry that holds the tool call: when the API says that it was created, else the start of the conversation and the seconds since; null when neither is reported, or the seconds are a day or more."
local_start_hour = "Hour of the day at which the conversation started in the workspace's time zone, 0 to 23."
local_weekday_name = "Day of the week on which it started there, Monday to Sunday."

[tests]
not_null = ["workspace", "conversation_id", "call_index", "start_date", "turn_index", "depth", "has_call", "is_answered", "is_finished", "is_counted"]
references = { conversation_id = "marts.fct_conversations.conversation_id" }
*/
with tool_calls as (
    select * from staging.stg_tool_calls
),

tool_results as (
    select * from staging.stg_tool_results
),

turns as (
    select * from marts.fct_turns
),

flags as (
    select * from intermediate.int_conversation_flags
),

times as (
    select * from intermediate.int_conversation_times
),

numbered_calls as (
    select
        *,
        row_number() over (
            partition by workspace, conversation_id, request_id order by depth, call_index
        ) as occurrence
    from tool_calls
),

numbered_results as (
    select
        *,
        row_number() over (
            partition by workspace, conversation_id, request_id order by depth, result_index
        ) as occurrence
    from tool_results
),

matched as (
    select
        coalesce(calls.workspace, results.workspace) as workspace,
        coalesce(calls.conversation_id, results.conversation_id) as conversation_id,
        coalesce(calls.call_index, -1 - results.result_index) as call_index,
        coalesce(calls.start_date, results.start_date) as start_date,
        coalesce(calls.turn_index, results.turn_index) as turn_index,
        results.turn_index as result_turn_index,
        coalesce(calls.request_id, results.request_id) as request_id,
        case when calls.conversation_id is null then results.parent_request_id else calls.parent_request_id end
        as parent_request_id,
        coalesce(calls.depth, results.depth) as depth,
        coalesce(calls.tool_name, results.tool_name) as tool_name,
        coalesce(calls.tool_id, results.tool_id) as tool_id,
        coalesce(calls.tool_type, results.tool_type) as tool_type,
        calls.params_as_json,
        calls.tool_details_mcp_server_name as mcp_server_name,
        calls.conversation_id is not null as has_call,
        results.conversation_id is not null as is_answered,
        results.is_error,
        results.is_blocked,
        results.error_type,
        results.raw_error_message,
        case when results.tool_latency_secs >= 0 then results.tool_latency_secs end as latency_secs,
        results.result_value,
        results.result_type,
        results.result_status,
        results.result_reason
    from numbered_calls as calls
    full outer join numbered_results as results
        on
            calls.workspace = results.workspace
            and calls.conversation_id = results.conversation_id
            and calls.request_id = results.request_id
            and calls.occurrence = results.occurrence
),

final as (
    select
        matched.workspace,
        matched.conversation_id,
        matched.call_index,
        matched.start_date,
        flags.agent_id,
        flags.agent_name,
        flags.version_id,
        matched.turn_index,
        matched.result_turn_index,
        matched.request_id,
        matched.parent_request_id,
        matched.depth,
        matched.tool_name,
        matched.tool_id,
        matched.tool_type,
        matched.params_as_json,
        matched.mcp_server_name,
        matched.has_call,
        matched.is_answered,
        matched.is_error,
        matched.is_blocked,
        matched.error_type,
        matched.raw_error_message,
        matched.latency_secs,
        matched.result_value,
        matched.result_type,
        matched.result_status,
        matched.result_reason,
        turns.turn_at as called_at,
        times.local_start_hour,
        times.local_weekday_name,
        coalesce(flags.is_finished, false) as is_finished,
        coalesce(flags.is_counted, false) as is_counted
    from matched
    left join flags on matched.workspace = flags.workspace and matched.conversation_id = flags.conversation_id
    left join times on matched.workspace = times.workspace and matched.conversation_id = times.conversation_id
    left join turns
        on
            matched.workspace = turns.workspace
            and matched.conversation_id = turns.conversation_id
            and matched.turn_index = turns.turn_index
)

select * from final
