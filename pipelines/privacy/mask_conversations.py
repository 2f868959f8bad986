"""Credentials leave a document before it touches the disk.

Tool calls and their results hold what was sent to the customer's own services and what came back, keys among it
(recorded responses): headers keep their names and lose their values, and what looks like a credential in addresses,
bodies, arguments, results and errors is masked. The variables of a call are looked through as well; what people said
is not.
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
    """Mask the credentials of a conversation detail in place; say whether there were any."""
    is_masked = False
    for holder, key in _places(document):
        if not _may_contain_credentials(holder[key]):
            continue
        masked = mask(holder[key])
        is_masked |= masked != holder[key]
        holder[key] = masked
    return is_masked


def _places(document: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Where credentials can stand: holder and key of each place that is filled."""
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
    """Whether a place is worth walking through: most are not, and to write one as JSON is cheap."""
    if isinstance(value, dict):
        value = {key: item for key, item in value.items() if not _is_transcript_text(key, item, value)}
    try:
        written = msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, OverflowError):  # a lone surrogate, a number beyond 64 bits
        return True
    return may_contain_credentials(written)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def mask(value: Any, *, in_details: bool = False) -> Any:
    """A JSON value without the credentials in it.

    ``in_details`` is set below a call's ``tool_details``, where ``headers`` stand at more than one level.
    """
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, list):
        return [mask(item, in_details=in_details) for item in value]
    if not isinstance(value, dict):
        return value
    secret = _VALUES if _is_labelled_secret(value) else ()
    masked = {}
    for key, item in value.items():
        if in_details and key == "headers" and item:
            masked[key] = dict.fromkeys(item, MASK) if isinstance(item, dict) else MASK
        elif key in secret or is_secret_name(key):
            masked[key] = replacement_of(item)
        elif _is_transcript_text(key, item, value):
            masked[key] = item
        else:
            masked[key] = mask(item, in_details=in_details or key == "tool_details")
    return masked


def _is_labelled_secret(value: dict[str, Any]) -> bool:
    """Whether an object says that the value in it is a credential.

    It is asked of the label as it came and as it lands: a document that is masked again must come out the same.
    """
    for key in _LABELS:
        label = value.get(key)
        if isinstance(label, str):
            return is_secret_name(label) or is_secret_name(mask_text(label))
    return False


def mask_text(text: str) -> str:
    """A text without the credentials in it; JSON, in whatever layer, stays JSON."""
    if not may_contain_credentials(text):
        return text
    changed = change_embedded_json(text, mask)
    return mask_plain(text) if changed is None else changed


def _is_transcript_text(key: str, item: Any, holder: dict[str, Any]) -> bool:
    """What people said, in the history that repeats the transcript; of it, only tools can hold credentials."""
    return (key == "message" and "role" in holder) or (
        key == HISTORY_VARIABLE and isinstance(item, str) and "tool" not in item
    )


def replacement_of(value: Any) -> Any:
    """What stands where a credential does: every text and number of it masked."""
    if isinstance(value, dict):
        return {key: replacement_of(item) for key, item in value.items()}
    if isinstance(value, list):
        return [replacement_of(item) for item in value]
    return value if value is None or value == "" or isinstance(value, bool) else MASK
