/*
description = """What two versions or branches of an agent did in the time in which both answered: one row per pair and measure. \
Variants that followed each other met other callers and are in metrics.version_comparison. The intervals and p are those of intermediate.int_experiment_tests. Whether intervals of the two sides \
overlap says nothing, and is not used. Every row is a test of its own: of twenty pairs that do not differ, about one shows a difference."""
grain = ["workspace", "agent_id", "variant_kind", "variant_a", "variant_b", "measure"]
inherits_columns_from = "intermediate.int_experiment_tests"

[columns]
agent_name = "Latest name of the agent; null when the API never reported one."
finding = "The row as a sentence."

[tests]
not_null = ["workspace", "agent_id", "variant_kind", "variant_a", "variant_b", "measure", "n_calls_a", "n_calls_b", "n_callers_a", "n_callers_b", "value_a", "value_b", "difference", "has_enough_data", "actual_share_b", "finding"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.difference]
name = "Difference of two variants"
unit = "unit of the measure"
numerator = "value_b - value_a, over the conversations of the common time"
null_when = "never null; a measure that a side does not have has no row"
direction = "neither"
source = "intervals: Newcombe (1998), method 10, and Welch (1947)"

[metrics.p_value]
name = "p of the difference"
unit = "share of 1"
numerator = "two-sided p of the pooled z test (shares) or of Welch's t test (means), clustered by caller"
null_when = "null when a side has fewer callers than seeds.thresholds asks for"
direction = "neither"
source = "pooled z test of two shares; Welch (1947)"
*/
with experiment_tests as (
    select * from intermediate.int_experiment_tests
),

agent_names as (
    select * from intermediate.int_agent_names
),

compared as (
    select
        *,
        difference_low > 0 or difference_high < 0 as is_different,
        difference > 0 as is_more
    from experiment_tests
),

rounded as (
    select
        *,
        case measure
            when 'cost_usd_per_call' then cast(cast(abs(difference_low) as decimal(18, 4)) as varchar)
            when 'wait_mean_secs' then cast(cast(abs(difference_low) as decimal(18, 2)) as varchar)
            else cast(cast(abs(difference_low) * 100 as decimal(18, 1)) as varchar)
        end as low_end,
        case measure
            when 'cost_usd_per_call' then cast(cast(abs(difference_high) as decimal(18, 4)) as varchar)
            when 'wait_mean_secs' then cast(cast(abs(difference_high) as decimal(18, 2)) as varchar)
            else cast(cast(abs(difference_high) * 100 as decimal(18, 1)) as varchar)
        end as high_end,
        case measure
            when 'cost_usd_per_call' then ' US dollars'
            when 'wait_mean_secs' then ' s'
            else ' points'
        end as unit,
        case measure
            when 'success_rate' then 'B succeeds '
            when 'containment_rate' then 'B contains '
            when 'cost_usd_per_call' then 'B costs '
            else 'B lets callers wait '
        end as subject,
        case measure
            when 'success_rate' then ' often than A'
            when 'containment_rate' then ' often than A'
            when 'cost_usd_per_call' then ' per conversation than A'
            else ' than A'
        end as comparison
    from compared
),

worded as (
    select
        *,
        case
            when not has_enough_data
                then
                    'Not enough data: '
                    || cast(n_callers_a as varchar)
                    || ' callers of A, '
                    || cast(n_callers_b as varchar)
                    || ' of B; each needs '
                    || cast(cast(ceil(n_callers_needed) as bigint) as varchar)
            when is_different and is_more
                then subject || low_end || ' to ' || high_end || unit || ' more' || comparison || '; enough data'
            when is_different
                then subject || high_end || ' to ' || low_end || unit || ' less' || comparison || '; enough data'
            else
                'No difference is shown: B is between '
                || low_end
                || unit
                || ' below and '
                || high_end
                || unit
                || ' above A'
        end as result
    from rounded
),

final as (
    select
        worded.workspace,
        worded.agent_id,
        agent_names.agent_name,
        worded.variant_kind,
        worded.variant_a,
        worded.variant_b,
        worded.measure,
        worded.common_from_at,
        worded.common_until_at,
        worded.n_calls_a,
        worded.n_calls_b,
        worded.n_observations_a,
        worded.n_observations_b,
        worded.n_callers_a,
        worded.n_callers_b,
        worded.value_a,
        worded.value_b,
        worded.difference,
        worded.difference_low,
        worded.difference_high,
        worded.p_value,
        worded.has_enough_data,
        worded.planned_share_b,
        worded.actual_share_b,
        worded.sample_ratio_p,
        worded.result
        || case
            when worded.sample_ratio_p < 0.001 then '. The split is not the planned one: find out why first.'
            else '.'
        end as finding
    from worded
    left join agent_names on worded.workspace = agent_names.workspace and worded.agent_id = agent_names.agent_id
)

select * from final
