"""What became of a conversation once more: from its document in plain Python, by the words of docs/outcomes.md."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]

SYSTEM_RESULTS = ("transfer_to_number", "transfer_to_agent", "voicemail_detection")


def results(tool_results: list[Document] | None, depth: int = 0) -> Iterator[tuple[int, Document]]:
    """Tool results with their depth, those inside workflow steps after the one that holds them."""
    for result in tool_results or []:
        yield depth, result
        for step in (result.get("result") or {}).get("steps") or []:
            yield from results(step.get("results"), depth + 1)


def verdicts_of(document: Document, name: str) -> Document:
    """Verdicts or collected values by id, each once: of the whole conversation, else of the first scope that has it."""
    analysis = document.get("analysis") or {}
    every_map = [analysis, *(analysis.get("scoped") or [])]
    return {key: value for part in reversed(every_map) for key, value in (part.get(name) or {}).items()}


def says_something(entry: Document) -> bool:
    """Whether an entry holds more than blanks: in its message, its parts or its files."""
    parts = (entry.get("multivoice_message") or {}).get("parts") or []
    texts = [entry.get("message"), *(part.get("text") for part in parts)]
    has_text = any(unicodedata.category(sign)[0] not in "ZC" for text in texts for sign in text or "")
    return has_text or bool(entry.get("file_input")) or bool(entry.get("file_inputs"))


def is_word_of_user(entry: Document, document: Document) -> bool:
    """Whether the user said something: in a voice entry it takes a letter or a digit, a file or parts."""
    if entry["role"] != "user" or not says_something(entry):
        return False
    medium = entry.get("source_medium") or ("text" if document["metadata"].get("text_only") else "audio")
    has_letter = any(unicodedata.category(sign)[0] in "LN" for sign in entry.get("message") or "")
    has_more = entry.get("file_input") or entry.get("file_inputs") or entry.get("multivoice_message")
    return medium != "audio" or has_letter or bool(has_more)


def system_tools(document: Document) -> Iterator[tuple[int, str, bool]]:
    """What system tools did, as (depth, tool, whether it succeeded)."""
    for entry in document.get("transcript") or []:
        for depth, result in results(entry.get("tool_results")):
            details = result.get("result") or {}
            if result.get("type") != "system":
                continue
            failed = (
                result.get("is_error")
                or result.get("is_blocked")
                or result.get("tool_has_been_called") is False
                or details.get("status") not in (None, "success")
            )
            yield depth, details.get("result_type") or result.get("tool_name") or "", not failed


def exceeded_limit(text: str) -> str | None:
    """Whose limit a termination text says was exceeded: that of the account, or of the conversation's time."""
    if re.search("quota|credits|rate.limit|concurren", text):
        return "account"
    if re.search("max.*duration|time.limit|duration.*limit", text):
        return "time"
    return "account" if re.search("limit.*exceeded|exceeded.*limit", text) else None


def outcome(document: Document) -> str:
    """The first outcome that holds for a finished conversation."""
    metadata, entries = document["metadata"], document.get("transcript") or []
    error = {key: value for key, value in (metadata.get("error") or {}).items() if value not in (None, "")}
    kind, text = error.get("error_type"), (metadata.get("termination_reason") or "").lower()
    used = metadata.get("features_usage") or {}
    attempt = metadata.get("phone_call") or metadata.get("whatsapp") or {}
    call_result = attempt.get("call_result") or ""
    succeeded = {tool for _, tool, is_success in system_tools(document) if is_success}
    spoken = [entry for entry in entries if says_something(entry)]
    has_words = any(is_word_of_user(entry, document) for entry in entries)
    failed = document["status"] == "failed"
    never = failed and metadata.get("call_duration_secs") == 0 and metadata.get("accepted_time_unix_secs") is None
    is_hidden = bool(
        used.get("pii_zrm_workspace")
        or used.get("pii_zrm_agent")
        or (metadata.get("deletion_settings") or {}).get("deleted_transcript_at_time_unix_secs")
        or document.get("user_message_count")
        or document.get("agent_message_count")
    )
    has_tools = any(entry.get("tool_calls") or entry.get("tool_results") for entry in entries)
    unreached = ("no_answer", "call_initialization_error", "line_busy", "call_rejected", "blocked_by_user")
    candidates = {
        "not_reached": call_result in ("no_answer", "busy", "canceled", "failed")
        or kind in unreached
        or (never and not any(entry["role"] == "agent" or is_word_of_user(entry, document) for entry in spoken)),
        "voicemail": any(tool.startswith("voicemail_detection") for tool in succeeded)
        or bool((used.get("voicemail_detection") or {}).get("used"))
        or call_result == "voicemail"
        or "voicemail" in text,
        "blocked": text.startswith("guardrail")
        or kind == "guardrail_triggered"
        or (failed and bool(entries and entries[-1].get("triggered_guardrails")) and not text and not error),
        "error": failed or bool(error) or "dependency" in text or exceeded_limit(text) == "account",
    }
    if not spoken and not has_tools and is_hidden and not any(candidates.values()):
        return "unknown"
    candidates |= {
        "abandoned": not has_words,
        "transferred": any(tool.startswith("transfer_to_number") for tool in succeeded),
        "cut_off": "silence" in text or exceeded_limit(text) == "time",
        "contained": True,
    }
    return next(name for name, holds in candidates.items() if holds)
