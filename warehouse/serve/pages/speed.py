"""Speed: how long callers wait, which stage takes the time, at which hours, and where they leave."""

from __future__ import annotations

from warehouse.serve.pages.measures import SLOW_WAIT
from warehouse.serve.pages.selection import Reader, Row

STAGES = """
with means as (
    select
        agent_id,
        avg(asr_latency_secs) as recognition_secs,
        count(asr_latency_secs) as n_recognition,
        avg(rag_latency_secs) filter (wait_secs is not null) as retrieval_secs,
        count(rag_latency_secs) filter (wait_secs is not null) as n_retrieval,
        avg(llm_first_sentence_secs) filter (wait_secs is not null) as model_secs,
        count(llm_first_sentence_secs) filter (wait_secs is not null) as n_model,
        avg(tts_ttfb_secs) filter (wait_secs is not null) as voice_secs,
        count(tts_ttfb_secs) filter (wait_secs is not null) as n_voice
    from entries
    where not is_before
    group by all
)

select agent_id, 'recognition' as stage, recognition_secs as mean_secs, n_recognition as n from means
union all
select agent_id, 'retrieval', retrieval_secs, n_retrieval from means
union all
select agent_id, 'model', model_secs, n_model from means
union all
select agent_id, 'voice', voice_secs, n_voice from means
order by all
"""

WITHIN = """
select
    thresholds.threshold,
    thresholds.value,
    count(*) as n_measured,
    count(*) filter (entries.wait_secs <= thresholds.value) as n_within,
    n_within / n_measured as within_rate
from {waits} as entries
cross join seeds.thresholds as thresholds
where
    not entries.is_before
    and thresholds.threshold in ('wait_good_secs', 'wait_fair_secs', 'wait_poor_secs')
group by all
order by thresholds.value
"""

HOURS = """
select
    local_weekday as weekday,
    local_start_hour as hour,
    count(*) as n_waits,
    quantile_cont(wait_secs, 0.95) as wait_p95_secs
from {waits}
where not is_before
group by grouping sets ((local_weekday, local_start_hour), (local_start_hour))
order by weekday nulls first, hour
"""

DROP_OFF = """
with by_length as (
    select
        agent_id,
        n_user_turns + n_agent_turns as n_turns,
        count(*) as n_conversations
    from conversations
    where n_user_turns + n_agent_turns > 0
    group by all
),

positions as (
    select unnest(generate_series(1, 30)) as position
)

select
    by_length.agent_id,
    positions.position,
    cast(coalesce(sum(n_conversations) filter (by_length.n_turns >= positions.position), 0) as bigint) as n_calls,
    cast(sum(n_conversations) as bigint) as n_started,
    n_calls / n_started as survival_rate
from by_length
cross join positions
group by all
having n_calls > 0
order by all
"""
"""As ``metrics.conversation_flow``: entries in which the user or the agent said something."""

SLOWEST = f"""
with longest as (
    select
        workspace,
        conversation_id,
        start_date,
        max(wait_secs) as longest_wait_secs
    from marts.fct_turns
    where wait_secs is not null and start_date between $first and $last
    group by all
)

select
    conversations.conversation_id,
    conversations.started_at,
    conversations.agent_id,
    conversations.summary_title,
    longest.longest_wait_secs,
    conversations.n_slow_waits,
    {SLOW_WAIT} as slow_wait_secs
from longest
join conversations using (workspace, conversation_id, start_date)
order by longest.longest_wait_secs desc, conversations.conversation_id
limit 8
"""  # noqa: S608 -- our own SQL


def stages(reader: Reader) -> list[Row]:
    """Mean seconds of each stage by agent, over the entries that have it: means, as these add up."""
    return reader.rows(STAGES)


def within(reader: Reader) -> list[Row]:
    """Share of waits within each limit of ``seeds.thresholds``."""
    return reader.rows(WITHIN.format(waits=reader.waits()))


def by_hour(reader: Reader) -> list[Row]:
    """The 95th percentile of waits by local hour: of all days (weekday is null), then by weekday."""
    return reader.rows(HOURS.format(waits=reader.waits()))


def drop_off(reader: Reader) -> list[Row]:
    """Share of conversations that reach a spoken turn, of those in which somebody spoke, by agent."""
    return reader.rows(DROP_OFF)


def slowest(reader: Reader) -> list[Row]:
    """The conversations with the longest wait."""
    return reader.rows(SLOWEST, first=reader.chosen.period.first, last=reader.chosen.period.last)
