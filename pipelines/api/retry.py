"""When a request is tried again, and after what wait: pure rules, no I/O.

The table is the vendor's documented one, with what recorded answers add; ``Retry-After`` may or may not come, so it is
honoured and never needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus

BACKOFF_BASE_SECS = 0.5
BACKOFF_CAP_SECS = 30.0
RETRY_AFTER_CAP_SECS = 60.0

INVALID_KEY_PHRASES = frozenset({
    "invalid_api_key",
    "invalid_authorization_header",
    "missing_permissions",
    "needs_authorization",
    "quota_exceeded",
})  # fmt: skip


class ResponseClass(StrEnum):
    """What an answer that is no success means for the request."""

    RETRY = "retry"
    """The server is busy or broken for now."""
    CREDENTIALS = "credentials"
    """The key, its scopes or its quota: no request will succeed."""
    CURSOR = "cursor"
    """The cursor is refused: list that window again from its start."""
    NOT_FOUND = "gone"
    """What was asked for is not there."""
    UNEXPECTED = "stop"
    """The request itself is wrong, or the answer is none the API gives."""


def classify_response(status: int, code: str | None, *, had_cursor: bool) -> ResponseClass:
    """Judge an HTTP ``status`` outside 2xx, with the vendor's word ``code`` where one came.

    A word about the key wins over a status below 500: the vendor sends the same words with 400 and 401.
    """
    if status in {401, 402, 403} or (status < HTTPStatus.INTERNAL_SERVER_ERROR and code in INVALID_KEY_PHRASES):
        return ResponseClass.CREDENTIALS
    if status in {408, 429} or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ResponseClass.RETRY
    if had_cursor and status >= HTTPStatus.BAD_REQUEST:
        return ResponseClass.CURSOR
    return ResponseClass.NOT_FOUND if status == HTTPStatus.NOT_FOUND else ResponseClass.UNEXPECTED


def retry_after_secs(header: str | None, now: datetime) -> float | None:
    """Read ``Retry-After`` (RFC 9110: seconds or an HTTP date) as seconds from ``now`` (aware), 0 to 60.

    Returns:
        ``None`` where the header is absent or says nothing that can be read.
    """
    if header is None:
        return None
    try:
        secs = float(header)
    except ValueError:
        try:
            secs = max((parsedate_to_datetime(header) - now).total_seconds(), 0.0)
        except (ValueError, TypeError):  # TypeError: a date without a zone cannot be compared
            return None
    return min(secs, RETRY_AFTER_CAP_SECS) if math.isfinite(secs) and secs >= 0 else None


def backoff_secs(attempt: int, retry_after: float | None, random: Callable[[], float]) -> float:
    """Say how long to wait after the failed ``attempt`` (from 1): exponential with full jitter, at most 30 s.

    What the server asked for comes on top, so that no request returns too early and many do not return at once.
    """
    ceiling = min(BACKOFF_CAP_SECS, BACKOFF_BASE_SECS * 2.0 ** (attempt - 1))
    return (retry_after or 0.0) + random() * ceiling
