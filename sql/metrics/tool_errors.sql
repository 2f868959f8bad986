/*
description = """Why tools failed: one row per workspace, UTC day, tool and type of error, over the calls that \
metrics.tool_reliability counts as errors. Errors for which the API reports no type (older conversations) are a row without one."""
grain = ["workspace", "start_date", "tool_name", "error_type"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
tool_name = "Name of the tool."
error_type = "Kind of the error, in the API's word, such as timeout; null when not reported."
n_calls = "Finished conversations in which the tool failed so."
n_errors = "Calls of the tool that failed so."
n_day_errors = "Calls of the tool that failed that day: the n of the share."
error_type_rate = "Errors of the type among the tool's errors of the day."

[tests]
not_null = ["workspace", "start_date", "n_calls", "n_errors", "n_day_errors", "error_type_rate"]

[metrics.n_errors]
name = "Tool errors by type"
numerator = "calls of the tool in finished conversations whose result is an error of the type"
null_when = "never null; a type without an error has no row"
direction = "low"

[metrics.error_type_rate]
name = "Share of an error type"
numerator = "n_errors"
denominator = "n_day_errors: all errors of the tool that day"
null_when = "never null"
direction = "neither"
*/
with tool_calls as (
    select * from marts.fct_tool_calls
),

counted as (
    select
        workspace,
        start_date,
        tool_name,
        error_type,
        count(distinct conversation_id) as n_calls,
        count(*) as n_errors
    from tool_calls
    where is_counted and is_error
    group by all
),

final as (
    select
        workspace,
        start_date,
        tool_name,
        error_type,
        n_calls,
        n_errors,
        cast(sum(n_errors) over (partition by workspace, start_date, tool_name) as bigint) as n_day_errors,
        n_errors / sum(n_errors) over (partition by workspace, start_date, tool_name) as error_type_rate
    from counted
)

select * from final
