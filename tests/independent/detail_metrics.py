"""The metrics of details once more, from the documents: transfers, retrievals, collected fields, feedback.

As in ``tests.independent.daily_metrics``, nothing is shared with flattening and SQL.
"""

from __future__ import annotations

from typing import Any

from tests.independent.daily_metrics import Document, Row, day, grouped, is_finished, quantile, ratio, total
from tests.independent.outcomes import results, verdicts_of


def _finished(documents: list[Document]) -> list[Document]:
    return [document for document in documents if is_finished(document)]


def _by_agents_day(documents: list[Document]) -> list[tuple[Row, list[Document]]]:
    days = grouped(_finished(documents), lambda document: (day(document), document.get("agent_id")))
    return [({"workspace": "main", "start_date": on, "agent_id": agent}, calls) for (on, agent), calls in days.items()]


def transfers(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.transfers``."""
    ways: dict[tuple[Any, ...], list[tuple[str, bool]]] = {}
    for document in _finished(documents):
        for entry in document.get("transcript") or []:
            speaker = (entry.get("agent_metadata") or {}).get("agent_id") or document.get("agent_id")
            for depth, answer in results(entry.get("tool_results")):
                result = answer.get("result") or {}
                what = result.get("result_type") or answer.get("tool_name") or ""
                if answer.get("type") != "system" or not (
                    what.startswith("transfer_to_number") or (what.startswith("transfer_to_agent") and not depth)
                ):
                    continue
                way = (
                    day(document),
                    "number" if what.startswith("transfer_to_number") else "agent",
                    result.get("from_agent") or speaker,
                    result.get("to_agent"),
                    result.get("transfer_number"),
                )
                went_wrong = bool(
                    answer.get("is_error")
                    or answer.get("is_blocked")
                    or answer.get("tool_has_been_called") is False
                    or result.get("status") not in (None, "success")
                )
                ways.setdefault(way, []).append((document["conversation_id"], went_wrong))
    names = ("start_date", "kind", "from_agent_id", "to_agent_id", "to_number")
    return [
        {"workspace": "main", **dict(zip(names, way, strict=True))}
        | {"n_calls": len({call for call, _ in tried}), "n_transfers": len(tried)}
        | {"n_errors": (n_errors := sum(failed for _, failed in tried)), "error_rate": ratio(n_errors, len(tried))}
        for way, tried in ways.items()
    ]


def rag_effectiveness(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.rag_effectiveness``."""
    return [{**key, **_retrieving(calls)} for key, calls in _by_agents_day(documents)]


def _retrieving(calls: list[Document]) -> Row:
    retrievals = [
        (call["conversation_id"], entry["rag_retrieval_info"])
        for call in calls
        for entry in call.get("transcript") or []
        if entry.get("rag_retrieval_info")
    ]
    n, retrieving = len(calls), len({call for call, _ in retrievals})
    chunks = [retrieval.get("chunks") or [] for _, retrieval in retrievals]
    secs = [
        retrieval["rag_latency_secs"] for _, retrieval in retrievals if retrieval.get("rag_latency_secs") is not None
    ]
    nearest = [min(chunk["vector_distance"] for chunk in chunk_list) for chunk_list in chunks if chunk_list]
    telling = [retrieval for _, retrieval in retrievals if retrieval.get("used_chunk_ids") is not None]
    n_chunks = sum(len(retrieval.get("chunks") or []) for retrieval in telling)
    n_used = sum(len(retrieval["used_chunk_ids"]) for retrieval in telling) if telling else None
    n_empty = sum(not chunk_list for chunk_list in chunks)
    return {
        "n_calls": n,
        "n_retrieving_calls": retrieving,
        "retrieval_rate": ratio(retrieving, n),
        "n_retrievals": len(retrievals),
        "retrievals_per_call": ratio(len(retrievals), n),
        "n_empty": n_empty,
        "empty_rate": ratio(n_empty, len(retrievals)),
        "n_latencies": len(secs),
        "latency_p50_secs": quantile(secs, 0.5),
        "latency_p95_secs": quantile(secs, 0.95),
        "n_distances": len(nearest),
        "mean_best_distance": ratio(total(nearest), len(nearest)),
        "n_chunks": n_chunks,
        "n_chunks_used": n_used,
        "chunk_use_share": ratio(n_used, n_chunks),
    }


def data_collection_fill(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.data_collection_fill``, without its most frequent values."""
    fields: dict[tuple[Any, str], list[Document]] = {}
    for document in _finished(documents):
        for name, field in verdicts_of(document, "data_collection_results").items():
            fields.setdefault((document.get("agent_id"), name), []).append(field)
    return [
        {"workspace": "main", "agent_id": agent, "data_collection_id": name} | _filled(fields_asked)
        for (agent, name), fields_asked in fields.items()
    ]


def _filled(fields_asked: list[Document]) -> Row:
    filled = [field for field in fields_asked if not _is_empty(field.get("value"))]
    verdicts = [_fits(field["value"], (field.get("json_schema") or {}).get("type")) for field in filled]
    return {
        "n_asked": len(fields_asked),
        "n_filled": len(filled),
        "fill_rate": ratio(len(filled), len(fields_asked)),
        "n_typed": len(verdicts) - verdicts.count(None),
        "n_of_declared_type": verdicts.count(True),
        "of_declared_type_rate": ratio(verdicts.count(True), len(verdicts) - verdicts.count(None)),
    }


def _is_empty(value: object) -> bool:
    return value in (None, [], {}) or (isinstance(value, str) and not value.strip())


def _fits(value: object, declared: object) -> bool | None:
    """Whether a value has the type asked for; None where the type is none of the four."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if declared == "string":
        return isinstance(value, str)
    if declared == "boolean":
        return isinstance(value, bool)
    if declared == "number":
        return is_number
    return is_number and float(str(value)).is_integer() if declared == "integer" else None


def feedback(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.feedback``."""
    return [{**key, **_opinions(calls)} for key, calls in _by_agents_day(documents)]


def _opinions(calls: list[Document]) -> Row:
    opinions = [call["metadata"].get("feedback") or {} for call in calls]
    ratings = [opinion["rating"] for opinion in opinions if opinion.get("rating") is not None]
    likes, dislikes = (sum(opinion.get(name) or 0 for opinion in opinions) for name in ("likes", "dislikes"))
    return {
        "n_calls": len(calls),
        "n_ratings": len(ratings),
        "rating_coverage": ratio(len(ratings), len(calls)),
        "rating": ratio(sum(ratings), len(ratings)),
        "likes": likes,
        "dislikes": dislikes,
        "like_rate": ratio(likes, likes + dislikes),
        "n_comments": sum(bool((opinion.get("comment") or "").strip()) for opinion in opinions),
    }
