"""Credentials leave a document before it touches the disk.

The details of a tool call carry the headers that were sent to the customer's own services, keys among them (recorded
responses): their names stay, their values do not.
"""

from __future__ import annotations

from typing import Any

MASK = "***"


def mask_headers(document: Any, *, in_tool: bool = False) -> bool:
    """Mask the header values of every tool call in place, nested ones included; say whether there were any.

    ``in_tool`` is set below a call's ``tool_details``, where ``headers`` stand at more than one level.
    """
    if isinstance(document, list):
        return sum(mask_headers(item, in_tool=in_tool) for item in document) > 0
    if not isinstance(document, dict):
        return False
    n_masked = sum(mask_headers(item, in_tool=in_tool or key == "tool_details") for key, item in document.items())
    headers = document.get("headers")
    if in_tool and headers:
        document["headers"] = dict.fromkeys(headers, MASK) if isinstance(headers, dict) else MASK
        n_masked += 1
    return n_masked > 0
