/*
description = """An agent's days, weeks and versions add up to the same conversations, verdicts, waits and credits: no conversation falls \
between two spans, and none is in two."""
*/
with agent_daily as (
    select * from metrics.agent_daily
),

agent_scorecard as (
    select * from metrics.agent_scorecard
),

version_comparison as (
    select * from metrics.version_comparison
),

windows as (
    select
        'day' as span,
        workspace,
        agent_id,
        n_calls,
        n_open,
        n_success,
        n_failure,
        n_waits,
        cost_credits
    from agent_daily
    union all
    select
        'week' as span,
        workspace,
        agent_id,
        n_calls,
        n_open,
        n_success,
        n_failure,
        n_waits,
        cost_credits
    from agent_scorecard
    union all
    select
        'version' as span,
        workspace,
        agent_id,
        n_calls,
        n_open,
        n_success,
        n_failure,
        n_waits,
        cost_credits
    from version_comparison
),

sums as (
    select
        span,
        workspace,
        agent_id,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(n_open) as bigint) as n_open,
        cast(sum(n_success) as bigint) as n_success,
        cast(sum(n_failure) as bigint) as n_failure,
        cast(sum(n_waits) as bigint) as n_waits,
        cast(sum(cost_credits) as bigint) as cost_credits
    from windows
    group by all
),

final as (
    select
        workspace,
        agent_id,
        n_calls,
        n_open,
        n_success,
        n_failure,
        n_waits,
        cost_credits,
        min(span) as span
    from sums
    group by workspace, agent_id, n_calls, n_open, n_success, n_failure, n_waits, cost_credits
    having count(*) <> 3
)

select * from final
