"""How a reading is recognised from which retention has taken the content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.extract.fetch_policy import FINISHED


def n_texts(document: Mapping[str, Any]) -> int:
    """Transcript entries that hold text."""
    transcript = document.get("transcript")
    entries = transcript if isinstance(transcript, list) else []
    return sum(1 for entry in entries if isinstance(entry, dict) and entry.get("message"))


def is_blanked(status: object, texts: int, texts_before: int | None) -> bool:
    """Whether retention took the content: a finished call without any text that had some.

    The API has no sure sign for it: retention leaves the row with its length and cost and an empty transcript, and no
    field that tells of it is promised. A call that goes on has no text yet.
    """
    return status in FINISHED and texts == 0 and (texts_before or 0) > 0
