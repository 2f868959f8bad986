"""What each kind of event does: which lands, which makes a conversation due, which is quarantined, which is ignored."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from elevenlabs.types import webhook_event_type

from pipelines.emulator.server.app import create_app as emulate
from pipelines.emulator.server.serve import running
from pipelines.extract.fetch_plan import plan_fetches
from pipelines.extract.fetch_policy import REASONS
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from pipelines.usecases.erasure import erase
from pipelines.usecases.status import read_status
from tests.helpers.disk_contents import contents
from tests.helpers.receiving import AT, SECRET, UNTIL, Receiving
from tests.helpers.signed_webhooks import sign
from warehouse.schema.activity import WEBHOOK_EVENTS
from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS
from warehouse.storage import activity_log, lake, landing, quarantine

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

TRANSCRIPT = "post_call_transcription"


@pytest.fixture
def here(tmp_path):
    here = Receiving(tmp_path, reread_days=())
    with here.serving():
        yield here


def event(data, kind=TRANSCRIPT, at=AT - 60):
    return {"type": kind, "event_timestamp": at, "data": data}


def due(here, now=None):
    """Ids and reasons of the conversations that the next run fetches."""
    plan = plan_fetches(here.home, now=now or here.now, reread_days=(), confirm_after=timedelta(days=1))
    return dict(plan.select("conversation_id", "reason").rows())


def sync_with(here, api, run_id="1"):
    settings = here.context.settings.model_copy(update={"base_url": api})
    return sync.sync(Context(settings, clock=lambda: here.now), run_id=run_id)


OTEL = {"conversation_id": "conv_o", "agent_id": "agent_a", "otlp_traces": {"resourceSpans": []}}


def test_an_opentelemetry_event_makes_the_conversation_due(here):
    assert here.send(event(OTEL, "post_call_transcription_otel")) == (
        200,
        "noted 'post_call_transcription_otel' of conv_o",
    )
    assert here.landed() == []
    assert due(here) == {"conv_o": "new"}  # although no listing has it
    status = read_status(here.home, now=here.now, reread_days=(), confirm_after=timedelta(days=1))
    assert status.to_fetch == dict.fromkeys(REASONS, 0) | {"new": 1}


def test_a_due_conversation_is_read_by_the_next_sync_once(here):
    document = here.documents()[0]
    conversation_id = document["conversation_id"]
    with running(emulate(here.world, clock=lambda: here.now)) as api:
        assert sync_with(here, api).problems == ()
        assert conversation_id not in due(here)
        here.now += timedelta(minutes=1)
        here.send(event({"conversation_id": conversation_id}, "post_call_transcription_otel", at=AT), AT + 60)
        assert due(here)[conversation_id] == "asked"
        here.now += timedelta(minutes=1)
        assert sync_with(here, api, "2").problems == ()
    assert conversation_id not in due(here)
    assert landing.snapshots(here.home, [conversation_id])["kind"].to_list() == ["document", "unchanged"]


@pytest.mark.parametrize("transcript", [[], None, "absent", [{"role": "agent", "message": None}]])
def test_a_body_without_transcript_never_hides_a_fuller_one(transcript, here):
    document = here.documents()[0]
    poor = {key: value for key, value in document.items() if key != "transcript"}
    poor |= {} if transcript == "absent" else {"transcript": transcript}
    assert here.send(event(document, at=AT - 60))[0] == 200
    answer = here.send(event(poor, at=AT - 30))
    assert answer == (200, f"noted {document['conversation_id']}, which has no transcript here")
    assert sync.reprocess(here.context, run_id="1").problems == ()
    (row,) = lake.read(here.home, CONVERSATION_CHECKS).to_dicts()
    assert row["content_sha256"] == landing.snapshots(here.home)["content_sha256"].item()
    assert lake.read(here.home, CONVERSATIONS)["conversation_id"].to_list() == [document["conversation_id"]]
    assert due(here) == {document["conversation_id"]: "asked"}


def test_fields_beside_the_type_are_read_as_those_under_data(here):
    document = here.documents()[0]
    assert here.send({"type": TRANSCRIPT, "event_timestamp": AT - 60} | document)[0] == 200
    here.now += timedelta(seconds=1)
    assert here.send(event(document, at=AT - 59))[0] == 200
    inline, nested = landing.snapshots(here.home)["content_sha256"].to_list()
    assert inline == nested


def test_a_failed_attempt_is_kept_by_agent_and_not_asked_for(here):
    data = {"agent_id": "agent_a", "conversation_id": "conv_f", "failure_reason": "busy"}
    sip = data | {"metadata": {"type": "sip", "body": {"sip_status_code": 486}}}
    called = {"Called": "+15550100009", "SipResponseCode": "603", "CallStatus": "no-answer"}
    twilio = data | {"conversation_id": "conv_g", "metadata": {"type": "twilio", "body": called}}
    for failure in (sip, twilio, data | {"conversation_id": "conv_h", "metadata": None, "failure_reason": 7}):
        assert here.send(event(failure, "call_initiation_failure"))[0] == 200
    columns = ("conversation_id", "agent_id", "failure_reason", "provider", "sip_status")
    assert sorted((tuple(row[column] for column in columns) for row in here.events()), key=str) == [
        ("conv_f", "agent_a", "busy", "sip", 486),
        ("conv_g", "agent_a", "busy", "twilio", 603),
        ("conv_h", "agent_a", None, None, None),
    ]
    assert due(here) == {}
    assert b"0100009" not in contents(here.home.root)
    assert sync.reprocess(here.context, run_id="1").problems == ()
    assert lake.read(here.home, WEBHOOK_EVENTS).height == 3


@pytest.mark.parametrize("size", [100, 18_000_000])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_recording_of_18_mb_sent_in_chunks_is_answered_and_not_kept(size, is_first, here):
    data = {"agent_id": "a", "conversation_id": "conv_a", "full_audio": "A" * size}
    kind = {"type": "post_call_audio", "event_timestamp": AT}
    body = json.dumps(kind | {"data": data} if is_first else {"data": data} | kind).encode()

    chunks = iter([body[start : start + 65_536] for start in range(0, len(body), 65_536)])
    status, message = here.post(chunks, sign(SECRET, body, AT))
    assert (status, message.endswith("`convohouse audio` downloads recordings")) == (200, True)
    forged = iter([body[:-3], b'"}}'])
    assert here.post(forged, sign("wsec_other", body, AT)) == (401, "the signature does not match the body")
    assert (here.landed(), here.events()) == ([], [])
    assert here.answers[0].n_bytes == len(body)


UNSTORABLE = {
    "a lone surrogate": {"agent_id": "agent_\ud800"},
    "a start in milliseconds": {"metadata": {"start_time_unix_secs": 1_790_000_000_000}},
    "a start in 70 years": {"metadata": {"start_time_unix_secs": AT + 70 * 365 * 86_400}},
    "an end after the last year": {"metadata": {"start_time_unix_secs": 253_402_300_000, "call_duration_secs": 1e6}},
    "a start of 0, which is not a time": {"metadata": {"start_time_unix_secs": 0}},
    "a start before 1970": {"metadata": {"start_time_unix_secs": -5}},
    "a start that is not a number": {"metadata": {"start_time_unix_secs": "soon, said +49 170 1234567"}},
    "no start": {"metadata": None},
    "a status of lone surrogates": {"status": "\udcff"},
}


@pytest.mark.parametrize("name", UNSTORABLE)
def test_a_document_that_cannot_be_stored_is_quarantined_with_its_reason_and_blocks_no_other(name, here):
    good, bad = here.documents()[:2]
    changes = dict(UNSTORABLE[name])
    if isinstance(changes.get("metadata"), dict):
        changes["metadata"] = bad["metadata"] | changes["metadata"]
    status, message = here.send(event(bad | changes))
    assert (status, message.startswith(f"quarantined {bad['conversation_id']}: ")) == (200, True)
    assert here.send(event(bad | changes)) == (200, "already received")
    assert here.send(event(good))[0] == 200
    assert (here.landed(), here.quarantined()) == ([good["conversation_id"]], [bad["conversation_id"]])
    (row,) = quarantine.current(here.home).to_dicts()
    assert row["error"].startswith("webhook: ")
    assert b"1234567" not in contents(here.home.root)
    assert due(here)[bad["conversation_id"]] == "new"


def test_a_quarantined_webhook_is_cleared_by_the_document_that_the_next_sync_fetches(here):
    bad = here.documents()[0]
    here.send(event(bad | {"agent_id": "\ud800"}))
    here.now += timedelta(minutes=1)
    with running(emulate(here.world, clock=lambda: here.now)) as api:
        assert sync_with(here, api).problems == ()
    assert here.quarantined() == []


def test_words_that_utf_8_cannot_hold_land_as_they_are(here):
    document = here.documents()[0]
    odd = document | {"transcript": [{"role": "user", "message": "lone \ud800", "time_in_call_secs": 1}]}
    assert here.send(event(odd)) == (200, f"landed {document['conversation_id']}")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"no json", (422, "the body is not a JSON object")),
        (b"[1]", (422, "the body is not a JSON object")),
        (b"[" * 100_000, (422, "the body is not a JSON object")),
        (b'{"type": "post_call_transcription"}', (422, "the event has no conversation")),
        (b'{"type": "post_call_transcription", "data": null}', (422, "the event has no conversation")),
        *(
            (json.dumps(event({"conversation_id": odd})).encode(), (422, "the event has no conversation"))
            for odd in (3, "", ".", "..", "a\x1b[2J", "\ud800", "a\u202e", "x" * 201)
        ),
        (b'{"type": "voice_removed"}', (200, "ignored: 'voice_removed' is about no conversation")),
        (b"{}", (200, "ignored: 'None' is about no conversation")),
    ],
)
def test_an_event_without_a_conversation_lands_nothing(body, answer, here):
    assert here.send(body) == answer
    assert (here.landed(), here.events(), here.quarantined()) == ([], [], [])


def test_an_erased_conversation_is_not_noted_either(here):
    document = here.documents()[0]
    conversation_id = document["conversation_id"]
    here.send(event(document))
    here.send(event(OTEL | {"conversation_id": conversation_id}, "post_call_transcription_otel"))
    sync.reprocess(here.context, run_id="1")
    here.now += timedelta(seconds=10)
    erase(here.context, [conversation_id])
    assert here.events() == []
    again = event(OTEL | {"conversation_id": conversation_id}, "post_call_transcription_otel", at=AT - 1)
    assert here.send(again, AT + 9) == (200, "ignored: the conversation was erased")
    assert here.events() == []
    assert due(here) == {}


def test_many_events_are_merged_into_few_files_and_none_is_lost(here):
    rows = [
        {"conversation_id": f"conv_{n}", "event_type": "post_call_transcription_otel", "event_at": UNTIL}
        for n in range(150)
    ]
    for number, row in enumerate(rows):
        at = UNTIL + timedelta(seconds=number)
        activity_log.append(here.home, WEBHOOK_EVENTS, [row | {"received_at": at}])
    before = here.events()
    activity_log.refresh_lake(here.home)
    assert len(here.home.files(activity_log.folder(here.home, WEBHOOK_EVENTS))) == 1
    assert (len(before), here.events()) == (150, before)
    activity_log.append(here.home, WEBHOOK_EVENTS, [rows[0] | {"received_at": UNTIL}])
    assert [row["received_at"] for row in here.events() if row["conversation_id"] == "conv_0"] == [UNTIL]


def test_the_docs_name_every_event_of_the_vendor():
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    kinds = [kind for kind in get_args(get_args(webhook_event_type.WebhookEventType)[0]) if kind]
    assert {f"`{kind}`" for kind in kinds} <= set(re.findall(r"`\w+`", page))
