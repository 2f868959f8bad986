"""From the list of tools to the lake: what lands of a listing, and the tables that the landing makes.

A tool's statistics of use change with every call, so they land in each listing, beside the definition, which lands only
when it has changed: ``changed_at`` and the versions are of the definition alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipelines.privacy.mask_tools import mask_tool
from pipelines.privacy.pseudonyms import Pseudonymizer
from pipelines.transform.canonical_json import dump, fingerprint
from pipelines.transform.tools import STATISTICS, latest_definitions
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import land_tools


def land_listing(
    home: Home, tools: Mapping[str, Mapping[str, Any]], listed_at: datetime, pseudonyms: Pseudonymizer | None = None
) -> None:
    """Land a complete listing (definitions by id), without credentials, and without people where they are hidden."""
    known = dict(latest_definitions(home).select("tool_id", "content_sha256").rows())
    land_tools(home, listed_at, [_row(*each, listed_at, known, pseudonyms) for each in tools.items()])


def _row(
    tool_id: str,
    tool: Mapping[str, Any],
    listed_at: datetime,
    known: Mapping[str, str],
    pseudonyms: Pseudonymizer | None,
) -> dict[str, object]:
    masked = mask_tool(tool)
    if pseudonyms is not None:
        masked = pseudonyms.pseudonymize(masked)
    definition = {key: value for key, value in masked.items() if key != STATISTICS}
    content = fingerprint(definition)
    return {
        "tool_id": tool_id,
        "listed_at": listed_at,
        "content_sha256": content,
        "usage_stats": dump(masked.get(STATISTICS)),
        "payload": None if known.get(tool_id) == content else dump(definition),
    }
