"""Webhooks, signed as the vendor documents it, without the code under test."""

from __future__ import annotations

import hmac

import msgspec

from pipelines.emulator.generator.transcript import Json

_AUDIO_FLAGS = ("has_audio", "has_user_audio", "has_response_audio")


def post_call(document: Json, secret: str, at: int) -> tuple[bytes, str]:
    """Body and signature of the webhook of a conversation; its data is the detail without the flags of the audio."""
    data = {key: value for key, value in document.items() if key not in _AUDIO_FLAGS}
    body = msgspec.json.encode({"type": "post_call_transcription", "event_timestamp": at, "data": data})
    return body, sign(secret, body, at)


def sign(secret: str, body: bytes, at: int) -> str:
    """The value of the header ``ElevenLabs-Signature`` of a body that is sent ``at`` Unix seconds."""
    return f"t={at},v0={hmac.digest(secret.encode(), str(at).encode() + b'.' + body, 'sha256').hex()}"
