/*
description = """What a month will cost: one row per workspace, month and agent, and one with agent '*' for all of them. \
Spent is the cost of the conversations that count. For each day after the newest one that is over \
(intermediate.int_whole_days), the mean of that weekday's days in the 28 days up to it is expected to be spent (since \
the agent's first day where that is later; days without conversations are 0; a weekday that it has not seen yet gets the mean \
of all); what a day that is not over has cost is in spent, and the expected is never less. The interval holds the month's cost in about 95 of 100 months: expected ± t × s × √(Σ over weekdays of k + \
k² ÷ n), with s the standard deviation of days about their weekday's mean, k the weekday's days left, n its days seen, and t the \
97.5 % quantile of Student's distribution with as many degrees of freedom as days were seen beyond the weekdays: 2.08 after \
28 days, 4.3 after 9. \
Months that are over are expected to cost what they cost."""
grain = ["workspace", "month_start_date", "agent_id"]

[columns]
workspace = "Workspace of the API that the conversations belong to."
month_start_date = "First UTC day of the month."
agent_id = "Agent that the conversations were started with; * for all of the workspace."
agent_name = "Latest name of the agent; null when the API never reported one."
as_of_date = "Newest UTC day of the workspace that is over: the run rate is taken from the days up to it."
n_days_left = "Days of the month after it, one that is not over among them; 0 when the month is over."
n_calls = "Finished conversations (done or failed) of the month."
cost_usd = "Spent so far, also on a day that is not over; 0 without conversations, null when no conversation's cost is known."
cost_usd_coverage = "Finished conversations whose cost in US dollars is known, among the finished ones."
n_rate_days = "Days that the run rate is taken from; null when the month is over."
monday_usd = "Run rate of a Monday; null when the month is over."
tuesday_usd = "Run rate of a Tuesday; null when the month is over."
wednesday_usd = "Run rate of a Wednesday; null when the month is over."
thursday_usd = "Run rate of a Thursday; null when the month is over."
friday_usd = "Run rate of a Friday; null when the month is over."
saturday_usd = "Run rate of a Saturday; null when the month is over."
sunday_usd = "Run rate of a Sunday; null when the month is over."
expected_usd = "Expected cost of the whole month; null when no cost is known, or the agent has no day that is over."
expected_low_usd = "Lower end of the interval, never below what is spent; null with too few days to compute it."
expected_high_usd = "Upper end of the interval; null with too few days to compute it."
budget_usd = "Budget of the month (seeds.budgets); null when none is set."
budget_burn = "Part of the budget that is spent, 1 for all of it."
expected_budget_burn = "Part of the budget that is expected to be spent, 1 for all of it."

[tests]
not_null = ["workspace", "month_start_date", "as_of_date", "n_days_left", "n_calls"]

[metrics.cost_usd]
name = "Spent in the month"
numerator = "reported cost, else credits ÷ credits per USD of the plan, up to the newest conversation"
null_when = "null when no conversation's cost is known; 0 without conversations"
direction = "low"
differs_from_vendor = "Conversations without a reported cost in dollars are valued at their plan's rate; the plan's fee is not in it."

[metrics.expected_usd]
name = "Expected cost of the month"
numerator = "cost up to as_of_date + run rate of each day that is left, by weekday; at least cost_usd"
null_when = "null when no cost is known, of the month or of the 28 days, or the agent has no day that is over"
direction = "low"

[metrics.expected_low_usd]
name = "Expected cost, lower end"
numerator = "expected_usd − t standard errors of the days left, at least cost_usd"
null_when = "null as expected_usd, and when no weekday was seen twice"
direction = "neither"

[metrics.expected_high_usd]
name = "Expected cost, upper end"
numerator = "expected_usd + t standard errors of the days left"
null_when = "null as expected_usd, and when no weekday was seen twice"
direction = "neither"

[metrics.budget_burn]
name = "Budget spent"
unit = "part of the budget"
numerator = "cost_usd"
denominator = "budget_usd"
null_when = "null without a budget or without a known cost"
direction = "low"

[metrics.expected_budget_burn]
name = "Budget expected to be spent"
unit = "part of the budget"
numerator = "expected_usd"
denominator = "budget_usd"
null_when = "null without a budget or without an expectation"
direction = "low"
differs_from_vendor = "No counterpart known. Above 1, the budget is expected to be exceeded."
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

conversations as (
    select * from marts.fct_conversations
),

whole_days as (
    select * from intermediate.int_whole_days
),

budgets as (
    select * from seeds.budgets
),

weekdays as (
    select weekday from (values (1), (2), (3), (4), (5), (6), (7)) as numbers (weekday)
),

newest as (
    select
        workspace,
        last_over_date as as_of_date,
        greatest(newest_date, last_over_date) as newest_date
    from whole_days
),

spending as (
    select
        workspace,
        agent_id,
        start_date,
        count(*) as n_calls,
        count(cost_usd) as n_priced,
        sum(cast(cost_usd as decimal(38, 12))) as cost_usd
    from conversations
    where is_counted
    group by all
    union all
    select
        workspace,
        '*' as agent_id,
        start_date,
        count(*) as n_calls,
        count(cost_usd) as n_priced,
        sum(cast(cost_usd as decimal(38, 12))) as cost_usd
    from conversations
    where is_counted
    group by all
),

days as (
    select
        spending.*,
        newest.as_of_date,
        newest.newest_date,
        cast(date_trunc('month', spending.start_date) as date) as month_start_date,
        date_diff('day', date_trunc('week', spending.start_date), spending.start_date) + 1 as weekday,
        spending.start_date <= newest.as_of_date as is_whole,
        date_diff('day', spending.start_date, newest.as_of_date) between 0 and 27 as is_recent,
        -- the square of a day of more than what a single conversation may cost is no decimal
        least(abs(cast(coalesce(spending.cost_usd, 0) as double)), 1e12) as bounded_usd
    from spending
    inner join newest on spending.workspace = newest.workspace
),

agents as (
    select
        workspace,
        agent_id,
        as_of_date,
        newest_date,
        -- of the month of the newest day, the days after this one are left
        greatest(as_of_date, cast(date_trunc('month', newest_date) - interval 1 day as date)) as through_date,
        min(start_date) as first_date,
        bool_or(is_recent) as is_active,
        not bool_or(is_whole) as is_new,
        cast(sum(cost_usd) filter (where is_recent) as double) as recent_usd
    from days
    group by all
),

windows as (
    select
        workspace,
        agent_id,
        is_active,
        case when is_active or is_new then recent_usd else 0 end as recent_usd,
        cast(date_trunc('month', newest_date) as date) as month_start_date,
        date_diff('day', date_trunc('week', as_of_date), as_of_date) + 1 as weekday,
        date_diff('day', date_trunc('week', through_date), through_date) + 1 as through_weekday,
        date_diff('day', through_date, last_day(newest_date)) as n_days_left,
        greatest(least(date_diff('day', first_date, as_of_date) + 1, 28), 0) as n_rate_days
    from agents
),

-- the days of a weekday among the n days up to a day, or after it, follow from how far the nearest of them is
grid as (
    select
        windows.*,
        weekdays.weekday as rate_weekday,
        cast(floor((windows.n_rate_days + 6 - (windows.weekday - weekdays.weekday + 7) % 7) / 7) as bigint) as n_seen,
        cast(floor((windows.n_days_left + 6 - (weekdays.weekday - windows.through_weekday + 6) % 7) / 7) as bigint)
        as n_left
    from windows
    cross join weekdays
),

by_weekday as (
    select
        workspace,
        agent_id,
        weekday,
        coalesce(cast(sum(cost_usd) as double), 0) as weekday_usd,
        coalesce(cast(sum(cast(bounded_usd * bounded_usd as decimal(38, 12))) as double), 0) as squares
    from days
    where is_recent
    group by all
),

rates as (
    select
        grid.*,
        coalesce(by_weekday.squares, 0) as squares,
        case
            when grid.recent_usd is null then null
            when grid.n_seen = 0 then grid.recent_usd / grid.n_rate_days
            else coalesce(by_weekday.weekday_usd, 0) / grid.n_seen
        end as mean_usd
    from grid
    left join by_weekday
        on
            grid.workspace = by_weekday.workspace
            and grid.agent_id is not distinct from by_weekday.agent_id
            and grid.rate_weekday = by_weekday.weekday
),

outlooks as (
    select
        workspace,
        agent_id,
        month_start_date,
        is_active,
        n_days_left,
        n_rate_days,
        max(mean_usd) filter (where rate_weekday = 1) as monday_usd,
        max(mean_usd) filter (where rate_weekday = 2) as tuesday_usd,
        max(mean_usd) filter (where rate_weekday = 3) as wednesday_usd,
        max(mean_usd) filter (where rate_weekday = 4) as thursday_usd,
        max(mean_usd) filter (where rate_weekday = 5) as friday_usd,
        max(mean_usd) filter (where rate_weekday = 6) as saturday_usd,
        max(mean_usd) filter (where rate_weekday = 7) as sunday_usd,
        sum(mean_usd * n_left) as left_usd,
        count(*) filter (where n_seen > 0) as n_weekdays_seen,
        sum(squares - n_seen * mean_usd * mean_usd) as residual_squares,
        sum(n_left + n_left * n_left / coalesce(nullif(n_seen, 0), nullif(n_rate_days, 0))) as n_variances
    from rates
    group by all
),

-- the quantile of t: by its series in 1 / freedom as in int_experiment_tests, which does not hold below 3
intervals as (
    select
        workspace,
        agent_id,
        case n_rate_days - n_weekdays_seen
            when 1 then 12.706204736
            when 2 then 4.302652730
            else
                1.959963984540054
                + 2.372271230298562 / nullif(n_rate_days - n_weekdays_seen, 0)
                + 2.8224986157396112 / power(nullif(n_rate_days - n_weekdays_seen, 0), 2)
                + 2.555849679507722 / power(nullif(n_rate_days - n_weekdays_seen, 0), 3)
                + 1.5895340533938225 / power(nullif(n_rate_days - n_weekdays_seen, 0), 4)
        end
        * sqrt(greatest(residual_squares, 0) / nullif(n_rate_days - n_weekdays_seen, 0) * n_variances) as margin_usd
    from outlooks
),

months as (
    select distinct
        workspace,
        agent_id,
        month_start_date
    from days
    union
    select distinct
        workspace,
        agent_id,
        month_start_date
    from outlooks
    where is_active
),

spent as (
    select
        workspace,
        agent_id,
        month_start_date,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(n_priced) as bigint) as n_priced,
        cast(sum(cost_usd) as double) as cost_usd,
        coalesce(cast(sum(cost_usd) filter (where is_whole) as double), 0) as whole_usd
    from days
    group by all
),

forecasts as (
    select
        months.workspace,
        months.month_start_date,
        months.agent_id,
        newest.as_of_date,
        coalesce(outlooks.n_days_left, 0) as n_days_left,
        coalesce(spent.n_calls, 0) as n_calls,
        case when spent.n_calls is null then 0 else spent.cost_usd end as cost_usd,
        case
            when spent.n_calls > 0 and spent.cost_usd is null then null
            when coalesce(outlooks.n_days_left, 0) = 0 then coalesce(spent.cost_usd, 0)
            when outlooks.left_usd is not null
                then greatest(coalesce(spent.cost_usd, 0), coalesce(spent.whole_usd, 0) + outlooks.left_usd)
        end as expected_usd,
        spent.n_priced / spent.n_calls as cost_usd_coverage,
        outlooks.n_rate_days,
        outlooks.monday_usd,
        outlooks.tuesday_usd,
        outlooks.wednesday_usd,
        outlooks.thursday_usd,
        outlooks.friday_usd,
        outlooks.saturday_usd,
        outlooks.sunday_usd,
        case when coalesce(outlooks.n_days_left, 0) = 0 then 0 else intervals.margin_usd end as margin_usd
    from months
    inner join newest on months.workspace = newest.workspace
    left join outlooks
        on
            months.workspace = outlooks.workspace
            and months.agent_id is not distinct from outlooks.agent_id
            and months.month_start_date = outlooks.month_start_date
    left join intervals
        on
            months.workspace = intervals.workspace
            and months.agent_id is not distinct from intervals.agent_id
    left join spent
        on
            months.workspace = spent.workspace
            and months.agent_id is not distinct from spent.agent_id
            and months.month_start_date = spent.month_start_date
),

final as (
    select
        forecasts.workspace,
        forecasts.month_start_date,
        forecasts.agent_id,
        agent_names.agent_name,
        forecasts.as_of_date,
        forecasts.n_days_left,
        forecasts.n_calls,
        forecasts.cost_usd,
        forecasts.cost_usd_coverage,
        forecasts.n_rate_days,
        forecasts.monday_usd,
        forecasts.tuesday_usd,
        forecasts.wednesday_usd,
        forecasts.thursday_usd,
        forecasts.friday_usd,
        forecasts.saturday_usd,
        forecasts.sunday_usd,
        forecasts.expected_usd,
        case
            when forecasts.margin_usd > forecasts.expected_usd - forecasts.cost_usd then forecasts.cost_usd
            else forecasts.expected_usd - forecasts.margin_usd
        end as expected_low_usd,
        forecasts.expected_usd + forecasts.margin_usd as expected_high_usd,
        budgets.budget_usd,
        forecasts.cost_usd / nullif(budgets.budget_usd, 0) as budget_burn,
        forecasts.expected_usd / nullif(budgets.budget_usd, 0) as expected_budget_burn
    from forecasts
    left join budgets
        on forecasts.month_start_date = budgets.month_start_date and forecasts.agent_id = budgets.agent_id
    left join agent_names
        on forecasts.workspace = agent_names.workspace and forecasts.agent_id = agent_names.agent_id
)

select * from final
