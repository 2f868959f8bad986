/*
description = """A tool's day: one row per workspace, UTC day and tool, over conversations that count, \
nested calls included. A call without a result in the transcript is counted as unanswered and never as \
a success. Beside it is what the list of tools says about the tool (marts.dim_tools): a call belongs to the tool whose \
id it reports, else to the one of its name that was listed last. That one has a row without a day if nobody ever used it; \
others of its name are in marts.dim_tools alone."""
grain = ["workspace", "start_date", "tool_name"]

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started; null on the one row of a tool that was never used."
tool_name = "Name of the tool."
n_calls = "Finished conversations that used the tool."
n_tool_calls = "Calls of the tool."
n_answered = "Calls of the tool that have a result."
n_errors = "Calls of the tool whose result is an error."
error_rate = "Errors among the answered calls of the tool."
n_blocked = "Calls of the tool that were blocked."
n_unanswered = "Calls of the tool without a result."
n_latencies = "Calls of the tool with a latency: the n of the percentiles."
latency_p50_secs = "Median latency."
latency_p95_secs = "95th percentile of the latency."
tool_id = "Listed tool that the calls belong to, the one listed last where several do; null when never listed."
response_timeout_secs = "Time after which the agent no longer waits for it; null when not reported."
n_timed = "Calls with a latency, of a tool that reports its timeout."
n_slow = "Calls that took longer than the tool's timeout."
slow_rate = "Calls that took longer than the tool's timeout, among those timed."
is_failing = "Whether 5 calls or more were answered and a fifth of them or more failed."
is_never_used = "Whether no conversation here ever used it, though it is listed."
ever_n_tool_calls = "Calls of the listed tool here, over all days, those of open and excluded conversations too."
vendor_n_calls = "The vendor's own count of its calls, over all time, at the last listing."
ever_latency_mean_secs = "Mean latency of the listed tool here, over all days."
vendor_latency_mean_secs = "The vendor's own mean latency at the last listing."

[tests]
not_null = ["workspace", "n_timed", "n_slow", "is_failing", "is_never_used", "n_calls", "n_tool_calls", "n_answered", "n_errors", "n_blocked", "n_unanswered"]

[metrics.n_tool_calls]
name = "Tool calls"
numerator = "calls of the tool in finished conversations, nested ones included"
null_when = "never null"
direction = "neither"
differs_from_vendor = "Calls nested in workflow steps count too."

[metrics.error_rate]
name = "Tool error rate"
numerator = "n_errors"
denominator = "n_answered"
null_when = "null when no call was answered"
direction = "low"
differs_from_vendor = "Unanswered calls are left out of the denominator and shown beside it."

[metrics.n_unanswered]
name = "Unanswered tool calls"
numerator = "calls of the tool without a result in the transcript"
null_when = "never null"
direction = "low"

[metrics.latency_p50_secs]
name = "Tool latency, median"
numerator = "median latency of answered calls, exact and interpolated"
null_when = "null without latencies"
direction = "low"
differs_from_vendor = "A percentile and no mean."

[metrics.latency_p95_secs]
name = "Tool latency, 95th percentile"
numerator = "95th percentile of the latency of answered calls, exact and interpolated"
null_when = "null without latencies"
direction = "low"
differs_from_vendor = "A percentile and no mean."

[metrics.slow_rate]
name = "Tool calls beyond their timeout"
numerator = "n_slow: latency > response_timeout_secs"
denominator = "n_timed"
null_when = "null when no call has both a latency and a timeout"
direction = "low"
differs_from_vendor = "Compared with the timeout at the last listing, which may have been another on the day."

[metrics.vendor_n_calls]
name = "Tool calls as the vendor counts"
unit = "count"
numerator = "usage_stats of the last listing; ever_n_tool_calls is what is here"
null_when = "null when the tool was never listed or its use is not reported"
direction = "neither"
differs_from_vendor = "The vendor's own number: it knows calls from before the copy begins, and tests."
*/
with tool_calls as (
    select * from marts.fct_tool_calls
),

tools as (
    select * from marts.dim_tools
),

by_name as (
    select *
    from tools
    where is_listed and tool_name is not null
    qualify row_number() over (partition by workspace, tool_name order by last_seen_at desc, tool_id) = 1
),

counted_calls as (
    select
        tool_calls.*,
        coalesce(listed.tool_id, by_name.tool_id) as listed_tool_id,
        coalesce(listed.last_seen_at, by_name.last_seen_at) as listed_at,
        case when listed.tool_id is null then by_name.response_timeout_secs else listed.response_timeout_secs end
        as response_timeout_secs
    from tool_calls
    left join tools as listed
        on tool_calls.workspace = listed.workspace and tool_calls.tool_id = listed.tool_id
    left join by_name on tool_calls.workspace = by_name.workspace and tool_calls.tool_name = by_name.tool_name
),

ever as (
    select
        workspace,
        listed_tool_id,
        count(*) as n_tool_calls,
        cast(sum(cast(latency_secs as decimal(38, 9))) as double) / count(latency_secs) as latency_mean_secs
    from counted_calls
    where listed_tool_id is not null
    group by all
),

counted as (
    select
        workspace,
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
        quantile_cont(latency_secs, 0.95) as latency_p95_secs,
        arg_max(listed_tool_id, row(listed_at, listed_tool_id)) as tool_id,
        count(latency_secs) filter (where response_timeout_secs is not null) as n_timed,
        count(*) filter (where latency_secs > response_timeout_secs) as n_slow
    from counted_calls
    where is_counted
    group by all
),

final as (
    select
        counted.workspace,
        counted.start_date,
        counted.tool_name,
        counted.n_calls,
        counted.n_tool_calls,
        counted.n_answered,
        counted.n_errors,
        counted.n_errors / nullif(counted.n_answered, 0) as error_rate,
        counted.n_blocked,
        counted.n_unanswered,
        counted.n_latencies,
        counted.latency_p50_secs,
        counted.latency_p95_secs,
        counted.tool_id,
        tools.response_timeout_secs,
        counted.n_timed,
        counted.n_slow,
        counted.n_slow / nullif(counted.n_timed, 0) as slow_rate,
        counted.n_answered >= 5 and counted.n_errors * 5 >= counted.n_answered as is_failing,
        false as is_never_used,
        ever.n_tool_calls as ever_n_tool_calls,
        tools.vendor_n_calls,
        ever.latency_mean_secs as ever_latency_mean_secs,
        tools.vendor_latency_mean_secs
    from counted
    left join tools on counted.workspace = tools.workspace and counted.tool_id = tools.tool_id
    left join ever on counted.workspace = ever.workspace and counted.tool_id = ever.listed_tool_id
    union all
    select
        workspace,
        null as start_date,
        tool_name,
        0 as n_calls,
        0 as n_tool_calls,
        0 as n_answered,
        0 as n_errors,
        null as error_rate,
        0 as n_blocked,
        0 as n_unanswered,
        0 as n_latencies,
        null as latency_p50_secs,
        null as latency_p95_secs,
        tool_id,
        response_timeout_secs,
        0 as n_timed,
        0 as n_slow,
        null as slow_rate,
        false as is_failing,
        true as is_never_used,
        0 as ever_n_tool_calls,
        vendor_n_calls,
        null as ever_latency_mean_secs,
        vendor_latency_mean_secs
    from by_name
    where is_never_used and not is_gone
)

select * from final
