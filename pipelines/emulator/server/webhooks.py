"""The post-call webhook that the API sends of a conversation, signed as the API signs."""

from __future__ import annotations

import hmac

import msgspec

from pipelines.emulator.generator.transcript import Json

_AUDIO_FLAGS = ("has_audio", "has_user_audio", "has_response_audio")


def post_call(document: Json, secret: str, at: int, *, kind: str = "post_call_transcription") -> tuple[bytes, str]:
    """Body and value of the header ``ElevenLabs-Signature`` of a webhook that is sent ``at`` Unix seconds.

    Its data is the detail without the flags of the audio.
    """
    data = {key: value for key, value in document.items() if key not in _AUDIO_FLAGS}
    body = msgspec.json.encode({"type": kind, "event_timestamp": at, "data": data})
    digest = hmac.digest(secret.encode(), f"{at}.".encode() + body, "sha256").hex()
    return body, f"t={at},v0={digest}"
