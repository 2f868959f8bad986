/*
description = "Lake table sync_runs, its columns named for people: one row per run of the sync."
grain = ["run_id"]

[columns]
run_id = "Id of the run."
started_at = "Start of the run."
ended_at = "End of the run."
since_at = "Start of the window that was listed; null for all of history."
until_at = "End of the window that was listed."
agent_id = "Agent that the run was limited to."
n_listed = "Conversations that the list showed."
n_new = "Fetched because never landed."
n_open = "Fetched because not done or failed when last read."
n_changed = "Fetched because the list row changed."
n_due = "Fetched because a re-read was due."
n_fetched = "Details read."
n_landed = "Documents with new content that were landed."
n_unchanged = "Details whose content was already landed."
n_gone = "Details that the API answered with 404."
n_flattened = "Conversations written to the lake."
n_quarantined = "Documents set aside."
n_requests = "HTTP requests, retries included."
n_retries = "HTTP requests that were repeated."
received_bytes = "Bytes of answers."
elapsed_secs = "Length of the run."
outcome = "complete, incomplete or failed."
error = "What stopped the run or left it incomplete; null when complete."
*/
with source as (
    select * from lake.sync_runs
),

final as (
    select
        run_id,
        started_at,
        ended_at,
        since_at,
        until_at,
        agent_id,
        n_listed,
        n_new,
        n_open,
        n_changed,
        n_due,
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
        outcome,
        error
    from source
)

select * from final
