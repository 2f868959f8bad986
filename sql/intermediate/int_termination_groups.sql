/*
description = "Group of every text that a conversation ever gave as its termination_reason: one row per text that fits a pattern of seeds.termination_groups."
grain = ["termination_reason"]

[columns]
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
    select distinct termination_reason
    from conversations
    where termination_reason is not null
),

final as (
    select
        reasons.termination_reason,
        arg_min(patterns.termination_group, patterns.priority) as termination_group
    from reasons
    inner join patterns on lower(reasons.termination_reason) like lower(patterns.pattern)
    group by all
)

select * from final
