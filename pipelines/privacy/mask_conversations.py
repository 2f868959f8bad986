"""Masking of credentials in a conversation, before it is written to the disk.

Tool calls and tool results contain what was sent to the customer's own services and what they returned, which includes
keys (seen in recorded responses). Headers keep their names and lose their values; in URLs, bodies, arguments, results
and errors, whatever looks like a credential is masked. Dynamic variables are masked too; what people said is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from pipelines.privacy.credentials import MASK, is_secret_name, mask_plain, may_contain_credentials
from pipelines.privacy.embedded_json import change_embedded_json

HISTORY_VARIABLE = "system__conversation_history"
_LABELS = ("name", "key", "variable_name")
_VALUES = ("value", "old_value", "new_value")


def mask_credentials(document: Any) -> bool:
    """Mask the credentials of a conversation in place; returns whether there were any."""
    is_masked = False
    for holder, key in _places(document):
        if not _may_contain_credentials(holder[key]):
            continue
        masked = mask(holder[key])
        is_masked |= masked != holder[key]
        holder[key] = masked
    return is_masked


def _places(document: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Where credentials can be: parent object and key of each such value that is not empty."""
    document = _object(document)
    transcript = document.get("transcript")
    client = _object(document.get("conversation_initiation_client_data"))
    phone_call = _object(_object(document.get("metadata")).get("phone_call"))
    holders = [
        (client, ("dynamic_variables", "custom_llm_extra_body")),
        (phone_call, ("sip_header_dynamic_variables",)),
    ]
    entries = transcript if isinstance(transcript, list) else ()
    holders += [(_object(entry), ("tool_calls", "tool_results")) for entry in entries]
    return ((holder, key) for holder, keys in holders for key in keys if holder.get(key))


def _may_contain_credentials(value: Any) -> bool:
    """Whether a value is worth walking through: most are not, and encoding one as JSON to search it is cheap."""
    if isinstance(value, dict):
        value = {key: item for key, item in value.items() if not _is_transcript_text(key, item, value)}
    try:
        text = msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, OverflowError):  # a lone surrogate, a number beyond 64 bits
        return True
    return may_contain_credentials(text)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def mask(value: Any, *, in_details: bool = False) -> Any:
    """A JSON value with its credentials masked.

    ``in_details`` is true below ``tool_details`` of a tool call, where ``headers`` are at more than one level.
    """
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, list):
        return [mask(item, in_details=in_details) for item in value]
    if not isinstance(value, dict):
        return value
    secret_keys = _VALUES if _is_labelled_secret(value) else ()
    masked = {}
    for key, item in value.items():
        if in_details and key == "headers" and item:
            masked[key] = dict.fromkeys(item, MASK) if isinstance(item, dict) else MASK
        elif key in secret_keys or is_secret_name(key):
            masked[key] = replacement_of(item)
        elif _is_transcript_text(key, item, value):
            masked[key] = item
        else:
            masked[key] = mask(item, in_details=in_details or key == "tool_details")
    return masked


def _is_labelled_secret(value: dict[str, Any]) -> bool:
    """Whether the label of an object says that its value is a credential, such as ``{"name": "api_key", "value": …}``.

    Both the label and its masked form are checked, so that masking a masked document changes nothing.
    """
    for key in _LABELS:
        label = value.get(key)
        if isinstance(label, str):
            return is_secret_name(label) or is_secret_name(mask_text(label))
    return False


def mask_text(text: str) -> str:
    """A text with its credentials masked; JSON stays JSON, at every level of nesting."""
    if not may_contain_credentials(text):
        return text
    changed = change_embedded_json(text, mask)
    return mask_plain(text) if changed is None else changed


def _is_transcript_text(key: str, item: Any, holder: dict[str, Any]) -> bool:
    """Whether a value is what people said: a message, or a history that repeats the transcript and mentions no tool."""
    return (key == "message" and "role" in holder) or (
        key == HISTORY_VARIABLE and isinstance(item, str) and "tool" not in item
    )


def replacement_of(value: Any) -> Any:
    """The replacement of a credential: the same structure with every text and number masked."""
    if isinstance(value, dict):
        return {key: replacement_of(item) for key, item in value.items()}
    if isinstance(value, list):
        return [replacement_of(item) for item in value]
    return value if value is None or value == "" or isinstance(value, bool) else MASK
