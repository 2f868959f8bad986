"""Texts in an agent's configuration: prompts, messages, criteria, descriptions.

They land only if the setting ``agent_texts`` says so; otherwise their length and hash do, so that a change is noticed.
A text is a string with white space or of more than ``MAX_WORD_LENGTH`` characters, except in a name, and any string at
a key that holds texts, as a prompt can be one word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

TEXT_KEYS = frozenset(
    {
        *("prompt", "first_message", "message", "description", "condition", "additional_prompt", "text", "content"),
        *("conversation_goal_prompt", "score_instructions", "voicemail_message", "transfer_message"),
        *("max_conversation_duration_message", "noisy_environment_message", "dynamic_variable_placeholders"),
    }
)
"""Keys whose strings are texts, at any depth below them."""
NAME_KEYS = frozenset({"name", "creator_name", "creator_email", "version_description"})
"""Keys whose strings are none."""
MAX_WORD_LENGTH = 200
_SUMMARY_KEYS = {"length", "sha256"}


def summarize_texts(document: Any) -> Any:
    """The document with ``{"length", "sha256"}`` in place of each text; one that has this already stays as it is."""
    return _replace(document, lambda text: {"length": len(text), "sha256": _hash(text)})


def comparable(document: Any) -> Any:
    """The document with the hash of each text in its place, whether or not the texts have landed."""
    return _replace(document, _hash, lambda summary: summary["sha256"])


def text_length(value: Any) -> int | None:
    """Characters of a text or of what is in its place."""
    if isinstance(value, str):
        return len(value)
    length = value["length"] if _is_summary(value) else None
    return length if isinstance(length, int) else None


def _replace(
    value: Any,
    replace_text: Callable[[str], Any],
    replace_summary: Callable[[Any], Any] = lambda summary: summary,
    key: str = "",
    *,
    is_text: bool = False,
) -> Any:
    if isinstance(value, str):
        return replace_text(value) if value and (is_text or _is_text(value, key)) else value
    if _is_summary(value):
        return replace_summary(value)
    if isinstance(value, dict):
        return {
            name: _replace(
                item, replace_text, replace_summary, name, is_text=_is_below_text(name, item, is_text=is_text)
            )
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_replace(item, replace_text, replace_summary, key, is_text=is_text) for item in value]
    return value


def _is_below_text(name: str, item: Any, *, is_text: bool) -> bool:
    """Whether strings there are texts; the object ``prompt`` of an agent has the models beside the prompt."""
    return is_text or (name in TEXT_KEYS and (name != "prompt" or not isinstance(item, dict)))


def _is_text(value: str, key: str) -> bool:
    return key not in NAME_KEYS and (len(value) > MAX_WORD_LENGTH or any(map(str.isspace, value)))


def _is_summary(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == _SUMMARY_KEYS


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
