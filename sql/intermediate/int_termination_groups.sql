/*
description = "Group of every text that a conversation of a day gave as its termination_reason: one row per day and text that fits a pattern of seeds.termination_groups."
grain = ["start_date", "termination_reason"]
incremental_by = "start_date"

[columns]
start_date = "UTC day on which the conversations started."
termination_reason = "Why conversations ended, free text."
termination_group = "Group of the first pattern that fits."
*/
with conversations as (
    select * from staging.stg_conversations
),

patterns as (
    select * from seeds.termination_groups
),

reasons as (
    select distinct
        start_date,
        termination_reason
    from conversations
    where trim(termination_reason) <> ''
),

final as (
    select
        reasons.start_date,
        reasons.termination_reason,
        arg_min(patterns.termination_group, patterns.priority) as termination_group
    from reasons
    inner join patterns on lower(reasons.termination_reason) like lower(patterns.pattern)
    group by all
)

select * from final
