/*
description = """An agent's day: one row per workspace, UTC day and agent that conversations were started with. Only finished conversations \
(done, failed) count in outcome, cost and wait; open ones are counted apart; deleted ones keep their numbers, until a redaction takes \
their caller: then they are neither followed nor traced; conversations that \
seeds.excluded_callers leaves out are in no number. Rates are sums \
over sums, and null where the denominator is 0."""
grain = ["workspace", "start_date", "agent_id"]
inherits_metrics_from = "intermediate.int_agent_measures"

[tests]
not_null = ["workspace", "start_date", "n_calls", "n_open", "n_success", "n_failure", "n_unknown", "call_minutes", "n_waits"]
references = { agent_id = "marts.dim_agents.agent_id" }
*/
with measures as (
    select * from intermediate.int_agent_measures
),

final as (
    select
        * exclude (
            breakdown,
            week_start_date,
            version_id,
            channel,
            main_language,
            local_weekday,
            local_start_hour,
            batch_call_id,
            first_call_at,
            last_call_at,
            success_rate_low,
            success_rate_high,
            n_judged
        )
    from measures
    where breakdown = 'day'
)

select * from final
