"""The list of conversations: those of a selection that more conditions hold for, sorted by what hurts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from warehouse.serve.pages.measures import RATIO_LIST, SLOW_WAIT, SUM_LIST
from warehouse.serve.pages.selection import Reader, Row, or_none
from warehouse.serve.search_terms import pattern, search_terms

PAGE_SIZE = 50
MAX_WORDS = 12
MAX_OFFSET = 10**12

OPEN = "open"
OUTCOME = f"coalesce(outcome, '{OPEN}')"
"""What became of a conversation (``intermediate.int_conversation_outcomes``)."""

OUTCOMES = (
    "contained",
    "transferred",
    "cut_off",
    "abandoned",
    "blocked",
    "error",
    "voicemail",
    "not_reached",
    "unknown",
)
VERDICTS = ("success", "failure", "unknown")

SORTS = {
    "hurt": "hurt desc, started_at desc",
    "newest": "started_at desc",
    "wait": "p95_wait_secs desc nulls last",
    "cost": "cost_usd desc nulls last",
    "length": "call_duration_secs desc nulls last",
    "tool_errors": "n_tool_errors desc, started_at desc",
    "queue": "queue_wait_secs desc nulls last, started_at desc",
    "interruptions": "n_interruptions desc nulls last, started_at desc",
    "rating": "rating nulls last, started_at desc",
}

TOOL = or_none("parts.tool_name")

ERROR_TYPE = "coalesce(nullif(parts.error_type, ''), 'not_given')"

RESOLVED_AT_ONCE = """
(
    select coalesce(call_successful = 'success', false) and not returns.is_back_7d
    from intermediate.int_returns as returns
    where
        returns.workspace = selected.workspace
        and returns.conversation_id = selected.conversation_id
        and returns.is_back_7d is not null
        and selected.is_reached
        and selected.start_date + interval 7 day < (
            select max(newest.start_date)
            from marts.fct_conversations as newest
            where newest.workspace = selected.workspace
        )
)
"""
"""Whether it is a first-contact resolution as in ``metrics.agent_daily.fcr_rate``; null where it is not counted."""

IS_SLOW = f"coalesce(p95_wait_secs, 0) > {SLOW_WAIT}"

HURT = f"""
(case when outcome in ('error', 'blocked') then 4 else 0 end)
+ (case when call_successful = 'failure' then 3 else 0 end)
+ (case when outcome in ('abandoned', 'cut_off') then 2 else 0 end)
+ (case when n_tool_errors > 0 then 1 else 0 end)
+ (case when {IS_SLOW} then 1 else 0 end)
+ (case when rating <= 2 or dislikes > 0 then 1 else 0 end)
"""
"""Points: error or guardrail 4, failed verdict 3, left or cut off 2; failed tool, long wait and bad rating 1 each."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """More conditions on a list; None means any."""

    outcome: str | None = None
    verdict: str | None = None
    is_contained: bool | None = None
    is_transferred: bool | None = None
    min_wait_secs: float | None = None
    criterion: str | None = None
    criterion_result: str = "failure"
    tool: str | None = None
    tool_error: str | None = None
    error_type: str | None = None
    termination: str | None = None
    model: str | None = None
    weekday: int | None = None
    hour: int | None = None
    is_repeat_caller: bool | None = None
    is_resolved_at_once: bool | None = None
    words: str | None = None
    sort: str = "hurt"
    page: int = 1


@dataclass(frozen=True, slots=True)
class ConversationList:
    """A page of the list, and how many there are on all pages, of these how many still open."""

    rows: list[Row]
    n: int
    n_open: int
    n_pages: int
    page: int


def read_conversations(reader: Reader, conditions: Conditions) -> ConversationList:
    """The conversations of the selection's period, open ones too, that all conditions hold for."""
    page = max(conditions.page, 1)
    rows = _page(reader, conditions, page)
    if not rows and page > 1:  # after the last: that one
        first = _page(reader, conditions, 1)
        page = -(-first[0]["n"] // PAGE_SIZE) if first else 1
        rows = _page(reader, conditions, page)
    n, n_open = (rows[0]["n"], rows[0]["n_open"]) if rows else (0, 0)
    return ConversationList(rows, n, n_open, max(1, -(-n // PAGE_SIZE)), page)


DIALOGUE_TURNS = 2
"""Turns of the user from which there is something to listen to."""

WORST_SPOKEN = f"""
select
    conversation_id, started_at, local_start_at, agent_id, summary_title, call_duration_secs, outcome, call_successful,
    n_tool_errors, p95_wait_secs, {IS_SLOW} as is_slow, rating, dislikes
from conversations
where n_user_turns >= {DIALOGUE_TURNS} and {HURT} > 0
order by {HURT} desc, n_tool_errors desc, p95_wait_secs desc nulls last, started_at desc, conversation_id
limit 5
"""  # noqa: S608 -- our own SQL
"""As the list that is sorted by what hurts, but of conversations in which there is something to hear."""


def worst_spoken(reader: Reader) -> list[Row]:
    """The finished conversations of the period that hurt most, of those in which the user spoke more than once."""
    return reader.rows(WORST_SPOKEN)


def read_measures(reader: Reader, conditions: Conditions) -> Row:
    """Measures of all pages of a list, over its finished conversations."""
    where, parameters = _where(conditions)
    return reader.row(
        f"""
        with matched as materialized (
            select * from selected where is_counted and {where}
        ),
        waits as (
            select count(turns.wait_secs) as n_waits, quantile_cont(turns.wait_secs, 0.95) as wait_p95_secs
            from matched
            join marts.fct_turns as turns using (workspace, conversation_id, start_date)
        )
        select *, {RATIO_LIST}
        from (select {SUM_LIST} from matched)
        cross join waits
        """,  # noqa: S608 -- every name is ours; values are parameters
        **parameters,
    )


def _page(reader: Reader, conditions: Conditions, page: int) -> list[Row]:
    """Rows of a page, each with ``n`` and ``n_open`` of all pages.

    Conversations are looked for once, as words take most of the time, and counted by their keys alone: a count over all
    rows of the list would hold all of them in memory, which took sixty times as long for 100,000.
    """
    where, parameters = _where(conditions)
    return reader.rows(
        f"""
        with matched as materialized (
            select workspace, conversation_id, start_date, outcome is null as is_open from selected where {where}
        ),
        numbers as (
            select count(*) as n, count(*) filter (is_open) as n_open from matched
        )
        select
            conversation_id, started_at, local_start_at, agent_id, call_duration_secs, call_successful, cost_usd,
            p95_wait_secs, n_tool_errors, rating, summary_title, {OUTCOME} as shown_outcome,
            outcome_reason, {HURT} as hurt, {IS_SLOW} as is_slow, numbers.n, numbers.n_open
        from selected
        join matched using (workspace, conversation_id, start_date)
        cross join numbers
        order by {SORTS[conditions.sort]}, conversation_id
        limit {PAGE_SIZE} offset $offset
        """,  # noqa: S608 -- every name is ours; values are parameters
        **parameters,
        offset=min((page - 1) * PAGE_SIZE, MAX_OFFSET),
    )


def _where(conditions: Conditions) -> tuple[str, dict[str, Any]]:
    of_tool = f" and {TOOL} = $tool_error" if conditions.tool_error is not None else ""
    parts = {
        "not is_before": None,
        f"{OUTCOME} = $outcome": conditions.outcome,
        "call_successful = $verdict": conditions.verdict,
        # of those that reached somebody, as the containment rate
        "is_reached and is_contained = $is_contained": conditions.is_contained,
        "(is_transferred_to_agent or is_transferred_to_human) = $is_transferred": conditions.is_transferred,
        _exists("fct_turns", "parts.wait_secs > $min_wait_secs"): conditions.min_wait_secs,
        _exists("fct_tool_calls", f"{TOOL} = $tool"): conditions.tool,
        _exists("fct_tool_calls", f"{TOOL} = $tool_error and parts.is_error"): conditions.tool_error,
        _exists("fct_tool_calls", f"parts.is_error{of_tool} and {ERROR_TYPE} = $error_type"): conditions.error_type,
        "termination_group = $termination": conditions.termination,
        _exists("fct_llm_usage", f"{or_none('parts.model')} = $model and parts.is_total"): conditions.model,
        "local_weekday = $weekday": conditions.weekday,
        "local_start_hour = $hour": conditions.hour,
        "is_repeat_caller_7d = $is_repeat_caller": conditions.is_repeat_caller,
        f"{RESOLVED_AT_ONCE} = $is_resolved_at_once": conditions.is_resolved_at_once,
    }
    where = [part for part, value in parts.items() if value is not None or part == "not is_before"]
    parameters = {
        part.rpartition("$")[2].split(")")[0].split(" ")[0]: value for part, value in parts.items() if value is not None
    }
    if conditions.criterion is not None:
        where.append(
            _exists(
                "fct_evaluations",
                "parts.criteria_id = $criterion and parts.result = $criterion_result and parts.is_main",
            )
        )
        parameters |= {"criterion": conditions.criterion, "criterion_result": conditions.criterion_result}
    terms = search_terms(conditions.words or "")[:MAX_WORDS]
    if conditions.words and not terms:
        where.append("false")  # signs alone, which nobody says
    for number, word in enumerate(terms):
        where.append(_exists("fct_turns", f"regexp_matches(parts.message, $word_{number})"))
        parameters[f"word_{number}"] = pattern(word)
    return " and ".join(f"({part})" for part in where), parameters


def _exists(table: str, condition: str) -> str:
    return (
        f"conversation_id in (select parts.conversation_id from marts.{table} as parts "  # noqa: S608 -- our own names
        "where parts.workspace = selected.workspace "
        f"and parts.start_date between getvariable('page_start') and getvariable('page_last') and {condition})"
    )
