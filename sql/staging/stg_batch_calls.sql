/*
description = "Lake table batch_calls, with readable column names: one row per batch of outbound calls that was ever listed, as it was listed last."
grain = ["workspace", "batch_call_id"]
inherits_columns_from = "lake.batch_calls"
*/
with source as (
    select * from lake.batch_calls
),

final as (
    select
        workspace,
        batch_call_id,
        name as batch_name,
        agent_id,
        branch_id,
        status,
        created_at,
        scheduled_at,
        last_updated_at,
        timezone,
        n_calls_scheduled,
        n_calls_dispatched,
        n_calls_finished,
        n_retries,
        n_recipients,
        n_never_called,
        recipients_by_status,
        changed_at,
        last_seen_at,
        is_gone,
        content_sha256,
        extra
    from source
)

select * from final
