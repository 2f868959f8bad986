/*
description = """Conversations, successes and cost by channel, by language and by hour, and the conversations of feedback, are those of \
agent_daily, workspace by workspace: a breakdown drops nothing and counts nothing twice."""
*/
with agent_daily as (
    select * from metrics.agent_daily
),

channel_mix as (
    select * from metrics.channel_mix
),

language_mix as (
    select * from metrics.language_mix
),

hourly_load as (
    select * from metrics.hourly_load
),

feedback as (
    select * from metrics.feedback
),

breakdowns as (
    select
        'channel_mix' as breakdown,
        workspace,
        n_calls,
        n_success,
        cost_usd
    from channel_mix
    union all
    select
        'language_mix' as breakdown,
        workspace,
        n_calls,
        n_success,
        cost_usd
    from language_mix
    union all
    select
        'hourly_load' as breakdown,
        workspace,
        n_calls,
        n_success,
        cost_usd
    from hourly_load
),

totals as (
    select
        breakdown,
        workspace,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(n_success) as bigint) as n_success,
        sum(cost_usd) as cost_usd
    from breakdowns
    group by all
    union all
    select
        'feedback' as breakdown,
        workspace,
        cast(sum(n_calls) as bigint) as n_calls,
        null as n_success,
        null as cost_usd
    from feedback
    group by all
),

daily as (
    select
        workspace,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(n_success) as bigint) as n_success,
        sum(cost_usd) as cost_usd
    from agent_daily
    where n_calls > 0
    group by all
),

names as (
    select breakdown
    from (values ('channel_mix'), ('language_mix'), ('hourly_load'), ('feedback')) as all_names (breakdown)
),

expected as (
    select
        names.breakdown,
        daily.*
    from daily
    cross join names
),

final as (
    select
        coalesce(expected.breakdown, totals.breakdown) as breakdown,
        coalesce(expected.workspace, totals.workspace) as workspace,
        expected.n_calls,
        totals.n_calls as n_calls_of_breakdown,
        expected.n_success,
        totals.n_success as n_success_of_breakdown,
        expected.cost_usd,
        totals.cost_usd as cost_usd_of_breakdown
    from expected
    full outer join totals
        on expected.breakdown = totals.breakdown and expected.workspace = totals.workspace
    where
        expected.n_calls is distinct from totals.n_calls
        or (
            totals.breakdown <> 'feedback'
            and (
                expected.n_success <> totals.n_success
                or (expected.cost_usd is null) <> (totals.cost_usd is null)
                or abs(expected.cost_usd - totals.cost_usd) > 0.000001 * greatest(1, abs(expected.cost_usd) / 1000)
            )
        )
)

select * from final
