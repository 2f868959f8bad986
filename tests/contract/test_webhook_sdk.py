"""What the emulator signs, the vendor's own verifier takes, and so does ours; and what ours signs as well."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pytest
from elevenlabs import webhooks_custom
from elevenlabs.client import ElevenLabs
from elevenlabs.errors import BadRequestError

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.webhooks import post_call
from pipelines.webhook.signature import SignatureError, sign, verify

SECRET = "wsec_0123456789"  # noqa: S105 - of this test
UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
NOW = int(UNTIL.timestamp())


@pytest.fixture
def vendors(monkeypatch):
    monkeypatch.setattr(webhooks_custom, "time", SimpleNamespace(time=lambda: float(NOW)))
    with httpx.Client() as line:
        yield ElevenLabs(api_key="demo", httpx_client=line).webhooks


def test_both_verifiers_take_what_the_emulator_signs(vendors):
    document = next(World(conversations=20, days=2, until=UNTIL).details(UNTIL))
    body, header = post_call(document, SECRET, NOW)
    event = vendors.construct_event(body.decode(), header, SECRET)
    assert event["data"]["conversation_id"] == document["conversation_id"]
    assert verify(SECRET, header, body, NOW) in header
    assert header == sign(SECRET, body, NOW)


@pytest.mark.parametrize("age", [1700, 1900])
@pytest.mark.parametrize("secret", [SECRET, "wsec_other"])
def test_both_verifiers_judge_alike(age, secret, vendors):
    body = json.dumps({"type": "post_call_transcription", "data": {"said": "Grüße"}}, ensure_ascii=False).encode()
    header = sign(secret, body, NOW - age)
    judged = []
    for judge, refusal in (
        (lambda: vendors.construct_event(body.decode(), header, SECRET), BadRequestError),
        (lambda: verify(SECRET, header, body, NOW), SignatureError),
    ):
        try:
            judge()
        except refusal:
            judged.append(False)
        else:
            judged.append(True)
    is_right = age < 1800 and secret == SECRET
    assert judged == [is_right, is_right]
