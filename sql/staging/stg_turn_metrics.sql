/*
description = "Lake table turn_metrics, with readable column names: one row per timing of a transcript entry."
grain = ["conversation_id", "turn_index", "metric"]
inherits_columns_from = "lake.turn_metrics"
*/
with source as (
    select * from lake.turn_metrics
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        turn_index,
        metric,
        elapsed_secs,
        is_repeat,
        extra
    from source
)

select * from final
