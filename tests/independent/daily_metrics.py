"""The daily metrics of calls once more: from the documents of the API in plain Python.

It shares no code with flattening and SQL, and reads the words of the reference, not our tables, so that an error in one
is not repeated in the other. Every function gives whole rows, in any order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import UTC, date, datetime
from fractions import Fraction
from math import floor
from typing import Any, TypeVar

from tests.independent.outcomes import outcome, says_something, system_tools

Document = dict[str, Any]
Row = dict[str, Any]
K = TypeVar("K", bound=Hashable)

WAIT = "convai_ttf_audio_since_silence"
CREDITS_PER_USD = {"starter": 6000, "creator": 4545, "pro": 5050, "growing_business": 6060, "business": 8333}


def day(document: Document) -> date:
    """UTC day of the start."""
    return datetime.fromtimestamp(document["metadata"]["start_time_unix_secs"], UTC).date()


def is_finished(document: Document) -> bool:
    """Whether the outcome is final."""
    return document["status"] in ("done", "failed")


def caller(document: Document) -> str | None:
    """Who called, by the first thing that tells; a number as a plus and digits, which is E.164 for those emulated."""
    metadata, client = document["metadata"], document.get("conversation_initiation_client_data") or {}
    numbers = (
        (metadata.get("phone_call") or {}).get("external_number"),
        (metadata.get("whatsapp") or {}).get("whatsapp_user_id"),
        (metadata.get("sms") or {}).get("sms_user_phone_number"),
        None if metadata.get("phone_call") else (client.get("dynamic_variables") or {}).get("system__caller_id"),
    )
    number = next((f"+{''.join(filter(str.isdigit, value))}" for value in numbers if value), None)
    users = (document.get("user_id"), client.get("user_id"))
    return number or next((value for value in users if value is not None), None)


def grouped(documents: Iterable[Document], key: Callable[[Document], K]) -> dict[K, list[Document]]:
    """Documents by key."""
    groups: dict[K, list[Document]] = defaultdict(list)
    for document in documents:
        groups[key(document)].append(document)
    return groups


def quantile(values: Iterable[float], share: float) -> float | None:
    """The value below which a share of the values lies, on the line between its two neighbours."""
    ordered = sorted(values)
    if not ordered:
        return None
    at = share * (len(ordered) - 1)
    low = floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def ratio(numerator: float | None, denominator: float) -> float | None:
    """A share, where there is anything to share."""
    return None if numerator is None or not denominator else float(numerator / denominator)


def total(values: Iterable[float | Fraction | None]) -> float | None:
    """A sum of what is told, or None where nothing is."""
    amounts = [Fraction(value) for value in values if value is not None]
    return float(sum(amounts)) if amounts else None


def charging(document: Document) -> Document:
    """The charging block."""
    return document["metadata"].get("charging") or {}


def timings(document: Document) -> Iterator[tuple[str, float]]:
    """Timings as (metric, seconds), without what an entry copies from the one before it, and the greeting's wait.

    The entry before is the last with timings of the same role; across one of the other role, only a copy of all timings
    (two or more) is one.
    """
    role, has_user = None, False
    last, copied = {}, {}
    for entry in document.get("transcript") or []:
        if entry["role"] != role:
            role, copied = entry["role"], {}
        block = entry.get("conversation_turn_metrics") or {}
        records = block.get("metrics", block)
        secs = {name: record.get("elapsed_time") for name, record in records.items() if isinstance(record, dict)}
        secs = {name: value for name, value in secs.items() if value is not None}
        if secs == last.get(role) and len(secs) >= 2:
            copied = secs
        yield from (
            (name, value) for name, value in secs.items() if copied.get(name) != value and (has_user or name != WAIT)
        )
        if secs:
            last[role] = copied = secs
        has_user = has_user or role == "user"


def cost_usd(document: Document) -> Fraction | None:
    """What the API says, else the credits at the plan's rate; 0 credits are 0 dollars."""
    metadata = document["metadata"]
    if metadata.get("cost_fiat") is not None:
        return Fraction(metadata["cost_fiat"])
    if metadata.get("cost") == 0:
        return Fraction(0)
    rate = CREDITS_PER_USD.get((charging(document).get("tier") or "").lower())
    return None if metadata.get("cost") is None or rate is None else Fraction(metadata["cost"], rate)


