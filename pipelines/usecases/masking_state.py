"""Under which rules and settings the landing of a home was masked: a change is reported, ``reprocess`` applies it.

``.masking.json`` in the home folder says what holds for all that is landed. The key of the pseudonyms is in it as a
fingerprint only.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.errors import SettingsError
from pipelines.extract.landing_rows import hide
from pipelines.transform.canonical_json import dump, fingerprint, load
from pipelines.usecases.context import Context
from warehouse.errors import HomeError
from warehouse.storage import parquet
from warehouse.storage.home import Home
from warehouse.storage.remask import remask

RULES_VERSION = 2
"""Version of the rules in ``pipelines.privacy``; the landing of a home without a state was masked by version 1."""
STATE_FILE = ".masking.json"


@dataclass(frozen=True, slots=True)
class MaskingState:
    """``pii`` is the setting, ``key`` the fingerprint of its key."""

    rules: int
    pii: str
    key: str | None


def current_state(context: Context) -> MaskingState:
    """The rules and settings of now."""
    settings = context.settings
    is_hashed = settings.pii == "hash" and settings.pii_key is not None
    key = settings.pii_key.get_secret_value().encode() if is_hashed and settings.pii_key else None
    return MaskingState(
        RULES_VERSION, settings.pii, hmac.digest(key, b"convohouse masking", "sha256").hex()[:16] if key else None
    )


def require_hidden(context: Context) -> None:
    """Check that who is hidden in what is landed is hidden in what lands from now on.

    Raises:
        SettingsError: ``pii`` was hash, and is keep.
        HomeError: the state is damaged.
    """
    landed = _read(context.home)
    if landed is not None and landed.pii == "hash" and context.settings.pii == "keep":
        raise SettingsError(
            f"People are hidden in {context.home.root}, and the setting pii is keep now: whoever lands would be seen.",
            "Set CONVOHOUSE_PII=hash and its key, or run in the folder of convohouse.toml and .env that have them. "
            "`convohouse reprocess` accepts the new setting.",
        )


def start_masking(context: Context) -> None:
    """Write the state of a home that has no data yet; needs the write lock."""
    if not any(context.home.landing.rglob("*.parquet")):
        _write(context.home, current_state(context))


def changed_masking(context: Context) -> tuple[str, ...]:
    """A warning if what is landed was masked by other rules or settings that hide less or others, with what to do."""
    try:
        landed, now = _read(context.home), current_state(context)
    except HomeError as error:
        return (str(error),)
    if landed == now:
        return ()
    if landed is None or landed.rules != now.rules:
        return ("What is landed was masked by the rules of an earlier version. `convohouse reprocess` masks it.",)
    if landed.pii == "keep":
        return ("The setting pii was keep: people are in what is landed. `convohouse reprocess` hides them.",)
    problem = "CONVOHOUSE_PII_KEY has changed: whoever is landed already has another hash than from now on."
    remedy = "Set the earlier key again, or sync into a new home folder; `convohouse reprocess` accepts both hashes."
    return (f"{problem} {remedy}",)


def apply_masking(context: Context, workspaces: Sequence[Context]) -> None:
    """Mask what is landed by the rules and settings of now, if others hold."""
    now = current_state(context)
    with suppress(HomeError):  # damaged: nobody knows what holds, so everything is masked again
        if _read(context.home) == now:
            return
    for workspace in workspaces:
        _remask(workspace)
    _write(context.home, now)


def _remask(workspace: Context) -> None:
    pseudonyms = workspace.pseudonyms

    def change(row: Mapping[str, Any], hash_column: str) -> Mapping[str, Any]:
        payload = row["payload"]
        if payload is None or row.get("is_redacted"):
            return row
        document = load(payload)
        hidden = hide(document, pseudonyms)
        if hidden == document:
            return row
        return {**row, "payload": dump(hidden), hash_column: fingerprint(hidden)}

    def change_list_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
        changed = change(row, "fingerprint")
        return changed if changed is row else {**changed, "agent_name": hide(row["agent_name"], pseudonyms)}

    landed: dict[str, str] = {}

    def change_item(row: Mapping[str, Any]) -> Mapping[str, Any]:
        changed = change(row, "content_sha256")
        if row["payload"] is None:
            return row
        item_id, sha256 = row.get("tool_id") or row["item_id"], changed["content_sha256"]
        if landed.get(item_id) == sha256:  # a document lands only if it has changed
            return {**changed, "payload": None}
        landed[item_id] = sha256
        return changed

    remask(workspace.home, lambda row: change(row, "content_sha256"), change_list_row, change_item)


def _read(home: Home) -> MaskingState | None:
    """The state of the home; None if it has none, as one of the first versions.

    Raises:
        HomeError: the file is damaged, so nobody knows whether people are hidden in what is landed.
    """
    file = home.root / STATE_FILE
    try:
        return MaskingState(**json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError) as error:
        raise HomeError(
            f"{file} is damaged: it says under which settings the landing was masked.",
            "Restore it from a backup. Or check the setting pii, then run `convohouse reprocess`, which masks what is "
            "landed by the settings of now and writes the file.",
        ) from error


def _write(home: Home, state: MaskingState) -> None:
    with parquet.replacing(home, home.root / STATE_FILE) as temporary:
        temporary.write_text(json.dumps(asdict(state)) + "\n", encoding="utf-8")
