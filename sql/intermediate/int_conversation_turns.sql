/*
description = "What the transcript entries of a conversation add up to: one row per conversation that has entries."
grain = ["conversation_id"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
n_turns = "Transcript entries, tool entries included."
n_user_turns = "Entries in which the user said something, a file included; silence ('...' and the like) does not count."
n_silent_turns = "Entries that only say that the user was silent or not understood."
n_agent_turns = "Entries in which the agent said something: not the entries of tool calls and results."
n_interruptions = "Agent entries that the user cut."
n_likes = "Entries that the user gave a thumb up."
n_dislikes = "Entries that the user gave a thumb down."
n_waits = "Entries with a wait; repeats and greetings dropped."
n_slow_waits = "Waits longer than wait_poor_secs of seeds.thresholds."
first_response_secs = "Wait before the agent's first answer that has one."
median_wait_secs = "Median wait, exact and interpolated."
p95_wait_secs = "95th percentile of the wait, exact and interpolated."
*/
with turns as (
    select * from marts.fct_turns
),

thresholds as (
    select * from seeds.thresholds
),

limits as (
    select max(value) as slow_wait_secs
    from thresholds
    where threshold = 'wait_poor_secs'
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        count(*) as n_turns,
        count(*) filter (where role = 'user' and is_spoken and not is_silent) as n_user_turns,
        count(*) filter (where is_silent) as n_silent_turns,
        count(*) filter (where role = 'agent' and is_spoken) as n_agent_turns,
        count(*) filter (where role = 'agent' and is_spoken and is_interrupted) as n_interruptions,
        count(*) filter (where feedback_score = 'like') as n_likes,
        count(*) filter (where feedback_score = 'dislike') as n_dislikes,
        count(wait_secs) as n_waits,
        count(*) filter (where wait_secs > slow_wait_secs) as n_slow_waits,
        arg_min(wait_secs, turn_index) filter (where wait_secs is not null) as first_response_secs,
        median(wait_secs) as median_wait_secs,
        quantile_cont(wait_secs, 0.95) as p95_wait_secs
    from turns
    cross join limits
    group by all
)

select * from final
