"""Remembers which webhooks were answered, so that a repeat is answered and not landed again."""

from __future__ import annotations

MAX_DIGESTS = 100_000
"""About 20 MB. Landing a webhook twice does no harm, so forgetting one early does none either."""


class ReplayMemory:
    """The digests of answered webhooks, each until its signature expires, the latest ``max_digests`` of them."""

    def __init__(self, max_digests: int = MAX_DIGESTS) -> None:
        self._max_digests = max_digests
        self._expiry_by_digest: dict[bytes, float] = {}

    def add(self, digest: bytes, expires_at: float, now: float) -> None:
        """Remember a webhook until ``expires_at`` (Unix seconds); what has expired is forgotten, oldest first."""
        self._expiry_by_digest[digest] = expires_at
        while len(self._expiry_by_digest) > self._max_digests or self._oldest_expiry() < now:
            del self._expiry_by_digest[next(iter(self._expiry_by_digest))]

    def __contains__(self, digest: bytes) -> bool:
        """Whether a webhook was added; one whose signature has expired is refused before this is asked."""
        return digest in self._expiry_by_digest

    def _oldest_expiry(self) -> float:
        return next(iter(self._expiry_by_digest.values()))
