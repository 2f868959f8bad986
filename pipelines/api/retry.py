"""Which requests are retried, and after how long a wait: pure rules, no I/O.

The rules follow the vendor's documentation of errors and recorded responses. ``Retry-After`` is undocumented: it is
honoured where it comes and never required.
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

CREDENTIALS_CODES = frozenset({
    "invalid_api_key",
    "invalid_authorization_header",
    "missing_permissions",
    "needs_authorization",
    "quota_exceeded",
})  # fmt: skip


class ResponseClass(StrEnum):
    """What an error response means for the request."""

    RETRY = "retry"
    """The server is busy or down at the moment."""
    CREDENTIALS = "credentials"
    """The key, its scope or its quota is rejected: a retry cannot succeed."""
    CURSOR = "cursor"
    """The cursor is rejected: list that window again from its start."""
    NOT_FOUND = "not_found"
    """There is no such resource."""
    UNEXPECTED = "unexpected"
    """The request itself is wrong, or the response is not one that the API gives."""


def classify_response(status: int, code: str | None, *, had_cursor: bool) -> ResponseClass:
    """Classify an HTTP ``status`` outside 2xx, and the vendor's error ``code`` where the body has one.

    A code about the key counts more than a status below 500: the vendor sends the same codes with 400 and 401.
    """
    if status in {401, 402, 403} or (status < HTTPStatus.INTERNAL_SERVER_ERROR and code in CREDENTIALS_CODES):
        return ResponseClass.CREDENTIALS
    if status in {408, 429} or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ResponseClass.RETRY
    if had_cursor and status >= HTTPStatus.BAD_REQUEST:
        return ResponseClass.CURSOR
    return ResponseClass.NOT_FOUND if status == HTTPStatus.NOT_FOUND else ResponseClass.UNEXPECTED


def retry_after_secs(header: str | None, now: datetime) -> float | None:
    """Read ``Retry-After`` (RFC 9110: seconds or an HTTP date) as seconds from ``now`` (aware), 0 to 60.

    Returns:
        ``None`` where the header is absent or malformed.
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
    """Seconds to wait after the failed ``attempt`` (from 1): exponential backoff with full jitter, at most 30 s.

    ``retry_after`` is added, not taken as the wait: so no retry comes too early, and many do not come at once.
    """
    ceiling = min(BACKOFF_CAP_SECS, BACKOFF_BASE_SECS * 2.0 ** (attempt - 1))
    return (retry_after or 0.0) + random() * ceiling
