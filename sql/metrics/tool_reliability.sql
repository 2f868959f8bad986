/*
description = """A tool's day: one row per UTC day and tool, over finished conversations, nested calls included. A call \
without a result in the transcript is counted as unanswered and never as a success."""
grain = ["start_date", "tool_name"]

[columns]
start_date = "UTC day on which the conversations started."
tool_name = "Name of the tool."
n_calls = "Finished calls (conversations) that used the tool."
n_tool_calls = "Calls of the tool."
n_answered = "Calls of the tool that have a result."
n_errors = "Calls of the tool whose result is an error."
error_rate = "Errors among the answered calls of the tool."
n_blocked = "Calls of the tool that were blocked."
n_unanswered = "Calls of the tool without a result."
n_latencies = "Calls of the tool with a latency: the n of the percentiles."
latency_p50_secs = "Median latency."
latency_p95_secs = "95th percentile of the latency."

[tests]
not_null = ["start_date", "n_calls", "n_tool_calls", "n_answered", "n_errors", "n_blocked", "n_unanswered"]

[metrics.n_tool_calls]
name = "Tool calls"
unit = "count"
numerator = "calls of the tool in finished conversations, nested ones included"
null_rule = "never null"
good = "neither"
differs = "Calls nested in workflow steps count too."

[metrics.error_rate]
name = "Tool error rate"
unit = "share of 1"
numerator = "n_errors"
denominator = "n_answered"
null_rule = "null when no call was answered"
good = "low"
differs = "Unanswered calls are left out of the denominator and shown beside it."

[metrics.n_unanswered]
name = "Unanswered tool calls"
unit = "count"
numerator = "calls of the tool without a result in the transcript"
null_rule = "never null"
good = "low"
differs = "No counterpart known."

[metrics.latency_p50_secs]
name = "Tool latency, median"
unit = "seconds"
numerator = "median latency of answered calls, exact and interpolated"
null_rule = "null without latencies"
good = "low"
differs = "A percentile and no mean."

[metrics.latency_p95_secs]
name = "Tool latency, 95th percentile"
unit = "seconds"
numerator = "95th percentile of the latency of answered calls, exact and interpolated"
null_rule = "null without latencies"
good = "low"
differs = "A percentile and no mean."
*/
with tool_calls as (
    select * from marts.fct_tool_calls
),

counted as (
    select
        start_date,
        tool_name,
        count(distinct conversation_id) as n_calls,
        count(*) as n_tool_calls,
        count(*) filter (where is_answered) as n_answered,
        count(*) filter (where is_error) as n_errors,
        count(*) filter (where is_blocked) as n_blocked,
        count(*) filter (where not is_answered) as n_unanswered,
        count(latency_secs) as n_latencies,
        quantile_cont(latency_secs, 0.5) as latency_p50_secs,
        quantile_cont(latency_secs, 0.95) as latency_p95_secs
    from tool_calls
    where is_finished
    group by all
),

final as (
    select
        start_date,
        tool_name,
        n_calls,
        n_tool_calls,
        n_answered,
        n_errors,
        n_errors / nullif(n_answered, 0) as error_rate,
        n_blocked,
        n_unanswered,
        n_latencies,
        latency_p50_secs,
        latency_p95_secs
    from counted
)

select * from final
