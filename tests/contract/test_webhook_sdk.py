"""The vendor's verifier and ours accept the same signatures, from the emulator and from the tests' signer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pytest

from pipelines.emulator.generator.world import World
from pipelines.webhook.signature import Signature, SignatureError
from tests.helpers.lazy_import import lazy_import
from tests.helpers.signed_webhooks import post_call, sign

client_module, errors = lazy_import("elevenlabs.client"), lazy_import("elevenlabs.errors")

SECRET = "wsec_0123456789"  # noqa: S105 - of this test
UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
NOW = int(UNTIL.timestamp())


@pytest.fixture
def sdk_webhooks(monkeypatch):
    monkeypatch.setattr("elevenlabs.webhooks_custom.time", SimpleNamespace(time=lambda: float(NOW)))
    with httpx.Client() as client:
        yield client_module().ElevenLabs(api_key="demo", httpx_client=client).webhooks


def verified(secret, header, body):
    signature = Signature([secret], header, NOW)
    signature.update(body)
    return signature.verify()


def test_both_verifiers_accept_what_the_emulator_signs(sdk_webhooks):
    document = next(World(conversations=20, days=2, until=UNTIL).details(UNTIL))
    body, header = post_call(document, SECRET, NOW)
    event = sdk_webhooks.construct_event(body.decode(), header, SECRET)
    assert event["data"]["conversation_id"] == document["conversation_id"]
    assert verified(SECRET, header, body).hex() in header
    assert header == sign(SECRET, body, NOW)


@pytest.mark.parametrize("age", [1700, 1900])
@pytest.mark.parametrize("secret", [SECRET, "wsec_other"])
def test_both_verifiers_decide_alike(age, secret, sdk_webhooks):
    body = json.dumps({"type": "post_call_transcription", "data": {"said": "Grüße"}}, ensure_ascii=False).encode()
    header = sign(secret, body, NOW - age)
    decisions = []
    for verifier, refusal in (
        (lambda: sdk_webhooks.construct_event(body.decode(), header, SECRET), errors().BadRequestError),
        (lambda: verified(SECRET, header, body), SignatureError),
    ):
        try:
            verifier()
        except refusal:
            decisions.append(False)
        else:
            decisions.append(True)
    is_right = age < 1800 and secret == SECRET
    assert decisions == [is_right, is_right]
