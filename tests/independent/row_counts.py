"""An independent recount: what the tables must hold, counted from the documents in plain Python.

It shares no code with the flattening and no idea with it but the words of the reference, so that an error in one is not
repeated in the other.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

Document = dict[str, Any]


def rows(documents: list[Document]) -> dict[str, int]:
    """Rows that each lake table must have."""
    count: Counter[str] = Counter()
    for document in documents:
        count["conversations"] += 1
        metadata = document["metadata"]
        for entry in document.get("transcript") or []:
            count["turns"] += 1
            files = entry.get("file_inputs") or []
            file = entry.get("file_input")
            count["turn_files"] += len(files) + (file is not None and file not in files)
            count["triggered_guardrails"] += len(entry.get("triggered_guardrails") or [])
            count["multivoice_parts"] += len((entry.get("multivoice_message") or {}).get("parts") or [])
            timing = entry.get("conversation_turn_metrics") or {}
            records = timing.get("metrics", timing)
            count["turn_metrics"] += sum(1 for record in records.values() if "elapsed_time" in (record or {}))
            count["rag_chunks"] += len((entry.get("rag_retrieval_info") or {}).get("chunks") or [])
            count["llm_usage"] += _usage_rows(entry.get("llm_usage"))
            count["tool_calls"] += len(entry.get("tool_calls") or [])
            _count_results(entry.get("tool_results") or [], count)
        charging = metadata.get("charging") or {}
        for block in (charging.get("llm_usage") or {}).values():
            count["llm_usage"] += _usage_rows(block)
        count["platform_usage"] += len((charging.get("platform_usage") or {}).get("category_usage") or {})
        count["voice_usage"] += len((charging.get("tts_usage") or {}).get("per_voice_usage") or [])
        count["voice_rewards"] += len(metadata.get("voice_rewards") or [])
        count["visited_agents"] += len(document.get("visited_agents") or [])
        count["tags"] += len(document.get("tag_ids") or [])
        count["warnings"] += len(metadata.get("warnings") or [])
        analysis = document.get("analysis") or {}
        scopes = analysis.get("scoped") or []
        count["scoped_analyses"] += len(scopes)
        for of_scope in (analysis, *scopes):
            count["evaluation_results"] += len(of_scope.get("evaluation_criteria_results") or {})
            count["data_collection_results"] += len(of_scope.get("data_collection_results") or {})
        variables = (document.get("conversation_initiation_client_data") or {}).get("dynamic_variables") or {}
        count["dynamic_variables"] += len(variables) - ("system__conversation_history" in variables)
    return dict(count)


def _usage_rows(block: Document | None) -> int:
    return sum(len(kinds) for kinds in ((block or {}).get("model_usage") or {}).values())


def _count_results(results: list[Document], count: Counter[str]) -> None:
    for result in results:
        count["tool_results"] += 1
        count["dynamic_variable_updates"] += len(result.get("dynamic_variable_updates") or [])
        for step in (result.get("result") or {}).get("steps") or []:
            count["workflow_steps"] += 1
            count["tool_calls"] += len(step.get("requests") or [])
            _count_results(step.get("results") or [], count)


def agents(documents: list[Document]) -> dict[str, tuple[int, int]]:
    """Every agent that a call was started with, passed through or was spoken by, with its first and last start."""
    starts: dict[str, list[int]] = {}
    for document in documents:
        seen = {document["agent_id"], *(visit["agent_id"] for visit in document.get("visited_agents") or [])}
        seen |= {(entry.get("agent_metadata") or {}).get("agent_id") for entry in document.get("transcript") or []}
        for agent_id in seen - {None}:
            starts.setdefault(agent_id, []).append(document["metadata"]["start_time_unix_secs"])
    return {agent_id: (min(times), max(times)) for agent_id, times in starts.items()}


def sums(documents: list[Document]) -> dict[str, float]:
    """Totals over the calls that are done or failed: credits, seconds, LLM US dollars, successes, calls."""
    finished = [document for document in documents if document["status"] in ("done", "failed")]

    def charge(document: Document) -> Document:
        return document["metadata"].get("charging") or {}

    return {
        "n_calls": len(finished),
        "n_success": sum((d.get("analysis") or {}).get("call_successful") == "success" for d in finished),
        "n_failure": sum((d.get("analysis") or {}).get("call_successful") == "failure" for d in finished),
        "cost_credits": sum(d["metadata"].get("cost") or 0 for d in finished),
        "call_duration_secs": sum(d["metadata"].get("call_duration_secs") or 0 for d in finished),
        "llm_price_usd": sum(charge(d).get("llm_price") or 0 for d in finished),
        "initiated_usd": sum(_initiated_usd(charge(d)) for d in finished),
    }


def _initiated_usd(charging: Document) -> float:
    blocks = charging.get("llm_usage") or {}
    names = ("initiated_generation", "irreversible_generation")
    block = next((blocks[name] for name in names if (blocks.get(name) or {}).get("model_usage")), {})
    return sum(kind.get("price") or 0 for kinds in (block.get("model_usage") or {}).values() for kind in kinds.values())


def calls_by_day_and_agent(documents: list[Document]) -> dict[tuple[int, str], int]:
    """Finished calls by UTC day (days since 1970) and agent."""
    finished = (document for document in documents if document["status"] in ("done", "failed"))
    return dict(Counter((d["metadata"]["start_time_unix_secs"] // 86_400, d["agent_id"]) for d in finished))
