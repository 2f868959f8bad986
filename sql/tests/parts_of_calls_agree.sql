/*
description = """Every conversation that counts has one reason for its end in termination_reasons, every verdict on a criterion one \
place in evaluation_rates, every field asked for one in data_collection_fill, every timing one in latency_stages and every \
retrieval one in rag_effectiveness."""
*/
with conversations as (
    select * from marts.fct_conversations
),

evaluations as (
    select * from marts.fct_evaluations
),

collected as (
    select * from marts.fct_data_collection
),

latencies as (
    select * from marts.fct_turn_latency
),

retrievals as (
    select * from marts.fct_rag_retrievals
),

termination_reasons as (
    select * from metrics.termination_reasons
),

evaluation_rates as (
    select * from metrics.evaluation_rates
),

data_collection_fill as (
    select * from metrics.data_collection_fill
),

latency_stages as (
    select * from metrics.latency_stages
),

rag_effectiveness as (
    select * from metrics.rag_effectiveness
),

parts as (
    select
        'termination_reasons' as metric,
        workspace,
        1 as n_before,
        0 as n_after
    from conversations
    where is_counted
    union all
    select
        'termination_reasons' as metric,
        workspace,
        0 as n_before,
        n_calls as n_after
    from termination_reasons
    union all
    select
        'evaluation_rates' as metric,
        workspace,
        1 as n_before,
        0 as n_after
    from evaluations
    where is_counted and is_main
    union all
    select
        'evaluation_rates' as metric,
        workspace,
        0 as n_before,
        n_success + n_failure + n_unknown as n_after
    from evaluation_rates
    union all
    select
        'data_collection_fill' as metric,
        workspace,
        1 as n_before,
        0 as n_after
    from collected
    where is_counted and is_main
    union all
    select
        'data_collection_fill' as metric,
        workspace,
        0 as n_before,
        n_asked as n_after
    from data_collection_fill
    union all
    select
        'latency_stages' as metric,
        workspace,
        1 as n_before,
        0 as n_after
    from latencies
    where is_counted and is_measured
    union all
    select
        'latency_stages' as metric,
        workspace,
        0 as n_before,
        n_latencies as n_after
    from latency_stages
    union all
    select
        'rag_effectiveness' as metric,
        workspace,
        1 as n_before,
        0 as n_after
    from retrievals
    where is_counted
    union all
    select
        'rag_effectiveness' as metric,
        workspace,
        0 as n_before,
        n_retrievals as n_after
    from rag_effectiveness
),

totals as (
    select
        metric,
        workspace,
        cast(sum(n_before) as bigint) as n_before,
        cast(sum(n_after) as bigint) as n_after
    from parts
    group by all
),

final as (
    select * from totals
    where n_before <> n_after
)

select * from final
