/*
description = """The difference of two variants (versions or branches) of an agent, its interval and its p: one row per pair and measure, \
from the sides in intermediate.int_experiment_arms. The interval of a difference of shares \
is Newcombe's (hybrid score), its p that of the pooled z test, both with the effective number of observations: n ÷ the design \
effect of the callers. Means are compared by Welch's t test over callers. Both are what scipy and statsmodels compute, within 1e-6 \
(tests/sql/test_experiments.py): the quantile of t is the series of Cornish and Fisher (Abramowitz and Stegun 26.7.5), its p \
Hill's transform to a normal deviate (Communications of the ACM 13, algorithm 395), the normal tail Hart's (1968)."""
grain = ["workspace", "agent_id", "variant_kind", "variant_a", "variant_b", "measure"]
inherits_columns_from = "intermediate.int_experiment_arms"

[columns]
n_calls_a = "Finished conversations of A in the common time."
n_calls_b = "Finished conversations of B in the common time."
n_observations_a = "Observations of A: conversations, or entries with a wait."
n_observations_b = "Observations of B."
n_callers_a = "Callers of A's observations."
n_callers_b = "Callers of B's observations."
value_a = "The measure of A, in its own unit: share of 1, US dollars or seconds."
value_b = "The measure of B."
difference = "value_b - value_a."
difference_low = "Lower end of the 95 % confidence interval of the difference; null without enough data."
difference_high = "Upper end of it."
p_value = "Probability of a difference this large or larger if A and B do not differ, two-sided; null without enough data."
n_callers_needed = "Callers that each side needs: experiment_min_callers of seeds.thresholds, never fewer than 10."
has_enough_data = "Whether each side has the callers that seeds.thresholds asks for (experiment_min_callers, never fewer than 10)."
planned_share_b = "Share of B among the conversations of both that was planned: in seeds.traffic_shares, else the branches' share of the traffic as the API lists it, if it never changed; null when not known of both."
actual_share_b = "Share of B among the conversations of both in the common time."
sample_ratio_p = "Probability of a split this far from the planned one or farther, by chance (chi-square, 1 degree of freedom); null without a plan. It counts conversations, whoever called, because the vendor routes by the conversation's id (elevenlabs.io/docs/eleven-agents/operate/versioning, traffic deployment). Below 0.001 the sides are not comparable."

[tests]
not_null = ["workspace", "agent_id", "variant_kind", "variant_a", "variant_b", "measure", "n_calls_a", "n_calls_b", "n_callers_a", "n_callers_b", "value_a", "value_b", "difference", "n_callers_needed", "has_enough_data", "actual_share_b"]
*/
with arms as (
    select * from intermediate.int_experiment_arms
),

thresholds as (
    select * from seeds.thresholds
),

traffic_shares as (
    select * from seeds.traffic_shares
),

branches as (
    select * from staging.stg_agent_branches
),

minimum as (
    select greatest(10, max(value)) as n_callers
    from thresholds
    where threshold = 'experiment_min_callers'
),

-- what a branch was to get: as its owner wrote down, else the share that the listings always showed
planned as (
    select
        branches.workspace,
        branches.agent_id,
        branches.branch_id as variant_id,
        max(branches.current_live_percentage) / 100 as share
    from branches
    group by all
    having count(distinct branches.current_live_percentage) = 1 and count(branches.current_live_percentage) = count(*)
),

measured as (
    select
        *,
        measure in ('success_rate', 'containment_rate') as is_share
    from arms
),

-- a share of 0 or 1 has no spread that would show how alike a caller's conversations are: then callers are counted
weighed as (
    select
        *,
        case
            when not is_share then null
            when mean * (1 - mean) > 0
                then n_observations / greatest(1, variance_of_mean * (n_observations - 1) / (mean * (1 - mean)))
            else n_callers
        end as weight
    from measured
),

-- Wilson's interval of a share, as in int_agent_measures: z is 1.96 and z² 3.84 at 95 %
wilson as (
    select
        *,
        (weight * mean + 3.841458820694124 / 2) / (weight + 3.841458820694124) as middle,
        1.959963984540054
        * sqrt(weight * mean * (1 - mean) + 3.841458820694124 / 4)
        / (weight + 3.841458820694124) as margin
    from weighed
),

matched as (
    select
        row_number() over (order by workspace, agent_id, variant_kind, variant_a, variant_b, measure) as pair_number,
        workspace,
        agent_id,
        variant_kind,
        variant_a,
        variant_b,
        measure,
        a.is_share,
        a.common_from_at,
        a.common_until_at,
        a.n_calls as n_calls_a,
        b.n_calls as n_calls_b,
        a.n_observations as n_observations_a,
        b.n_observations as n_observations_b,
        a.n_callers as n_callers_a,
        b.n_callers as n_callers_b,
        a.mean as value_a,
        b.mean as value_b,
        b.mean - a.mean as difference,
        a.variance_of_mean as variance_a,
        b.variance_of_mean as variance_b,
        a.weight as weight_a,
        b.weight as weight_b,
        a.middle - a.margin as low_a,
        b.middle - b.margin as low_b,
        a.middle + a.margin as high_a,
        b.middle + b.margin as high_b
    from wilson as a
    inner join wilson as b using (workspace, agent_id, variant_kind, variant_a, variant_b, measure)
    where a.side = 'a' and b.side = 'b'
),

