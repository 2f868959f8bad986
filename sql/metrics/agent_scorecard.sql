/*
description = """An agent's week, and how it differs from the week before: one row per workspace, week and agent that \
conversations were started with. Weeks are those of ISO 8601, Monday to Sunday, UTC. The measures are those of \
metrics.agent_daily, computed from the conversations and entries of the week and never averaged from days. A change is \
this week's value less that of the week before, in the unit of the measure; null when the agent had no conversation that week \
or either value is null. A week that is not over yet is compared with a whole one: is_over says so; and the second \
week of a copy with what there is of the first."""
grain = ["workspace", "week_start_date", "agent_id"]
inherits_metrics_from = "intermediate.int_agent_measures"

[columns]
is_over = "Whether the workspace has a conversation on a later day than the week's Sunday."

[tests]
not_null = ["workspace", "week_start_date", "is_over", "n_calls", "n_open", "n_success", "n_failure", "n_unknown", "call_minutes", "n_waits"]
references = { agent_id = "marts.dim_agents.agent_id" }
*/
with measures as (
    select * from intermediate.int_agent_measures
),

conversations as (
    select * from marts.fct_conversations
),

weeks as (
    select * from measures
    where breakdown = 'week'
),

coverage as (
    select
        workspace,
        max(start_date) as newest_date
    from conversations
    group by all
),

final as (
    select
        weeks.workspace,
        weeks.week_start_date,
        weeks.agent_id,
        weeks.agent_name,
        coverage.newest_date >= weeks.week_start_date + interval 7 day as is_over,
        weeks.* exclude (
            workspace,
            breakdown,
            start_date,
            week_start_date,
            agent_id,
            agent_name,
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
        ),
        weeks.n_calls - before.n_calls as n_calls_change,
        weeks.n_open - before.n_open as n_open_change,
        weeks.reach_rate - before.reach_rate as reach_rate_change,
        weeks.call_minutes - before.call_minutes as call_minutes_change,
        weeks.success_rate - before.success_rate as success_rate_change,
        weeks.success_coverage - before.success_coverage as success_coverage_change,
        weeks.cost_credits - before.cost_credits as cost_credits_change,
        weeks.cost_usd - before.cost_usd as cost_usd_change,
        weeks.cost_usd_coverage - before.cost_usd_coverage as cost_usd_coverage_change,
        weeks.cost_usd_per_call - before.cost_usd_per_call as cost_usd_per_call_change,
        weeks.cost_usd_per_minute - before.cost_usd_per_minute as cost_usd_per_minute_change,
        weeks.cost_usd_per_success - before.cost_usd_per_success as cost_usd_per_success_change,
        weeks.cost_usd_per_resolution - before.cost_usd_per_resolution as cost_usd_per_resolution_change,
        weeks.llm_cost_usd - before.llm_cost_usd as llm_cost_usd_change,
        weeks.interruption_rate - before.interruption_rate as interruption_rate_change,
        weeks.talk_share - before.talk_share as talk_share_change,
        weeks.silence_share - before.silence_share as silence_share_change,
        weeks.transfer_rate - before.transfer_rate as transfer_rate_change,
        weeks.containment_rate - before.containment_rate as containment_rate_change,
        weeks.contained_no_callback_rate - before.contained_no_callback_rate as contained_no_callback_rate_change,
        weeks.resolved_containment_rate - before.resolved_containment_rate as resolved_containment_rate_change,
        weeks.fcr_rate - before.fcr_rate as fcr_rate_change,
        weeks.fcr_judged_rate - before.fcr_judged_rate as fcr_judged_rate_change,
        weeks.fcr_coverage - before.fcr_coverage as fcr_coverage_change,
        weeks.voicemail_rate - before.voicemail_rate as voicemail_rate_change,
        weeks.error_rate - before.error_rate as error_rate_change,
        weeks.abandonment_rate - before.abandonment_rate as abandonment_rate_change,
        weeks.queue_abandonment_rate - before.queue_abandonment_rate as queue_abandonment_rate_change,
        weeks.asa_secs - before.asa_secs as asa_secs_change,
        weeks.service_level_rate - before.service_level_rate as service_level_rate_change,
        weeks.aht_mean_secs - before.aht_mean_secs as aht_mean_secs_change,
        weeks.aht_p50_secs - before.aht_p50_secs as aht_p50_secs_change,
        weeks.aht_p90_secs - before.aht_p90_secs as aht_p90_secs_change,
        weeks.rating - before.rating as rating_change,
        weeks.csat_rate - before.csat_rate as csat_rate_change,
        weeks.wait_p50_secs - before.wait_p50_secs as wait_p50_secs_change,
        weeks.wait_p90_secs - before.wait_p90_secs as wait_p90_secs_change,
        weeks.wait_p95_secs - before.wait_p95_secs as wait_p95_secs_change,
        weeks.wait_p99_secs - before.wait_p99_secs as wait_p99_secs_change,
        weeks.wait_within_good_rate - before.wait_within_good_rate as wait_within_good_rate_change,
        weeks.wait_within_fair_rate - before.wait_within_fair_rate as wait_within_fair_rate_change,
        weeks.wait_within_poor_rate - before.wait_within_poor_rate as wait_within_poor_rate_change
    from weeks
    inner join coverage on weeks.workspace = coverage.workspace
    left join weeks as before
        on
            weeks.workspace = before.workspace
            and weeks.week_start_date = before.week_start_date + interval 7 day
            and weeks.agent_id is not distinct from before.agent_id
)

select * from final
