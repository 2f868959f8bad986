/*
description = "Lake table sync_runs, with readable column names: one row per run of the sync."
grain = ["workspace", "run_id"]
inherits_columns_from = "lake.sync_runs"
*/
with source as (
    select * from lake.sync_runs
),

final as (
    select
        workspace,
        run_id,
        started_at,
        ended_at,
        since_at,
        until_at,
        agent_id,
        n_listed,
        n_skipped,
        n_new,
        n_open,
        n_changed,
        n_missing,
        n_due,
        n_asked,
        n_fetched,
        n_landed,
        n_unchanged,
        n_gone,
        n_flattened,
        n_quarantined,
        n_requests,
        n_retries,
        received_bytes,
        elapsed_secs,
        last_full_listing_at,
        outcome,
        error
    from source
)

select * from final
