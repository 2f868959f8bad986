/*
description = """When conversations come: one row per workspace, day of the week and hour, by the clock of the workspace's time zone, \
over conversations that count. A conversation counts in the hour in which it started. The peak is exact: starts and ends are \
swept in order, so a conversation that runs into the next hour is in that hour's peak too; hours with running conversations alone have \
a row. One that ends as another starts is not beside it; one of unknown length is there for its instant alone, one of more than a day for a day."""
grain = ["workspace", "local_weekday", "local_start_hour"]
inherits_columns_from = "intermediate.int_agent_measures"

[columns]
cost_usd_per_call = "US dollars per finished conversation."
n_peak_calls = "Most conversations that ran at once at any moment of such an hour."

[tests]
not_null = [
  "workspace",
  "local_weekday",
  "local_start_hour",
  "n_calls",
  "call_minutes",
  "n_success",
  "n_failure",
  "n_unknown",
  "n_peak_calls",
]

[metrics.n_calls]
name = "Conversations by hour"
numerator = "finished conversations that started in the hour, over all weeks"
differs_from_vendor = "By the clock of the workspace's time zone, summer time included."

[metrics.success_rate]
name = "Success rate by hour"

[metrics.success_coverage]
name = "Success coverage by hour"

[metrics.cost_usd]
name = "Cost by hour"
numerator = "reported cost, else credits ÷ credits per USD of the plan, of the conversations that started in the hour"

[metrics.n_peak_calls]
name = "Peak of concurrent conversations"
numerator = "most conversations that ran at once, by starts and ends"
null_when = "never null"
direction = "neither"
differs_from_vendor = "Computed from start and length of the conversations; conversations that seeds.excluded_callers names are not in it."
*/
with conversations as (
    select * from marts.fct_conversations
),

measures as (
    select * from intermediate.int_agent_measures
),

workspaces as (
    select * from seeds.workspaces
),

counted_conversations as (
    select
        *,
        started_at + greatest(least(coalesce(call_duration_secs, 0), 86400), 0) * interval 1 second as ended_at
    from conversations
    where is_counted
),

-- a quarter of an hour is the finest step by which time zones differ, so every local hour begins at one of these
quarters as (
    select
        workspace,
        started_at,
        ended_at,
        unnest(generate_series(date_trunc('hour', started_at), ended_at, interval 15 minute)) as quarter_at
    from counted_conversations
),

-- at one moment ends come before starts, and what lasted no time ends after them
events as (
    select
        workspace,
        ended_at as event_at,
        case when ended_at > started_at then 0 else 2 end as rank_at_once,
        -1 as change
    from counted_conversations
    union all
    select
        workspace,
        started_at as event_at,
        1 as rank_at_once,
        1 as change
    from counted_conversations
    union all
    select distinct
        workspace,
        quarter_at as event_at,
        1 as rank_at_once,
        0 as change
    from quarters
    where quarter_at > started_at and quarter_at < ended_at
),

levels as (
    select
        events.workspace,
        events.event_at at time zone coalesce(workspaces.time_zone, 'UTC') as local_at,
        events.change >= 0 as is_running,
        sum(events.change) over (
            partition by events.workspace
            order by events.event_at, events.rank_at_once
            rows between unbounded preceding and current row
        ) as n_calls
    from events
    left join workspaces on events.workspace = workspaces.workspace
),

-- after an end only what still runs counts, and that was counted when it began or when the hour did
peaks as (
    select
        workspace,
        date_diff('day', date_trunc('week', local_at), local_at) + 1 as local_weekday,
        hour(local_at) as local_start_hour,
        cast(max(n_calls) as bigint) as n_peak_calls
    from levels
    where is_running
    group by all
),

hours as (
    select * from measures
    where breakdown = 'hour'
),

final as (
    select
        peaks.workspace,
        peaks.local_weekday,
        peaks.local_start_hour,
        coalesce(hours.n_calls, 0) as n_calls,
        coalesce(hours.call_minutes, 0) as call_minutes,
        coalesce(hours.n_success, 0) as n_success,
        coalesce(hours.n_failure, 0) as n_failure,
        coalesce(hours.n_unknown, 0) as n_unknown,
        hours.success_rate,
        hours.success_coverage,
        hours.cost_credits,
        hours.cost_usd,
        hours.cost_usd_coverage,
        hours.cost_usd_per_call,
        peaks.n_peak_calls
    from peaks
    left join hours
        on
            peaks.workspace = hours.workspace
            and peaks.local_weekday = hours.local_weekday
            and peaks.local_start_hour = hours.local_start_hour
)

select * from final
