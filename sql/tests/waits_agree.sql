/*
description = "The waits that agent_daily counts are the timings of fct_turn_latency, repeats and greetings dropped, workspace by workspace."
*/
with agent_daily as (
    select * from metrics.agent_daily
),

turn_latency as (
    select * from marts.fct_turn_latency
),

daily as (
    select
        workspace,
        cast(sum(n_waits) as bigint) as n_waits
    from agent_daily
    where n_waits > 0
    group by all
),

timed as (
    select
        workspace,
        count(*) as n_waits
    from turn_latency
    where is_counted and is_measured and metric = 'convai_ttf_audio_since_silence'
    group by all
),

final as (
    select
        daily.workspace,
        daily.n_waits,
        timed.workspace as workspace_timed,
        timed.n_waits as n_waits_timed
    from daily
    full outer join timed on daily.workspace = timed.workspace
    where daily.n_waits is distinct from timed.n_waits
)

select * from final
