"""The signature of a webhook: an HMAC over the time and the body as it came, compared in constant time.

``ElevenLabs-Signature: t=<Unix seconds>,v0=<hex HMAC-SHA256(secret, "<t>." + body)>``, as the vendor documents it and
its SDK verifies it (``webhooks.construct_event``), with half an hour for a webhook to arrive.
"""

from __future__ import annotations

import hmac
import re

HEADER = "elevenlabs-signature"
TOLERANCE_SECS = 1800
_DIGEST = re.compile(r"[0-9a-f]{64}")


class SignatureError(Exception):
    """A body is not signed as the vendor signs; the text says why, without anything of it."""


def sign(secret: str, body: bytes, at: int) -> str:
    """The header of a body that is sent ``at`` Unix seconds."""
    return f"t={at},v0={_digest(secret, body, str(at))}"


def verify(secret: str, header: str | None, body: bytes, now: float) -> str:
    """The HMAC of a body that is the vendor's and of this half-hour: the same for the same time and body alone.

    Args:
        secret: What the vendor signs with.
        header: The request's signature.
        body: The body, byte for byte.
        now: Unix seconds.

    Raises:
        SignatureError: it is not, or not of this moment.
    """
    parts = [part.strip().partition("=") for part in (header or "").split(",")]
    times = [value for name, _, value in parts if name == "t"]
    digests = [value for name, _, value in parts if name == "v0" and _DIGEST.fullmatch(value)]
    if len(times) != 1 or not re.fullmatch(r"\d{1,11}", times[0], re.ASCII) or not digests:
        raise SignatureError("there is no signature")
    expected = _digest(secret, body, times[0])
    if True not in [hmac.compare_digest(expected, digest) for digest in digests]:  # all are compared
        raise SignatureError("the signature is not that of the body")
    if abs(now - int(times[0])) > TOLERANCE_SECS:
        raise SignatureError("the signature is too old, or from the future")
    return expected


def _digest(secret: str, body: bytes, at: str) -> str:
    return hmac.digest(secret.encode(), at.encode() + b"." + body, "sha256").hex()
