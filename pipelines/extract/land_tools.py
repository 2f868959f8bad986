"""What is landed of a listing of the workspace's tools.

A tool's usage statistics change with every conversation, so each listing lands them, in a field of their own. The
definition is landed only when it has changed; ``changed_at`` and the versions depend on the definition alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipelines.api.responses import ToolsPage
from pipelines.extract.landing_rows import hide
from pipelines.privacy.messages import describe_error
from pipelines.privacy.pseudonyms import Pseudonymizer
from pipelines.transform.canonical_json import dump, fingerprint
from pipelines.transform.tools import STATISTICS, ToolDefinition, flatten_tools
from warehouse.schema.operations import TOOL_UNREADABLE
from warehouse.schema.reference_data import LANDED_TOOLS
from warehouse.storage import quarantine
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import land_items, latest_documents


def land_listing(
    home: Home, listing: ToolsPage, listed_at: datetime, pseudonyms: Pseudonymizer | None = None
) -> dict[str, str]:
    """Land a complete listing, with credentials masked and, if configured, pseudonyms.

    A tool that cannot be landed or flattened is quarantined; if it is known, it stays as it was.

    Returns:
        Why tools were quarantined, by their id.
    """
    errors = {row.name: row.error for row in listing.malformed}
    landed = dict(latest_documents(home, LANDED_TOOLS).select("tool_id", "content_sha256").rows())
    rows: list[dict[str, object]] = []
    for tool_id, tool in listing.tools.items():
        try:
            rows.append(_row(tool_id, tool, listed_at, landed.get(tool_id), pseudonyms))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one tool, the others are landed
            errors[tool_id] = f"the tool cannot be landed: {describe_error(error)}"
            if tool_id in landed:
                unchanged = {"content_sha256": landed[tool_id], "usage_stats": dump(None)}
                rows.append({"tool_id": tool_id, "listed_at": listed_at, **unchanged})
    land_items(home, LANDED_TOOLS, listed_at, rows)
    for tool_id, text in errors.items():
        quarantine.add(home, tool_id, at=listed_at, reason=TOOL_UNREADABLE, error=text)
    return errors


def _row(
    tool_id: str,
    tool: Mapping[str, Any],
    listed_at: datetime,
    landed_sha256: str | None,
    pseudonyms: Pseudonymizer | None,
) -> dict[str, object]:
    masked = hide(tool, pseudonyms)
    definition = {key: value for key, value in masked.items() if key != STATISTICS}
    content = fingerprint(definition)
    if content != landed_sha256:
        flatten_tools([ToolDefinition(tool_id, masked, content, listed_at, listed_at, listed_at, is_gone=False)])
    return {
        "tool_id": tool_id,
        "listed_at": listed_at,
        "content_sha256": content,
        "usage_stats": dump(masked.get(STATISTICS)),
        "payload": None if content == landed_sha256 else dump(definition),
    }
