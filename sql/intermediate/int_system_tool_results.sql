/*
description = """What system tools did: one row per result of a system tool. The type says what a system tool is, and never the name \
alone: a webhook may be called transfer_to_number_lookup. A result without a type is one if it has a result_type, which only system \
tools have. Old results have no result_type: their name says which tool it was, their text whether it succeeded."""
grain = ["conversation_id", "result_index"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
result_index = "Running number of the tool result in the conversation, from 0."
depth = "0 in the transcript, +1 for each workflow step around it."
system_tool = "transfer_to_agent, transfer_to_number, voicemail_detection, …, with the outcome where the API adds it (…_success, …_error)."
is_success = "Whether the tool did its work: no error, not blocked, and really called."

[tests]
not_null = ["workspace", "conversation_id", "start_date", "result_index", "depth", "is_success"]
*/
with tool_results as (
    select * from staging.stg_tool_results
),

system_results as (
    select
        *,
        coalesce(result_type, tool_name) as system_tool,
        nullif(regexp_extract(result_value, '"status": *"([a-z_]+)"', 1), '') as status_in_text,
        lower(result_value) like 'error%' or lower(result_value) like '%failed%' as is_failure_in_text
    from tool_results
    where coalesce(tool_type, case when result_type is not null then 'system' end) = 'system'
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        result_index,
        depth,
        system_tool,
        not coalesce(is_error, false)
        and not coalesce(is_blocked, false)
        and coalesce(tool_has_been_called, true)
        and case
            when result_status is not null then result_status = 'success'
            when result_type is not null then true
            when status_in_text is not null then status_in_text = 'success'
            else not coalesce(is_failure_in_text, false)
        end as is_success
    from system_results
)

select * from final
