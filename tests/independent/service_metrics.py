"""The metrics by the book once more, from the documents: who was reached, served for good, in time and at what cost.

As in ``tests.independent.daily_metrics``, nothing is shared with flattening and SQL.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

from tests.independent.daily_metrics import (
    WAIT,
    Document,
    Row,
    caller,
    charging,
    cost_usd,
    day,
    grouped,
    is_finished,
    quantile,
    ratio,
    timings,
    total,
)
from tests.independent.outcomes import outcome, results

NOBODY = ("not_reached", "voicemail")
DAY_SECS = 86_400


def _start(document: Document) -> int:
    secs: int = document["metadata"]["start_time_unix_secs"]
    return secs


def returns(documents: list[Document]) -> dict[str, float]:
    """Seconds until the caller's next conversation with the agent, by conversation of a caller who was reached."""
    contacts = [
        document
        for document in documents
        if caller(document) is not None and not (is_finished(document) and outcome(document) in NOBODY)
    ]
    after = {}
    for theirs in grouped(contacts, lambda d: (d.get("agent_id"), caller(d))).values():
        ordered = sorted(theirs, key=lambda d: (_start(d), d["conversation_id"]))
        for document, following in zip(ordered, [*ordered[1:], None], strict=True):
            secs = float("inf") if following is None else _start(following) - _start(document)
            after[document["conversation_id"]] = secs
    return after


