/*
description = """Days: one row per UTC day from the first conversation to the last, days without a conversation included. It is one \
calendar for all workspaces, so that it joins by the day alone."""
grain = ["start_date"]

[columns]
start_date = "Day."
week_start_date = "Monday of its week."
month_start_date = "First day of its month."
iso_week = "Number of its week (ISO 8601), 1 to 53."
weekday = "Day of the week, 1 Monday to 7 Sunday."
is_weekend = "Whether it is a Saturday or a Sunday."

[tests]
not_null = ["start_date", "week_start_date", "month_start_date", "iso_week", "weekday", "is_weekend"]
*/
with conversations as (
    select * from staging.stg_conversations
),

bounds as (
    select
        min(start_date) as first_date,
        max(start_date) as last_date
    from conversations
),

midnights as (
    select unnest(generate_series(first_date, last_date, interval 1 day)) as midnight
    from bounds
    where first_date is not null
),

days as (
    select cast(midnight as date) as start_date from midnights
),

weeks as (
    select
        start_date,
        cast(date_trunc('week', start_date) as date) as week_start_date
    from days
),

final as (
    select
        start_date,
        week_start_date,
        cast(date_trunc('month', start_date) as date) as month_start_date,
        weekofyear(start_date) as iso_week,
        date_diff('day', week_start_date, start_date) + 1 as weekday,
        date_diff('day', week_start_date, start_date) >= 5 as is_weekend
    from weeks
)

select * from final
