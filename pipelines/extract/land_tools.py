"""What is landed of a listing of the workspace's tools.

A tool's usage statistics change with every conversation, so each listing lands them, in a field of their own. The
definition is landed only when it has changed; ``changed_at`` and the versions depend on the definition alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipelines.privacy.mask_documents import mask
from pipelines.privacy.pseudonyms import Pseudonymizer
from pipelines.transform.canonical_json import dump, fingerprint
from pipelines.transform.tools import STATISTICS, latest_definitions
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import land_tools


def land_listing(
    home: Home, tools: Mapping[str, Mapping[str, Any]], listed_at: datetime, pseudonyms: Pseudonymizer | None = None
) -> None:
    """Land a complete listing (definitions by tool id), with credentials masked and, if configured, pseudonyms."""
    landed = dict(latest_definitions(home).select("tool_id", "content_sha256").rows())
    rows = [_row(tool_id, tool, listed_at, landed.get(tool_id), pseudonyms) for tool_id, tool in tools.items()]
    land_tools(home, listed_at, rows)


def _row(
    tool_id: str,
    tool: Mapping[str, Any],
    listed_at: datetime,
    landed_sha256: str | None,
    pseudonyms: Pseudonymizer | None,
) -> dict[str, object]:
    masked = mask(tool)
    if pseudonyms is not None:
        masked = pseudonyms.pseudonymize(masked)
    definition = {key: value for key, value in masked.items() if key != STATISTICS}
    content = fingerprint(definition)
    return {
        "tool_id": tool_id,
        "listed_at": listed_at,
        "content_sha256": content,
        "usage_stats": dump(masked.get(STATISTICS)),
        "payload": None if content == landed_sha256 else dump(definition),
    }
