"""What of an event may be named: never a value of the document that could not be landed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipelines.webhook.events import read_event
from tests.helpers.sample_documents import detail

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Failing:
    """Pseudonyms of a document that cannot be made, for a reason that quotes it."""

    def __init__(self, error):
        self.error = error

    def pseudonymize(self, document):
        if "transcript" in document:
            raise self.error
        return document


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("could not convert 'call +49 170 1234567'"), "ValueError"),
        (KeyError("call +49 170 1234567"), "KeyError"),
        (OverflowError("date value out of range"), "OverflowError: date value out of range"),
    ],
)
def test_the_reason_of_a_quarantine_quotes_no_value(error, reason):
    document = detail(transcript=[{"role": "user", "message": "hello"}])
    body = json.dumps({"type": "post_call_transcription", "data": document}).encode()
    landing = read_event(body, NOW, Failing(error))
    assert landing.message == f"quarantined conv_a: {reason}"
    (_, row), _ = landing.rows
    assert row["error"] == f"webhook: {reason}"
