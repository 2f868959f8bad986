/*
description = "When conversations started, by the clock of the workspace's time zone: one row per conversation."
grain = ["conversation_id"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
started_at = "Start of the conversation."
local_start_at = "Start of the conversation by the clock of the workspace's time zone; the hour that the clock shows twice in autumn is ambiguous."
local_start_date = "Day on which the conversation started in the workspace's time zone."
local_start_hour = "Hour of the day at which it started there, 0 to 23."
local_weekday = "Day of the week on which it started there, 1 Monday to 7 Sunday."
local_weekday_name = "That day's name, Monday to Sunday."

[tests]
not_null = ["workspace", "conversation_id", "local_start_at", "local_start_date", "local_start_hour", "local_weekday", "local_weekday_name"]
same_count_as = "staging.stg_conversations"
*/
with conversations as (
    select * from staging.stg_conversations
),

workspaces as (
    select * from seeds.workspaces
),

local as (
    select
        conversations.workspace,
        conversations.conversation_id,
        conversations.start_date,
        conversations.started_at,
        conversations.started_at at time zone coalesce(workspaces.time_zone, 'UTC') as local_start_at
    from conversations
    left join workspaces on conversations.workspace = workspaces.workspace
),

weekdays as (
    select
        *,
        date_diff('day', date_trunc('week', local_start_at), local_start_at) + 1 as local_weekday
    from local
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        started_at,
        local_start_at,
        cast(local_start_at as date) as local_start_date,
        hour(local_start_at) as local_start_hour,
        local_weekday,
        case local_weekday
            when 1 then 'Monday'
            when 2 then 'Tuesday'
            when 3 then 'Wednesday'
            when 4 then 'Thursday'
            when 5 then 'Friday'
            when 6 then 'Saturday'
            when 7 then 'Sunday'
        end as local_weekday_name
    from weekdays
)

select * from final
