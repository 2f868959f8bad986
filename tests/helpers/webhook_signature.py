"""Signs webhooks as the vendor documents it, without the code under test."""

from __future__ import annotations

import hmac


def sign(secret: str, body: bytes, at: int) -> str:
    """The value of the header ``ElevenLabs-Signature`` of a body that is sent ``at`` Unix seconds."""
    return f"t={at},v0={hmac.digest(secret.encode(), str(at).encode() + b'.' + body, 'sha256').hex()}"