def agent_daily(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.agent_daily``: the columns that are not in ``daily_metrics.agent_daily``."""
    after, newest = returns(documents), max(map(day, documents))
    return [
        {"workspace": "main", "start_date": on, "agent_id": agent} | _agents_day(of_day, after, (newest - on).days)
        for (on, agent), of_day in grouped(documents, lambda d: (day(d), d.get("agent_id"))).items()
    ]


def _agents_day(documents: list[Document], after: dict[str, float], age_days: int) -> Row:
    calls = [document for document in documents if is_finished(document)]
    words = {call["conversation_id"]: outcome(call) for call in calls}
    reached = [call for call in calls if words[call["conversation_id"]] not in NOBODY]
    waits = [value for call in calls for name, value in timings(call) if name == WAIT]
    return {
        "n_reached": len(reached),
        "reach_rate": ratio(len(reached), len(calls)),
        **_served(calls, words, after, age_days),
        **_answered(reached, words),
        **_talked(calls),
        **{
            f"wait_within_{name}_rate": ratio(sum(wait <= limit for wait in waits), len(waits))
            for name, limit in (("good", 1), ("fair", 1.5), ("poor", 3))
        },
    }


def _verdict(document: Document) -> str | None:
    verdict: str | None = (document.get("analysis") or {}).get("call_successful")
    return verdict


def _served(calls: list[Document], words: dict[str, str], after: dict[str, float], age_days: int) -> Row:
    """Contained and resolved conversations."""

    def is_contained(call: Document) -> bool:
        return words[call["conversation_id"]] == "contained"

    reached = [call for call in calls if words[call["conversation_id"]] not in NOBODY]

    followed = [call for call in reached if call["conversation_id"] in after and age_days > 1]
    traced = [call for call in reached if call["conversation_id"] in after and age_days > 7]
    stayed_away = [call for call in followed if after[call["conversation_id"]] > DAY_SECS]
    resolved = [
        call for call in traced if _verdict(call) == "success" and after[call["conversation_id"]] > 7 * DAY_SECS
    ]
    judged = [call for call in reached if _verdict(call) in ("success", "failure")]
    traced_judged = [call for call in traced if _verdict(call) in ("success", "failure")]
    cost = total(cost_usd(call) for call in calls) if age_days > 7 else None
    good = [call for call in calls if is_contained(call) and _verdict(call) == "success"]
    return {
        "containment_rate": ratio(sum(map(is_contained, calls)), len(reached)),
        "n_followed": len(followed),
        "n_contained_no_callback": sum(map(is_contained, stayed_away)),
        "contained_no_callback_rate": ratio(sum(map(is_contained, stayed_away)), len(followed)),
        "n_reached_judged": len(judged),
        "n_resolved_contained": len(good),
        "resolved_containment_rate": ratio(len(good), len(judged)),
        "n_traced": len(traced),
        "n_resolved": len(resolved),
        "fcr_rate": ratio(len(resolved), len(traced)),
        "n_traced_judged": len(traced_judged),
        "fcr_judged_rate": ratio(len(resolved), len(traced_judged)),
        "fcr_coverage": ratio(len(traced_judged), len(traced)),
        "traced_cost_usd": cost,
        "cost_usd_per_resolution": ratio(cost, len(resolved)),
    }


def _answered(reached: list[Document], words: dict[str, str]) -> Row:
    """Queue, handling time and satisfaction."""
    left = [call for call in reached if words[call["conversation_id"]] == "abandoned"]
    queued = [call for call in reached if call["metadata"].get("queue_wait_secs") is not None]
    waits = [call["metadata"]["queue_wait_secs"] for call in queued]
    lengths = [
        call["metadata"]["call_duration_secs"]
        for call in reached
        if call["metadata"].get("call_duration_secs") is not None
    ]
    return {
        "abandonment_rate": ratio(len(left), len(reached)),
        "n_queued": len(queued),
        "n_queue_abandoned": sum(call in left for call in queued),
        "queue_abandonment_rate": ratio(sum(call in left for call in queued), len(queued)),
        "asa_secs": ratio(total(waits), len(waits)),
        "n_answered_in_time": sum(wait <= 20 for wait in waits),
        "service_level_rate": ratio(sum(wait <= 20 for wait in waits), len(waits)),
        "n_handled": len(lengths),
        "aht_mean_secs": ratio(sum(lengths), len(lengths)),
        "aht_p50_secs": quantile(lengths, 0.5),
        "aht_p90_secs": quantile(lengths, 0.9),
    }


def _talked(calls: list[Document]) -> Row:
    """Audio, silence, backchannels and ratings."""
    audio = []
    silence = []
    for call in calls:
        spoken = (charging(call).get("tts_usage") or {}).get("total_audio_output_seconds")
        heard = (charging(call).get("asr_usage") or {}).get("total_audio_input_seconds")
        if spoken is not None and heard is not None and spoken + heard > 0:
            audio.append((spoken, heard))
        usage = (charging(call).get("platform_usage") or {}).get("category_usage") or {}
        if "voice" in usage or "silence" in usage:
            quantity = (usage.get("silence") or {}).get("quantity") or 0
            silence.append((quantity, call["metadata"].get("call_duration_secs") or 0))
    agent, user = (total(pair[side] for pair in audio) for side in (0, 1))
    silent = total(pair[0] for pair in silence)
    ratings = [
        rating for call in calls if (rating := (call["metadata"].get("feedback") or {}).get("rating")) is not None
    ]
    entries = [entry for call in calls for entry in call.get("transcript") or []]
    return {
        "n_audio_calls": len(audio),
        "agent_audio_secs": agent,
        "user_audio_secs": user,
        "talk_share": ratio(agent, (agent or 0) + (user or 0)),
        "n_silence_calls": len(silence),
        "silence_secs": silent,
        "silence_share": ratio(silent, sum(pair[1] for pair in silence)),
        "n_backchannels": sum(bool(entry.get("ignored_as_backchannel")) for entry in entries),
        "n_satisfied": sum(rating >= 4 for rating in ratings),
        "csat_rate": ratio(sum(rating >= 4 for rating in ratings), len(ratings)),
    }


def sentiment(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.sentiment``."""
    rows = []
    calls = filter(is_finished, documents)
    for (on, agent), of_day in grouped(calls, lambda d: (day(d), d.get("agent_id"))).items():
        analyses = [((call.get("analysis") or {}).get("sentiment_analysis") or {}) for call in of_day]
        labels = Counter(analysis["overall_label"] for analysis in analyses if analysis.get("overall_label"))
        rows += [
            {
                "workspace": "main",
                "start_date": on,
                "agent_id": agent,
                "sentiment": label,
                "n_calls": n,
                "n_labelled": labels.total(),
                "sentiment_rate": ratio(n, labels.total()),
                "sentiment_coverage": ratio(labels.total(), len(of_day)),
            }
            for label, n in labels.items()
        ]
    return rows


def tool_errors(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.tool_errors``, of results with an error whose call is in the transcript."""
    failed: defaultdict[tuple[date, str], list[tuple[str | None, str]]] = defaultdict(list)
    for document in filter(is_finished, documents):
        for tool, error_type in _errors(document):
            failed[day(document), tool].append((error_type, document["conversation_id"]))
    return [
        {
            "workspace": "main",
            "start_date": on,
            "tool_name": tool,
            "error_type": error_type,
            "n_calls": len({name for kind, name in errors if kind == error_type}),
            "n_errors": n,
            "n_day_errors": len(errors),
            "error_type_rate": ratio(n, len(errors)),
        }
        for (on, tool), errors in failed.items()
        for error_type, n in Counter(kind for kind, _ in errors).items()
    ]


def _errors(document: Document) -> Iterator[tuple[str, str | None]]:
    for entry in document.get("transcript") or []:
        for _, result in results(entry.get("tool_results")):
            if result.get("is_error"):
                yield result["tool_name"], result.get("error_type")


def guardrails(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.guardrails``."""
    rows = []
    calls = filter(is_finished, documents)
    for (on, agent), of_day in grouped(calls, lambda d: (day(d), d.get("agent_id"))).items():
        triggered: defaultdict[tuple[Any, Any], list[Document]] = defaultdict(list)
        for call in of_day:
            for entry in call.get("transcript") or []:
                for guardrail in entry.get("triggered_guardrails") or []:
                    triggered[guardrail.get("guardrail_type"), guardrail.get("guardrail_name")].append(call)
        rows += [
            {
                "workspace": "main",
                "start_date": on,
                "agent_id": agent,
                "guardrail_type": kind,
                "guardrail_name": name,
                "n_calls": len({call["conversation_id"] for call in times}),
                "n_blocked": len({call["conversation_id"] for call in times if outcome(call) == "blocked"}),
                "n_triggers": len(times),
                "n_day_calls": len(of_day),
                "guardrail_rate": ratio(len({call["conversation_id"] for call in times}), len(of_day)),
            }
            for (kind, name), times in triggered.items()
        ]
    return rows