paired as (
    select
        matched.*,
        minimum.n_callers as n_callers_needed,
        matched.n_callers_a >= minimum.n_callers and matched.n_callers_b >= minimum.n_callers as has_enough_data,
        coalesce(
            written_b.share / nullif(written_a.share + written_b.share, 0),
            planned_b.share / nullif(planned_a.share + planned_b.share, 0)
        ) as planned_share_b
    from matched
    cross join minimum
    left join traffic_shares as written_a
        on matched.agent_id = written_a.agent_id and matched.variant_a = written_a.variant_id
    left join traffic_shares as written_b
        on matched.agent_id = written_b.agent_id and matched.variant_b = written_b.variant_id
    left join planned as planned_a
        on
            matched.workspace = planned_a.workspace
            and matched.agent_id = planned_a.agent_id
            and matched.variant_a = planned_a.variant_id
    left join planned as planned_b
        on
            matched.workspace = planned_b.workspace
            and matched.agent_id = planned_b.agent_id
            and matched.variant_b = planned_b.variant_id
),

pooled as (
    select
        *,
        (value_a * weight_a + value_b * weight_b) / (weight_a + weight_b) as share
    from paired
    where is_share and has_enough_data
),

shares as (
    select
        pair_number,
        difference - sqrt(power(value_b - low_b, 2) + power(high_a - value_a, 2)) as difference_low,
        difference + sqrt(power(high_b - value_b, 2) + power(value_a - low_a, 2)) as difference_high,
        coalesce(
            abs(difference) / nullif(sqrt(share * (1 - share) * (1 / weight_a + 1 / weight_b)), 0),
            0
        ) as z
    from pooled
),

welch as (
    select
        *,
        variance_a + variance_b as variance,
        power(variance_a + variance_b, 2)
        / nullif(
            power(variance_a, 2) / (n_callers_a - 1) + power(variance_b, 2) / (n_callers_b - 1),
            0
        ) as freedom
    from paired
    where not is_share and has_enough_data
),

-- the quantile of t, by its series in 1 / freedom at 1.96, and what the transform of t needs
student as (
    select
        *,
        sqrt(variance)
        * (
            1.959963984540054
            + 2.372271230298562 / freedom
            + 2.8224986157396112 / power(freedom, 2)
            + 2.555849679507722 / power(freedom, 3)
            + 1.5895340533938225 / power(freedom, 4)
        ) as margin,
        48 * power(freedom - 0.5, 2) as hill,
        (freedom - 0.5) * ln(1 + power(difference, 2) / nullif(variance, 0) / freedom) as square
    from welch
),

-- t as a normal deviate
means as (
    select
        pair_number,
        difference - coalesce(margin, 0) as difference_low,
        difference + coalesce(margin, 0) as difference_high,
        case
            when variance > 0
                then
                    sqrt(square)
                    * (
                        1
                        + (
                            square
                            + 3
                            + (((-0.4 * square - 3.3) * square - 24) * square - 85.5)
                            / (0.8 * square * square + 100 + hill)
                        )
                        / hill
                    )
            when difference = 0 then 0
            else 40
        end as z
    from student
),

tests as (
    select
        pair_number,
        'difference' as test,
        difference_low,
        difference_high,
        z
    from shares
    union all
    select
        pair_number,
        'difference' as test,
        difference_low,
        difference_high,
        z
    from means
    union all
    select
        pair_number,
        'sample ratio' as test,
        null as difference_low,
        null as difference_high,
        abs(n_calls_b - (n_calls_a + n_calls_b) * planned_share_b)
        / sqrt((n_calls_a + n_calls_b) * planned_share_b * (1 - planned_share_b)) as z
    from paired
    where planned_share_b > 0 and planned_share_b < 1
),

-- both tails of the normal distribution: within 1e-15 up to 7, then a continued fraction
tails as (
    select
        *,
        case
            when z > 37 then 0
            when z < 7.07106781186547
                then
                    2
                    * exp(-z * z / 2)
                    * (
                        (((((0.0352624965998911 * z + 0.700383064443688) * z + 6.37396220353165) * z
                        + 33.912866078383) * z + 112.079291497871) * z + 221.213596169931) * z + 220.206867912376
                    )
                    / (
                        ((((((0.0883883476483184 * z + 1.75566716318264) * z + 16.064177579207) * z
                        + 86.7807322029461) * z + 296.564248779674) * z + 637.333633378831) * z
                        + 793.826512519948) * z + 440.413735824752
                    )
            else 2 * exp(-z * z / 2) / 2.506628274631 / (z + 1 / (z + 2 / (z + 3 / (z + 4 / (z + 0.65)))))
        end as p_value
    from tests
),

final as (
    select
        paired.workspace,
        paired.agent_id,
        paired.variant_kind,
        paired.variant_a,
        paired.variant_b,
        paired.measure,
        paired.common_from_at,
        paired.common_until_at,
        paired.n_calls_a,
        paired.n_calls_b,
        paired.n_observations_a,
        paired.n_observations_b,
        paired.n_callers_a,
        paired.n_callers_b,
        paired.value_a,
        paired.value_b,
        paired.difference,
        tests.difference_low,
        tests.difference_high,
        tests.p_value,
        paired.n_callers_needed,
        paired.has_enough_data,
        paired.planned_share_b,
        paired.n_calls_b / (paired.n_calls_a + paired.n_calls_b) as actual_share_b,
        ratios.p_value as sample_ratio_p
    from paired
    left join tails as tests
        on paired.pair_number = tests.pair_number and tests.test = 'difference'
    left join tails as ratios
        on paired.pair_number = ratios.pair_number and ratios.test = 'sample ratio'
)

select * from final
