/*
description = "Lake table conversation_checks, with readable column names: one row per conversation in the lake, with what changes whenever it is fetched again."
grain = ["conversation_id"]
inherits_columns_from = "lake.conversation_checks"
*/
with source as (
    select * from lake.conversation_checks
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        checked_at,
        content_sha256,
        parser_version,
        settle_state
    from source
)

select * from final
