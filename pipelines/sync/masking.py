"""Credentials leave a document before it touches the disk.

The details of a tool call carry the headers that were sent to the customer's own services, keys among them (recorded
responses): their names stay, their values do not.
"""

from __future__ import annotations

from typing import Any

MASK = "***"


def mask_headers(document: Any) -> bool:
    """Mask the header values of every tool call in place, nested ones included; say whether there were any."""
    below = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    n_masked = sum(mask_headers(item) for item in below if isinstance(item, dict | list))
    details = document.get("tool_details") if isinstance(document, dict) else None
    if isinstance(details, dict) and details.get("headers"):
        headers = details["headers"]
        details["headers"] = dict.fromkeys(headers, MASK) if isinstance(headers, dict) else MASK
        n_masked += 1
    return n_masked > 0
