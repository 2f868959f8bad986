"""Speed: how long callers wait, which stage takes the time, at which hours, and where they leave."""

from __future__ import annotations

from warehouse.serve.pages.selection import Reader, Row

STAGES = """
with means as materialized (
    select
        conversations.agent_id,
        avg(turns.rag_latency_secs) as retrieval_secs,
        count(turns.rag_latency_secs) as n_retrieval,
        avg(turns.llm_first_sentence_secs) as model_secs,
        count(turns.llm_first_sentence_secs) as n_model,
        avg(turns.tts_ttfb_secs) as voice_secs,
        count(turns.tts_ttfb_secs) as n_voice
    from conversations
    join marts.fct_turns as turns using (workspace, conversation_id, start_date)
    where turns.wait_secs is not null
    group by all
),

recognition as (
    select
        conversations.agent_id,
        avg(latencies.elapsed_secs) as mean_secs,
        count(*) as n
    from conversations
    join marts.fct_turn_latency as latencies using (workspace, conversation_id, start_date)
    where latencies.metric = 'convai_asr_trailing_service_latency' and not latencies.is_repeat
    group by all
)

select agent_id, 'recognition' as stage, mean_secs, n from recognition
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
    count(turns.wait_secs) as n_measured,
    count(*) filter (turns.wait_secs <= thresholds.value) as n_within,
    n_within / nullif(n_measured, 0) as within_rate
from conversations
join marts.fct_turns as turns using (workspace, conversation_id, start_date)
cross join seeds.thresholds as thresholds
where turns.wait_secs is not null and thresholds.threshold in ('wait_good_secs', 'wait_fair_secs', 'wait_poor_secs')
group by all
order by thresholds.value
"""

HOURS = """
select
    conversations.local_weekday as weekday,
    conversations.local_start_hour as hour,
    count(*) as n_waits,
    quantile_cont(turns.wait_secs, 0.95) as wait_p95_secs
from conversations
join marts.fct_turns as turns using (workspace, conversation_id, start_date)
where turns.wait_secs is not null
group by all
order by all
"""

DROP_OFF = """
with lengths as (
    select
        conversations.agent_id,
        turns.conversation_id,
        count(*) as n_turns
    from conversations
    join marts.fct_turns as turns using (workspace, conversation_id, start_date)
    where turns.is_spoken
    group by turns.workspace, turns.conversation_id, conversations.agent_id
),

by_length as (
    select agent_id, n_turns, count(*) as n_conversations from lengths group by all
),

positions as (
    select unnest(generate_series(1, 30)) as position
)

select
    by_length.agent_id,
    positions.position,
    cast(coalesce(sum(n_conversations) filter (by_length.n_turns >= positions.position), 0) as bigint) as n_calls,
    cast(sum(n_conversations) as bigint) as n_started,
    n_calls / n_started as reach_rate
from by_length
cross join positions
group by all
having n_calls > 0
order by all
"""

SLOWEST = """
select
    conversations.conversation_id,
    conversations.started_at,
    conversations.agent_id,
    conversations.summary_title,
    max(turns.wait_secs) as longest_wait_secs,
    count(*) filter (turns.wait_secs > 3) as n_long_waits
from conversations
join marts.fct_turns as turns using (workspace, conversation_id, start_date)
where turns.wait_secs is not null
group by all
order by longest_wait_secs desc, conversation_id
limit 8
"""


def stages(reader: Reader) -> list[Row]:
    """Mean seconds of each stage by agent, over the entries that have it: means, as these add up."""
    return reader.rows(STAGES)


def within(reader: Reader) -> list[Row]:
    """Share of waits within each limit of ``seeds.thresholds``."""
    return reader.rows(WITHIN)


def by_hour(reader: Reader) -> list[Row]:
    """The 95th percentile of waits by local weekday and hour."""
    return reader.rows(HOURS)


def drop_off(reader: Reader) -> list[Row]:
    """Share of conversations that reach a spoken turn, of those in which somebody spoke, by agent."""
    return reader.rows(DROP_OFF)


def slowest(reader: Reader) -> list[Row]:
    """The conversations with the longest wait."""
    return reader.rows(SLOWEST)
