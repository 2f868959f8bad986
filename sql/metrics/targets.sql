/*
description = """Weeks against their targets: one row per workspace, week, agent and metric of metrics.agent_scorecard that \
seeds.targets has a target for. The target of the agent itself goes before that of all (*), and the latest that held when the week \
began before earlier ones."""
grain = ["workspace", "week_start_date", "agent_id", "metric"]

[columns]
workspace = "Workspace of the API that the conversations belong to."
week_start_date = "Monday of the week in which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
metric = "Column of metrics.agent_scorecard."
metric_name = "Its readable name."
is_over = "Whether the workspace has a conversation on a later day than the week's Sunday."
value = "The week's value, in the unit of the metric; null where the metric is null."
target = "The target, in the same unit."
difference = "value - target."
n_observations = "What the value is computed from: the denominator of a rate, the entries of a percentile, the conversations of a cost."
is_met = "Whether the value is at least the target, or at most where less is better; null without a value."

[tests]
not_null = ["workspace", "week_start_date", "metric", "metric_name", "is_over", "target", "n_observations"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.difference]
name = "Distance to the target"
unit = "unit of the metric"
numerator = "value - target"
null_when = "null where the metric is null"
direction = "neither"

[metrics.is_met]
name = "Target met"
unit = "yes or no"
numerator = "whether the value is at least the target, or at most where less is better (metrics.catalog)"
null_when = "null where the metric is null"
direction = "high"
*/
with weeks as (
    select * from metrics.agent_scorecard
),

targets as (
    select * from seeds.targets
),

metric_headers as (
    select * from seeds.metric_headers
),

agent_names as (
    select * from intermediate.int_agent_names
),

-- a value that only a rounding keeps from its target has reached it
candidates as (
    select
        weeks.workspace,
        weeks.week_start_date,
        weeks.agent_id,
        weeks.is_over,
        targets.metric,
        targets.target,
        row_number() over (
            partition by weeks.workspace, weeks.week_start_date, weeks.agent_id, targets.metric
            order by case when targets.agent_id = '*' then 1 else 0 end, targets.valid_from desc
        ) as choice,
        case targets.metric
            when 'reach_rate' then weeks.reach_rate
            when 'success_rate' then weeks.success_rate
            when 'success_coverage' then weeks.success_coverage
            when 'containment_rate' then weeks.containment_rate
            when 'contained_no_callback_rate' then weeks.contained_no_callback_rate
            when 'resolved_containment_rate' then weeks.resolved_containment_rate
            when 'fcr_rate' then weeks.fcr_rate
            when 'fcr_judged_rate' then weeks.fcr_judged_rate
            when 'transfer_rate' then weeks.transfer_rate
            when 'voicemail_rate' then weeks.voicemail_rate
            when 'error_rate' then weeks.error_rate
            when 'abandonment_rate' then weeks.abandonment_rate
            when 'queue_abandonment_rate' then weeks.queue_abandonment_rate
            when 'asa_secs' then weeks.asa_secs
            when 'service_level_rate' then weeks.service_level_rate
            when 'rating' then weeks.rating
            when 'csat_rate' then weeks.csat_rate
            when 'interruption_rate' then weeks.interruption_rate
            when 'wait_p50_secs' then weeks.wait_p50_secs
            when 'wait_p90_secs' then weeks.wait_p90_secs
            when 'wait_p95_secs' then weeks.wait_p95_secs
            when 'wait_p99_secs' then weeks.wait_p99_secs
            when 'wait_within_good_rate' then weeks.wait_within_good_rate
            when 'wait_within_fair_rate' then weeks.wait_within_fair_rate
            when 'wait_within_poor_rate' then weeks.wait_within_poor_rate
            when 'cost_usd' then weeks.cost_usd
            when 'cost_usd_per_call' then weeks.cost_usd_per_call
            when 'cost_usd_per_minute' then weeks.cost_usd_per_minute
            when 'cost_usd_per_success' then weeks.cost_usd_per_success
            when 'cost_usd_per_resolution' then weeks.cost_usd_per_resolution
            when 'llm_cost_usd' then weeks.llm_cost_usd
        end as value,
        case
            when
                targets.metric in (
                    'reach_rate', 'success_coverage', 'transfer_rate', 'voicemail_rate', 'error_rate',
                    'cost_usd', 'cost_usd_per_call', 'cost_usd_per_minute', 'llm_cost_usd'
                )
                then weeks.n_calls
            when targets.metric in ('containment_rate', 'abandonment_rate') then weeks.n_reached
            when targets.metric in ('queue_abandonment_rate', 'asa_secs', 'service_level_rate') then weeks.n_queued
            when targets.metric in ('rating', 'csat_rate') then weeks.n_ratings
            when targets.metric like 'wait_%' then weeks.n_waits
            when targets.metric = 'success_rate' then weeks.n_success + weeks.n_failure
            when targets.metric = 'contained_no_callback_rate' then weeks.n_followed
            when targets.metric = 'resolved_containment_rate' then weeks.n_reached_judged
            when targets.metric = 'fcr_rate' then weeks.n_traced
            when targets.metric = 'fcr_judged_rate' then weeks.n_traced_judged
            when targets.metric = 'interruption_rate' then weeks.n_agent_turns
            when targets.metric = 'cost_usd_per_success' then weeks.n_success
            when targets.metric = 'cost_usd_per_resolution' then weeks.n_resolved
        end as n_observations
    from weeks
    inner join targets
        on weeks.week_start_date >= targets.valid_from and (targets.agent_id = '*' or weeks.agent_id = targets.agent_id)
),

final as (
    select
        candidates.workspace,
        candidates.week_start_date,
        candidates.agent_id,
        agent_names.agent_name,
        candidates.metric,
        metric_headers.name as metric_name,
        candidates.is_over,
        candidates.value,
        candidates.target,
        candidates.value - candidates.target as difference,
        candidates.n_observations,
        case metric_headers.good
            when 'low' then round(candidates.value, 9) <= round(candidates.target, 9)
            else round(candidates.value, 9) >= round(candidates.target, 9)
        end as is_met
    from candidates
    inner join metric_headers
        on metric_headers.model = 'metrics.agent_scorecard' and candidates.metric = metric_headers.column_name
    left join agent_names on candidates.workspace = agent_names.workspace and candidates.agent_id = agent_names.agent_id
    where candidates.choice = 1
)

select * from final
