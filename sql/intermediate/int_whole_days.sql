/*
description = """Up to which day the numbers of a workspace are those of whole days: one row per workspace with conversations. A day that is \
not over looks as if its numbers had fallen, so what compares days or adds them up to a rate goes no further than last_whole_date."""
grain = ["workspace"]

[columns]
workspace = "Workspace of the API that the conversations belong to."
newest_date = "Newest UTC day with conversations."
last_whole_date = "Newest UTC day with conversations before the day until which the workspace was listed; newest_date when it was never listed in full, and the first day when there is no earlier one."
last_over_date = "Newest UTC day before the day until which the workspace was listed, with conversations or without: those after last_whole_date have had none. last_whole_date when the workspace was never listed in full."

[tests]
not_null = ["workspace", "newest_date", "last_whole_date", "last_over_date"]
*/
with conversations as (
    select * from marts.fct_conversations
),

sync_runs as (
    select * from staging.stg_sync_runs
),

listings as (
    select
        workspace,
        cast(max(last_full_listing_at) as date) as listed_date
    from sync_runs
    group by all
),

days as (
    select
        conversations.workspace,
        max(listings.listed_date) as listed_date,
        max(conversations.start_date) as newest_date,
        coalesce(
            max(conversations.start_date) filter (
                where listings.listed_date is null or conversations.start_date < listings.listed_date
            ),
            min(conversations.start_date)
        ) as last_whole_date
    from conversations
    left join listings on conversations.workspace = listings.workspace
    group by all
),

final as (
    select
        workspace,
        newest_date,
        last_whole_date,
        greatest(last_whole_date, cast(listed_date - interval 1 day as date)) as last_over_date
    from days
)

select * from final
