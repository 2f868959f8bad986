"""The signature of a webhook: an HMAC over the time and the unparsed body, compared in constant time.

``ElevenLabs-Signature: t=<Unix seconds>,v0=<hex HMAC-SHA256(secret, "<t>." + body)>``, as the vendor documents it and
its SDK verifies it (``webhooks.construct_event``). A signature is valid for half an hour, as in the SDK.
"""

from __future__ import annotations

import hmac
import re

HEADER = "elevenlabs-signature"
TOLERANCE_SECS = 1800
_DIGEST = re.compile(r"[0-9a-f]{64}")


class SignatureError(Exception):
    """The signature is missing, wrong or expired; the text says which and quotes nothing of the request."""


def verify(secret: str, header: str | None, body: bytes, now: float) -> str:
    """Verify a signature and return its HMAC in hex, which identifies this time and body.

    Args:
        secret: The secret that the API showed when the webhook was created.
        header: The value of the request's signature header; None if it has none.
        body: The body, byte for byte.
        now: Unix seconds.

    Raises:
        SignatureError: the signature is missing, wrong or expired.
    """
    parts = [part.strip().partition("=") for part in (header or "").split(",")]
    times = [value for name, _, value in parts if name == "t"]
    digests = [value for name, _, value in parts if name == "v0" and _DIGEST.fullmatch(value)]
    if len(times) != 1 or not re.fullmatch(r"\d{1,11}", times[0], re.ASCII) or not digests:
        raise SignatureError("there is no signature")
    expected = _digest(secret, body, times[0])
    # a list, so that every digest is compared and the time taken says nothing about them
    if True not in [hmac.compare_digest(expected, digest) for digest in digests]:
        raise SignatureError("the signature does not match the body")
    if abs(now - int(times[0])) > TOLERANCE_SECS:
        raise SignatureError("the signature is too old or in the future")
    return expected


def _digest(secret: str, body: bytes, at: str) -> str:
    return hmac.digest(secret.encode(), at.encode() + b"." + body, "sha256").hex()
