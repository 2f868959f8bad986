/*
description = """Days that are not like the agent's days before: one row per workspace, UTC day, agent and measure of \
metrics.agent_daily that the day has. Expected is the exponentially weighted mean of the measure over the agent's up \
to 28 days before that have it, with alpha 0.3: the day before weighs 0.3, each further one 0.7 of that, divided by the \
sum of the weights. Spread is their standard deviation with the same weights, and never less than chance alone gives: \
the square root of the expected for a count, that of a share among n (half an observation added), 5 % of the expected \
for an amount. A day more than three spreads away is flagged. With fewer than 7 days before, nothing is expected and \
nothing flagged, nor on a day that is not over (intermediate.int_whole_days). Days without finished conversations are not days."""
grain = ["workspace", "start_date", "agent_id", "measure"]

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
measure = "Column of metrics.agent_daily."
value = "The measure on the day, in its own unit."
n_observations = "What the day's measure was taken over: conversations, judged conversations, agent entries or waits."
n_days_before = "Days before that the expected is taken from, 28 at most."
expected = "Weighted mean of the days before; null with fewer than 7."
spread = "Weighted standard deviation of the days before, at least what chance gives; null with fewer than 7."
deviation = "Value − expected; null with fewer than 7 days before."
is_flagged = "Whether the day is over and the value is more than three spreads away from the expected."

[tests]
not_null = ["workspace", "start_date", "measure", "value", "n_observations", "n_days_before", "is_flagged"]
references = { agent_id = "marts.dim_agents.agent_id" }

[tests.accepted]
measure = [
  "n_calls",
  "success_rate",
  "containment_rate",
  "error_rate",
  "abandonment_rate",
  "transfer_rate",
  "interruption_rate",
  "cost_usd_per_call",
  "wait_p50_secs",
  "wait_p95_secs",
]

[metrics.expected]
name = "Expected of the day"
unit = "the measure's own"
numerator = "Σ 0.3 × 0.7^(k − 1) × value of the k-th day before, k from 1 to n_days_before"
denominator = "Σ 0.3 × 0.7^(k − 1), k from 1 to n_days_before"
null_when = "null with fewer than 7 days before"
direction = "neither"

[metrics.deviation]
name = "Deviation from the expected"
unit = "the measure's own"
numerator = "value − expected"
null_when = "null with fewer than 7 days before"
direction = "neither"

[metrics.is_flagged]
name = "Unusual day"
unit = "yes or no"
numerator = "whether the deviation is more than three spreads"
null_when = "never null; no with fewer than 7 days before, and on a day that is not over"
direction = "low"
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

agent_daily as (
    select * from metrics.agent_daily
),

whole_days as (
    select * from intermediate.int_whole_days
),

distances as (
    select
        days_before,
        0.3 * power(0.7, days_before - 1) as weight
    from (select unnest(generate_series(1, 28)) as days_before) as numbers
),

measures as (
    select
        measure,
        kind
    from (
        values
            ('n_calls', 'count'),
            ('success_rate', 'share'),
            ('containment_rate', 'share'),
            ('error_rate', 'share'),
            ('abandonment_rate', 'share'),
            ('transfer_rate', 'share'),
            ('interruption_rate', 'share'),
            ('cost_usd_per_call', 'amount'),
            ('wait_p50_secs', 'amount'),
            ('wait_p95_secs', 'amount')
    ) as kinds (measure, kind)
),

measured as (
    select
        agent_daily.workspace,
        agent_daily.start_date,
        agent_daily.agent_id,
        measures.measure,
        measures.kind,
        case measures.measure
            -- a day without a conversation is none to compare with
            when 'n_calls' then nullif(cast(agent_daily.n_calls as double), 0)
            when 'success_rate' then agent_daily.success_rate
            when 'containment_rate' then agent_daily.containment_rate
            when 'error_rate' then agent_daily.error_rate
            when 'abandonment_rate' then agent_daily.abandonment_rate
            when 'transfer_rate' then agent_daily.transfer_rate
            when 'interruption_rate' then agent_daily.interruption_rate
            when 'cost_usd_per_call' then agent_daily.cost_usd_per_call
            when 'wait_p50_secs' then agent_daily.wait_p50_secs
            when 'wait_p95_secs' then agent_daily.wait_p95_secs
        end as value,
        case
            when measures.measure = 'success_rate' then agent_daily.n_success + agent_daily.n_failure
            when measures.measure in ('containment_rate', 'abandonment_rate') then agent_daily.n_reached
            when measures.measure = 'interruption_rate' then agent_daily.n_agent_turns
            when measures.measure in ('wait_p50_secs', 'wait_p95_secs') then agent_daily.n_waits
            else agent_daily.n_calls
        end as n_observations
    from agent_daily
    cross join measures
),

numbered as (
    select
        *,
        row_number() over (partition by workspace, agent_id, measure order by start_date) as day_number
    from measured
    where value is not null
),

-- joined by the exact distance, so that each day meets 28 days at most; summed as decimals, so that no order matters
before as (
    select
        days.workspace,
        days.agent_id,
        days.measure,
        days.day_number + distances.days_before as day_number,
        cast(distances.weight as decimal(38, 12)) as weight,
        cast(distances.weight * days.value as decimal(38, 12)) as weighted,
        cast(distances.weight * days.value * days.value as decimal(38, 12)) as weighted_square
    from numbered as days
    cross join distances
),

moments as (
    select
        workspace,
        agent_id,
        measure,
        day_number,
        count(*) as n_days_before,
        cast(sum(weighted) as double) / cast(sum(weight) as double) as mean,
        cast(sum(weighted_square) as double) / cast(sum(weight) as double) as mean_square
    from before
    group by all
),

expectations as (
    select
        numbered.workspace,
        numbered.start_date,
        numbered.agent_id,
        numbered.measure,
        numbered.kind,
        numbered.value,
        numbered.n_observations,
        coalesce(moments.n_days_before, 0) as n_days_before,
        case when moments.n_days_before >= 7 then moments.mean end as expected,
        sqrt(greatest(moments.mean_square - moments.mean * moments.mean, 0)) as deviation_before,
        (moments.mean * numbered.n_observations + 0.5) / (numbered.n_observations + 1) as smoothed_share
    from numbered
    left join moments
        on
            numbered.workspace = moments.workspace
            and numbered.agent_id is not distinct from moments.agent_id
            and numbered.measure = moments.measure
            and numbered.day_number = moments.day_number
),

spreads as (
    select
        *,
        case
            when expected is null then null
            when kind = 'count' then greatest(deviation_before, sqrt(expected))
            when kind = 'share'
                then greatest(deviation_before, sqrt(smoothed_share * (1 - smoothed_share) / n_observations))
            else greatest(deviation_before, 0.05 * abs(expected))
        end as spread
    from expectations
),

final as (
    select
        workspace,
        start_date,
        agent_id,
        agent_name,
        measure,
        value,
        n_observations,
        n_days_before,
        expected,
        spread,
        value - expected as deviation,
        start_date <= last_whole_date and coalesce(abs(value - expected) > 3 * spread, false) as is_flagged
    from spreads
    inner join whole_days using (workspace)
    left join agent_names using (workspace, agent_id)
)

select * from final
