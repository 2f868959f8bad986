/*
description = "Lake table triggered_guardrails, with readable column names: one row per guardrail that a transcript entry triggered."
grain = ["conversation_id", "turn_index", "guardrail_index"]
inherits_columns_from = "lake.triggered_guardrails"
*/
with source as (
    select * from lake.triggered_guardrails
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        turn_index,
        guardrail_index,
        guardrail_type,
        guardrail_name,
        execution_mode,
        guardrail_details_type as decided_by,
        guardrail_details_rationale as rationale,
        guardrail_details_score as score,
        guardrail_details_threshold as threshold,
        extra
    from source
)

select * from final
