/*
description = """Completeness of a day: one row per workspace and UTC day on which conversations started, from the list to the mart, over \
all conversations, open and excluded ones too. What was \
listed and is in no other place is missing: anything but 0 there means that the copy is not complete."""
grain = ["workspace", "start_date"]

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started: of the document, or of the list row where there is no document."
n_listed = "Conversations that the list ever showed."
n_detailed = "Conversations whose details were asked for: read, or found to be gone."
n_flattened = "Conversations with rows in the lake."
n_in_mart = "Conversations in marts.fct_conversations."
n_open = "Conversations that were not finished when last read."
n_settling = "Finished conversations that will be read again, since they can still change."
n_settled = "Finished conversations that are read no more unless their list row changes."
n_deleted = "Conversations in lake.deletions: the API no longer has them or has emptied them, or they were erased here."
n_quarantined = "Conversations in quarantine."
n_unknown_fields = "Fields and values in the conversations of the day that the schema does not know, as lake.unknown_fields_daily has them."
n_missing = "Conversations that were listed and are neither in the lake, nor gone, nor in quarantine."
last_listed_at = "Last listing that showed a conversation of the day; null when only details were landed."
last_full_listing_at = "Time until which conversations of all agents of the workspace were listed by runs that copied all of them, the run that built this among them, the same on each of its rows; null when there was none. It says how fresh the copy is: date_diff('hour', last_full_listing_at, now()) are the hours since, which a table cannot keep."
last_complete_run_at = "End of the workspace's last complete run before this build, the same on each of its rows; null when there was none."

[tests]
not_null = ["workspace", "start_date", "n_listed", "n_detailed", "n_flattened", "n_in_mart", "n_unknown_fields", "n_missing"]

[metrics.n_unknown_fields]
name = "Unknown fields"
numerator = "JSON paths and values that the schema does not know"
null_when = "never null"
direction = "neither"

[metrics.n_missing]
name = "Missing conversations"
numerator = "listed conversations that are neither in the lake, nor gone, nor in quarantine"
null_when = "never null"
direction = "low"
*/
with conversation_list as (
    select * from staging.stg_conversation_list
),

conversations as (
    select * from staging.stg_conversations
),

conversation_checks as (
    select * from staging.stg_conversation_checks
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

unknown_fields as (
    select * from staging.stg_unknown_fields_daily
),

sync_runs as (
    select * from staging.stg_sync_runs
),

ids as (
    select
        workspace,
        conversation_id,
        start_date as document_date,
        null as other_date
    from conversations
    union all
    select
        workspace,
        conversation_id,
        null as document_date,
        start_date as other_date
    from conversation_list
    union all
    select
        workspace,
        conversation_id,
        null as document_date,
        start_date as other_date
    from deletions
),

days as (
    select
        workspace,
        conversation_id,
        coalesce(max(document_date), max(other_date)) as start_date
    from ids
    group by all
),

placed as (
    select
        days.workspace,
        days.start_date,
        conversation_list.last_seen_at,
        conversation_checks.settle_state,
        conversation_list.conversation_id is not null as is_listed,
        conversations.conversation_id is not null as is_flattened,
        mart.conversation_id is not null as is_in_mart,
        deletions.conversation_id is not null as is_deleted,
        quarantine.conversation_id is not null as is_quarantined
    from days
    left join conversation_list
        on days.workspace = conversation_list.workspace and days.conversation_id = conversation_list.conversation_id
    left join conversations
        on days.workspace = conversations.workspace and days.conversation_id = conversations.conversation_id
    left join conversation_checks
        on days.workspace = conversation_checks.workspace and days.conversation_id = conversation_checks.conversation_id
    left join mart
        on days.workspace = mart.workspace and days.conversation_id = mart.conversation_id
    left join deletions
        on days.workspace = deletions.workspace and days.conversation_id = deletions.conversation_id
    left join quarantine
        on days.workspace = quarantine.workspace and days.conversation_id = quarantine.conversation_id
),

unknown_by_day as (
    select
        workspace,
        start_date,
        count(*) as n_unknown_fields
    from unknown_fields
    group by all
),

last_run as (
    select
        workspace,
        max(ended_at) filter (where outcome = 'complete') as last_complete_run_at,
        max(last_full_listing_at) as last_full_listing_at
    from sync_runs
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
        coalesce(any_value(unknown_by_day.n_unknown_fields), 0) as n_unknown_fields,
        count(*) filter (
            where placed.is_listed and not (placed.is_flattened or placed.is_deleted or placed.is_quarantined)
        ) as n_missing,
        max(placed.last_seen_at) as last_listed_at,
        any_value(last_run.last_full_listing_at) as last_full_listing_at,
        any_value(last_run.last_complete_run_at) as last_complete_run_at
    from placed
    left join unknown_by_day
        on placed.workspace = unknown_by_day.workspace and placed.start_date = unknown_by_day.start_date
    left join last_run on placed.workspace = last_run.workspace
    group by all
)

select * from final