def llm_usd(document: Document) -> float | None:
    """Price of what was generated, or of what was delivered where nothing else is reported."""
    blocks: Document = charging(document).get("llm_usage") or {}
    names = ("initiated_generation", "irreversible_generation")
    block = next((blocks[name] for name in names if (blocks.get(name) or {}).get("model_usage")), {})
    return total(kind.get("price") for kinds in (block.get("model_usage") or {}).values() for kind in kinds.values())


def _flags(document: Document) -> dict[str, bool]:
    """What became of a finished call, and whether it passed to another agent."""
    agents = {visit["agent_id"] for visit in document.get("visited_agents") or []}
    to_agent = any(
        is_success and not depth and tool.startswith("transfer_to_agent")
        for depth, tool, is_success in system_tools(document)
    )
    names = {"transferred": "to_human", "voicemail": "voicemail", "error": "error", "abandoned": "abandoned"}
    names |= {"contained": "contained"}
    actual = outcome(document)
    return {"to_agent": len(agents) > 1 or to_agent} | {flag: actual == name for name, flag in names.items()}


def agent_daily(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.agent_daily``."""
    return [
        {"workspace": "main", "start_date": on, "agent_id": agent} | _agents_day(of_day)
        for (on, agent), of_day in grouped(documents, lambda d: (day(d), d.get("agent_id"))).items()
    ]


def _agents_day(documents: list[Document]) -> Row:
    calls = [document for document in documents if is_finished(document)]
    n, secs = len(calls), sum(call["metadata"].get("call_duration_secs") or 0 for call in calls)
    verdicts = [(call.get("analysis") or {}).get("call_successful") for call in calls]
    success, failure = verdicts.count("success"), verdicts.count("failure")
    usd = [cost_usd(call) for call in calls]
    cost = total(usd)
    spoken = [
        entry
        for call in calls
        for entry in call.get("transcript") or []
        if entry["role"] == "agent" and says_something(entry)
    ]
    cut = sum(1 for entry in spoken if entry.get("interrupted"))
    flags = [_flags(call) for call in calls]
    counted = {name: sum(flag[name] for flag in flags) for name in (flags[0] if flags else ())}
    counted = defaultdict(int, counted)
    transferred = sum(flag["to_agent"] or flag["to_human"] for flag in flags)
    opinions = [call["metadata"].get("feedback") or {} for call in calls]
    ratings = [opinion["rating"] for opinion in opinions if opinion.get("rating") is not None]
    waits = [value for call in calls for name, value in timings(call) if name == WAIT]
    return {
        "n_calls": n,
        "n_open": len(documents) - n,
        "n_deleted": 0,
        "call_minutes": secs / 60,
        "n_success": success,
        "n_failure": failure,
        "n_unknown": n - success - failure,
        "success_rate": ratio(success, success + failure),
        "success_coverage": ratio(success + failure, n),
        "cost_credits": total(call["metadata"].get("cost") for call in calls),
        "cost_usd": cost,
        "cost_usd_coverage": ratio(sum(value is not None for value in usd), n),
        "cost_usd_per_call": ratio(cost, n),
        "cost_usd_per_minute": ratio(cost, secs / 60),
        "cost_usd_per_success": ratio(cost, success),
        "llm_cost_usd": total(llm_usd(call) for call in calls),
        "n_agent_turns": len(spoken),
        "n_interruptions": cut,
        "interruption_rate": ratio(cut, len(spoken)),
        "n_transferred": transferred,
        "n_transferred_to_agent": counted["to_agent"],
        "n_transferred_to_human": counted["to_human"],
        "transfer_rate": ratio(transferred, n),
        "n_contained": counted["contained"],
        "n_voicemail": counted["voicemail"],
        "voicemail_rate": ratio(counted["voicemail"], n),
        "n_errors": counted["error"],
        "error_rate": ratio(counted["error"], n),
        "n_abandoned": counted["abandoned"],
        "n_ratings": len(ratings),
        "rating": ratio(sum(ratings), len(ratings)),
        "likes": sum(opinion.get("likes") or 0 for opinion in opinions),
        "dislikes": sum(opinion.get("dislikes") or 0 for opinion in opinions),
        "n_waits": len(waits),
        **{f"wait_p{share}_secs": quantile(waits, share / 100) for share in (50, 90, 95, 99)},
    }
