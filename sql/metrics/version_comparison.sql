/*
description = """Versions of an agent side by side: one row per workspace, agent and version that answered, over all \
days. Conversations whose version is not told (older ones, and agents without versioning) are in a row without version_id. \
The measures are those of metrics.agent_daily, computed from the conversations and entries; waits of entries count for \
the version that the conversation was started with. success_rate_low and success_rate_high are Wilson's 95 % confidence \
interval. Versions that were live at different times met different callers: first_call_at and last_call_at say \
when."""
grain = ["workspace", "agent_id", "version_id"]
inherits_metrics_from = "intermediate.int_agent_measures"

[tests]
not_null = ["workspace", "first_call_at", "last_call_at", "n_calls", "n_open", "n_success", "n_failure", "n_unknown", "n_judged", "call_minutes", "n_waits"]
references = { agent_id = "marts.dim_agents.agent_id" }
*/
with measures as (
    select * from intermediate.int_agent_measures
),

final as (
    select
        * exclude (
            breakdown,
            start_date,
            week_start_date,
            channel,
            main_language,
            local_weekday,
            local_start_hour,
            batch_call_id
        )
    from measures
    where breakdown = 'version'
)

select * from final
