/*
description = """Two variants (versions or branches) of an agent in the time in which both answered: one row per pair, side and measure. The \
common time is from the later of the two first conversations to the earlier of the two last ones; only conversations that started in it \
count, and a pair of which one side has none is left out. Observations are grouped by caller, because conversations of one caller are \
alike: a conversation without a caller is a caller of its own, and one who met both sides counts on each. With n observations of G callers, of mean m, the variance of the mean \
is G / (G - 1) × Σ (total of the caller - m × observations of the caller)² / n²; with one observation a caller that is the usual s² / n."""
grain = ["workspace", "agent_id", "variant_kind", "variant_a", "variant_b", "measure", "side"]

[columns]
workspace = "Workspace of the API that the conversations belong to."
agent_id = "Agent that the conversations were started with."
variant_kind = "What is compared: version or branch."
variant_a = "The variant that answered first."
variant_b = "The variant that is compared with it."
measure = "success_rate (over judged conversations), containment_rate (over reached ones), cost_usd_per_call (over those whose cost is known) or wait_mean_secs (over entries with a wait)."
side = "a or b."
common_from_at = "Start of the common time."
common_until_at = "Last start of a conversation in the common time."
n_calls = "Finished conversations of the side in the common time."
n_observations = "Observations of the side: conversations, or entries with a wait."
n_callers = "Callers of these observations."
mean = "Mean of the observations, in the unit of the measure."
variance_of_mean = "Variance of that mean, clustered by caller; null with fewer than two callers."

[tests]
not_null = ["workspace", "agent_id", "variant_kind", "variant_a", "variant_b", "measure", "side", "common_from_at", "common_until_at", "n_calls", "n_observations", "n_callers", "mean"]
accepted = { variant_kind = ["version", "branch"], side = ["a", "b"], measure = ["success_rate", "containment_rate", "cost_usd_per_call", "wait_mean_secs"] }
*/
with conversations as (
    select * from marts.fct_conversations
),

turns as (
    select * from marts.fct_turns
),

answered as (
    select
        workspace,
        conversation_id,
        agent_id,
        'version' as variant_kind,
        version_id as variant_id,
        started_at
    from conversations
    where is_counted and agent_id is not null and version_id is not null
    union all
    select
        workspace,
        conversation_id,
        agent_id,
        'branch' as variant_kind,
        branch_id as variant_id,
        started_at
    from conversations
    where is_counted and agent_id is not null and branch_id is not null
),

variants as (
    select
        workspace,
        agent_id,
        variant_kind,
        variant_id,
        min(started_at) as first_call_at,
        max(started_at) as last_call_at
    from answered
    group by all
),

pairs as (
    select
        row_number() over (
            order by a.workspace, a.agent_id, a.variant_kind, a.variant_id, b.variant_id
        ) as pair_number,
        a.workspace,
        a.agent_id,
        a.variant_kind,
        a.variant_id as variant_a,
        b.variant_id as variant_b,
        greatest(a.first_call_at, b.first_call_at) as common_from_at,
        least(a.last_call_at, b.last_call_at) as common_until_at
    from variants as a
    inner join variants as b
        on
            a.workspace = b.workspace
            and a.agent_id = b.agent_id
            and a.variant_kind = b.variant_kind
            and (
                a.first_call_at < b.first_call_at
                or (a.first_call_at = b.first_call_at and a.variant_id < b.variant_id)
            )
            and b.first_call_at <= a.last_call_at
),

sides as (
    select
        *,
        'a' as side,
        variant_a as variant_id
    from pairs
    union all
    select
        *,
        'b' as side,
        variant_b as variant_id
    from pairs
),

members as (
    select
        sides.pair_number,
        sides.side,
        answered.workspace,
        answered.conversation_id
    from sides
    inner join answered
        on
            sides.workspace = answered.workspace
            and sides.agent_id = answered.agent_id
            and sides.variant_kind = answered.variant_kind
            and sides.variant_id = answered.variant_id
            and answered.started_at between sides.common_from_at and sides.common_until_at
),

side_sizes as (
    select
        pair_number,
        side,
        count(*) as n_calls
    from members
    group by all
),

paired_sides as (
    select
        *,
        count(*) over (partition by pair_number) as n_sides
    from side_sizes
),

waits as (
    select
        workspace,
        conversation_id,
        count(wait_secs) as n_observations,
        cast(sum(cast(wait_secs as decimal(38, 12))) as double) as total
    from turns
    where is_counted and wait_secs is not null
    group by all
),

observations as (
    select
        workspace,
        conversation_id,
        'success_rate' as measure,
        1 as n_observations,
        case when call_successful = 'success' then 1.0 else 0.0 end as total
    from conversations
    where is_counted and call_successful in ('success', 'failure')
    union all
    select
        workspace,
        conversation_id,
        'containment_rate' as measure,
        1 as n_observations,
        case when is_contained then 1.0 else 0.0 end as total
    from conversations
    where is_counted and is_reached
    union all
    select
        workspace,
        conversation_id,
        'cost_usd_per_call' as measure,
        1 as n_observations,
        cost_usd as total
    from conversations
    where is_counted and cost_usd is not null
    union all
    select
        workspace,
        conversation_id,
        'wait_mean_secs' as measure,
        n_observations,
        total
    from waits
),

clusters as (
    select
        members.pair_number,
        members.side,
        observations.measure,
        coalesce(conversations.caller_id, conversations.conversation_id) as caller,
        cast(sum(observations.n_observations) as bigint) as n_observations,
        cast(sum(cast(observations.total as decimal(38, 12))) as double) as total
    from members
    inner join conversations
        on members.workspace = conversations.workspace and members.conversation_id = conversations.conversation_id
    inner join observations
        on members.workspace = observations.workspace and members.conversation_id = observations.conversation_id
    group by all
),

centred as (
    select
        *,
        cast(sum(cast(total as decimal(38, 12))) over (partition by pair_number, side, measure) as double)
        / cast(sum(n_observations) over (partition by pair_number, side, measure) as double) as mean
    from clusters
),

-- squares in the unit of the largest one, so that no absurd number is too large for the decimals
scaled as (
    select
        *,
        max(abs(total - mean * n_observations)) over (partition by pair_number, side, measure) as largest
    from centred
),

arms as (
    select
        pair_number,
        side,
        measure,
        cast(sum(n_observations) as bigint) as n_observations,
        count(*) as n_callers,
        mean,
        largest,
        cast(
            sum(coalesce(cast(power((total - mean * n_observations) / nullif(largest, 0), 2) as decimal(38, 15)), 0))
            as double
        ) as squares
    from scaled
    group by all
),

final as (
    select
        pairs.workspace,
        pairs.agent_id,
        pairs.variant_kind,
        pairs.variant_a,
        pairs.variant_b,
        arms.measure,
        arms.side,
        pairs.common_from_at,
        pairs.common_until_at,
        paired_sides.n_calls,
        arms.n_observations,
        arms.n_callers,
        arms.mean,
        arms.largest
        * arms.largest
        * arms.squares
        * arms.n_callers
        / nullif(arms.n_callers - 1, 0)
        / arms.n_observations
        / arms.n_observations as variance_of_mean
    from arms
    inner join pairs on arms.pair_number = pairs.pair_number
    inner join paired_sides on arms.pair_number = paired_sides.pair_number and arms.side = paired_sides.side
    -- a version that was put back has a first and a last conversation around those of the one that it replaced
    where paired_sides.n_sides = 2
)

select * from final
