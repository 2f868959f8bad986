/*
description = """Versions of an agent side by side: one row per workspace, agent and version that answered, over all \
days. Conversations whose version is not reported (older ones, and agents without versioning) are in a row without version_id. \
The measures are those of metrics.agent_daily, computed from the conversations and entries; waits of entries count for \
the version that the conversation was started with. success_rate_low and success_rate_high are Wilson's 95 % confidence \
interval. Versions that were live at different times met different callers: first_call_at and last_call_at say \
when; version_description and changes name what was changed."""
grain = ["workspace", "agent_id", "version_id"]
inherits_metrics_from = "intermediate.int_agent_measures"

[columns]
version_description = "What the author of the version says about it; null where the API does not keep the version."
version_committed_at = "When the version was published; null where the API does not keep it."
changes = "JSON paths at which its configuration differs from that of its parent; null if one of both is not known."

[tests]
not_null = ["workspace", "first_call_at", "last_call_at", "n_calls", "n_open", "n_success", "n_failure", "n_unknown", "n_judged", "call_minutes", "n_waits"]
references = { agent_id = "marts.dim_agents.agent_id" }
*/
with measures as (
    select * from intermediate.int_agent_measures
),

versions as (
    select * from marts.dim_agent_versions
),

final as (
    select
        measures.* exclude (
            breakdown,
            start_date,
            week_start_date,
            channel,
            main_language,
            local_weekday,
            local_start_hour,
            batch_call_id
        ),
        versions.description as version_description,
        versions.committed_at as version_committed_at,
        versions.changes
    from measures
    left join versions
        on
            measures.workspace = versions.workspace
            and measures.agent_id = versions.agent_id
            and measures.version_id = versions.version_id
    where measures.breakdown = 'version'
)

select * from final
