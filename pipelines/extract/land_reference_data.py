"""What is landed of tools, agents, branches, versions and batches: the document only when it has changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from pipelines.extract.landing_rows import hide
from pipelines.privacy.messages import describe_error
from pipelines.privacy.pseudonyms import Pseudonymizer
from pipelines.transform.canonical_json import dump, fingerprint
from warehouse.schema.types import Table
from warehouse.storage import quarantine
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import land_items, latest_documents

Document = Mapping[str, Any]


def land_item_listing(
    home: Home,
    table: Table,
    listed_at: datetime,
    items: Mapping[str, Document | None],
    errors: Mapping[str, str],
    *,
    reason: str,
    check: Callable[[str, Document], None],
    shorten: Callable[[Any], Any],
    statistics: Callable[[Document], Mapping[str, object]],
    incomplete: Collection[str],
    pseudonyms: Pseudonymizer | None,
) -> dict[str, str]:
    """Land a complete listing, with credentials masked and, if configured, pseudonyms.

    Args:
        home: The home folder.
        table: The landed table.
        listed_at: When the listing began.
        items: Documents by item id; None for an item that is as it landed last.
        errors: Why items could not be fetched, by id: they are quarantined. What is known of them and below them stays.
        reason: Why, in the quarantine.
        check: Flattens a document, and raises if it cannot.
        shorten: What is left of a masked document.
        statistics: Columns that change without the document: each listing lands them, from the masked document; those
            of an empty document where there is none.
        incomplete: Beginnings of ids ("" for all) whose list had entries without an id: any of them may be one of these
            entries, so none counts as removed.
        pseudonyms: Replaces personal data; None keeps it.

    Returns:
        ``errors``, and those of items that cannot be landed or flattened.
    """
    failed = dict(errors)
    id_column = table.key[0]
    landed_hashes = dict(latest_documents(home, table).select(id_column, "content_sha256").rows())
    rows: dict[str, dict[str, object]] = {}
    for item_id, document in items.items():
        if document is None:
            continue
        try:
            masked_document = hide(document, pseudonyms)
            short_document = shorten(masked_document)
            row = {"content_sha256": fingerprint(short_document), **statistics(masked_document)}
            if row["content_sha256"] != landed_hashes.get(item_id):
                check(item_id, short_document)
                row["payload"] = dump(short_document)
            rows[item_id] = row
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one item, the others are landed
            failed[item_id] = f"it cannot be landed: {describe_error(error)}"
    for item_id, content in landed_hashes.items():
        is_failed = any(item_id == name or item_id.startswith(f"{name}/") for name in failed)
        is_kept = is_failed or item_id.startswith(tuple(incomplete))
        if item_id not in rows and (is_kept or item_id in items):
            rows[item_id] = {"content_sha256": content, **statistics({})}
    landed_rows = [{id_column: item_id, "listed_at": listed_at, **row} for item_id, row in rows.items()]
    land_items(home, table, listed_at, landed_rows)
    for item_id, text in failed.items():
        quarantine.add(home, item_id, at=listed_at, reason=reason, error=text)
    return failed
