/*
description = """Completeness of a day: one row per workspace and UTC day on which calls started, from the list to the mart, over \
all calls, open and excluded ones too. What was \
listed and is in no other place is missing: anything but 0 there means that the copy is not complete."""
grain = ["workspace", "start_date"]

[columns]
workspace = "Workspace of the API that the calls belong to."
start_date = "UTC day on which the calls started."
n_listed = "Calls that the list ever showed."
n_detailed = "Calls whose details were asked for: read, or found to be gone."
n_flattened = "Calls with rows in the lake."
n_in_mart = "Calls in marts.fct_conversations."
n_open = "Calls that were not finished when last read."
n_settling = "Finished calls that will be read again, since they can still change."
n_settled = "Finished calls that are read no more unless their list row changes."
n_deleted = "Calls that the API no longer has."
n_quarantined = "Calls whose document is set aside."
n_missing = "Calls that were listed and are neither in the lake, nor gone, nor set aside."
last_listed_at = "Last listing that showed a call of the day; null when only details were landed."
last_complete_run_at = "End of the workspace's last complete run before this build, the same on each of its rows; null when there was none."

[tests]
not_null = ["workspace", "start_date", "n_listed", "n_detailed", "n_flattened", "n_in_mart", "n_missing"]

[metrics.n_missing]
name = "Missing calls"
unit = "count"
numerator = "listed calls that are neither in the lake, nor gone, nor set aside"
null_when = "never null"
direction = "low"
differs_from_vendor = "No counterpart known."
*/
with conversation_list as (
    select * from staging.stg_conversation_list
),

conversations as (
    select * from staging.stg_conversations
),

mart as (
    select * from marts.fct_conversations
),

deletions as (
    select * from staging.stg_deletions
),

quarantine as (
    select * from staging.stg_quarantine
),

sync_runs as (
    select * from staging.stg_sync_runs
),

known as (
    select
        workspace,
        conversation_id,
        start_date
    from conversation_list
    union
    select
        workspace,
        conversation_id,
        start_date
    from conversations
    union
    select
        workspace,
        conversation_id,
        start_date
    from deletions
),

placed as (
    select
        known.workspace,
        known.start_date,
        conversation_list.last_seen_at,
        conversations.settle_state,
        conversation_list.conversation_id is not null as is_listed,
        conversations.conversation_id is not null as is_flattened,
        mart.conversation_id is not null as is_in_mart,
        deletions.conversation_id is not null as is_deleted,
        quarantine.conversation_id is not null as is_quarantined
    from known
    left join conversation_list
        on known.conversation_id = conversation_list.conversation_id and known.start_date = conversation_list.start_date
    left join conversations
        on known.conversation_id = conversations.conversation_id and known.start_date = conversations.start_date
    left join mart
        on known.conversation_id = mart.conversation_id and known.start_date = mart.start_date
    left join deletions
        on known.conversation_id = deletions.conversation_id and known.start_date = deletions.start_date
    left join quarantine on known.conversation_id = quarantine.conversation_id
),

last_run as (
    select
        workspace,
        max(ended_at) as last_complete_run_at
    from sync_runs
    where outcome = 'complete'
    group by all
),

final as (
    select
        placed.workspace,
        placed.start_date,
        count(*) filter (where placed.is_listed) as n_listed,
        count(*) filter (where placed.is_flattened or placed.is_deleted) as n_detailed,
        count(*) filter (where placed.is_flattened) as n_flattened,
        count(*) filter (where placed.is_in_mart) as n_in_mart,
        count(*) filter (where placed.settle_state = 'open') as n_open,
        count(*) filter (where placed.settle_state = 'settling') as n_settling,
        count(*) filter (where placed.settle_state = 'settled') as n_settled,
        count(*) filter (where placed.is_deleted) as n_deleted,
        count(*) filter (where placed.is_quarantined) as n_quarantined,
        count(*) filter (
            where placed.is_listed and not (placed.is_flattened or placed.is_deleted or placed.is_quarantined)
        ) as n_missing,
        max(placed.last_seen_at) as last_listed_at,
        any_value(last_run.last_complete_run_at) as last_complete_run_at
    from placed
    left join last_run on placed.workspace = last_run.workspace
    group by all
)

select * from final
