"""Canonical JSON of a document: equal content gives equal bytes, and so the same fingerprint."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec


def load(raw: bytes | bytearray) -> Any:
    """JSON as Python objects; the standard library reads what msgspec rejects (a lone surrogate)."""
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return json.loads(raw)


def dump(document: Any, *, is_canonical: bool = False) -> bytes:
    """Compact JSON; canonical means with sorted keys, so that equal documents give equal bytes."""
    try:
        return msgspec.json.encode(document, order="deterministic" if is_canonical else None)
    except (UnicodeEncodeError, OverflowError):
        return json.dumps(document, separators=(",", ":"), sort_keys=is_canonical).encode()


def fingerprint(document: Any) -> str:
    """SHA-256 of the canonical JSON, in hex."""
    return hashlib.sha256(dump(document, is_canonical=True)).hexdigest()
