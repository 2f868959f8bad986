"""The signature of a webhook: an HMAC over the time and the unparsed body, compared in constant time.

``ElevenLabs-Signature: t=<Unix seconds>,v0=<hex HMAC-SHA256(secret, "<t>." + body)>``, as the vendor documents it and
its SDK verifies it (``webhooks.construct_event``). A signature is valid for half an hour, as in the SDK.

A signature is read and dated before the body is, so a request without one costs no memory; the HMAC is computed while
the body arrives.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence

HEADER = "elevenlabs-signature"
TOLERANCE_SECS = 1800
MAX_SIGNATURES = 8
"""Digests in a header; each costs a comparison."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{1,11}", re.ASCII)


class SignatureError(Exception):
    """The signature is missing, wrong or expired; the text says which and quotes nothing of the request."""


class Signature:
    """The signature of a body that is arriving: ``update`` with each part of it, then ``verify``.

    Args:
        secrets: The secrets that the API showed for its webhooks: more than one while one replaces another.
        header: The value of the request's signature header; None if it has none.
        now: Unix seconds.

    Raises:
        SignatureError: there is no signature, or its time is more than ``TOLERANCE_SECS`` away.
    """

    def __init__(self, secrets: Sequence[str], header: str | None, now: float) -> None:
        parts = [part.strip().partition("=") for part in (header or "").split(",")]
        times = [value for name, _, value in parts if name == "t"]
        self._digests = [value for name, _, value in parts if name == "v0" and _DIGEST.fullmatch(value)]
        if len(times) != 1 or not _TIME.fullmatch(times[0]) or not 1 <= len(self._digests) <= MAX_SIGNATURES:
            raise SignatureError("there is no signature")
        self.expires_at = int(times[0]) + TOLERANCE_SECS
        """The last Unix second at which the signature is valid."""
        if abs(now - int(times[0])) > TOLERANCE_SECS:
            raise SignatureError("the signature is too old or in the future")
        prefix = times[0].encode() + b"."
        self._hmacs = [hmac.new(secret.encode(), prefix, "sha256") for secret in secrets]

    def update(self, part: bytes) -> None:
        """Add the next part of the body."""
        for secret_hmac in self._hmacs:
            secret_hmac.update(part)

    def verify(self) -> bytes:
        """Verify the signature of the complete body and return its HMAC, which identifies this time and body.

        Raises:
            SignatureError: no secret gives a digest of the header.
        """
        expected = [secret_hmac.hexdigest() for secret_hmac in self._hmacs]
        # a list, so that every digest is compared with every HMAC, and the time taken says nothing about them
        matches = [
            hexdigest for hexdigest in expected for digest in self._digests if hmac.compare_digest(hexdigest, digest)
        ]
        if not matches:
            raise SignatureError("the signature does not match the body")
        return bytes.fromhex(matches[0])
