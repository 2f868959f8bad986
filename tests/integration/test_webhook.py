"""Webhooks over a socket: a signed one lands once and any other is refused, also while a sync is running."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app as emulate
from pipelines.emulator.server.serve import running
from pipelines.emulator.server.webhooks import post_call
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from pipelines.usecases.erasure import erase
from pipelines.webhook import receiver
from pipelines.webhook.batch_writer import BatchWriter
from tests.helpers import day
from tests.helpers.disk_contents import contents
from tests.helpers.recording_app import assert_equals
from tests.helpers.webhook_signature import sign
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import lake, landing, parquet

pytestmark = pytest.mark.usefixtures("few_models")

SECRET = "wsec_0123456789"  # noqa: S105 - of this test
UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
AT = int(UNTIL.timestamp())


class Receiving:
    """A home, a world of conversations and a receiver of their webhooks."""

    def __init__(self, folder):
        self.now = UNTIL
        self.world = World(seed=9, conversations=40, days=2, until=UNTIL)
        self.context = Context(
            Settings(home=folder / "home", api_key="demo", pii="hash", pii_key="k" * 16), lambda: self.now
        )
        self.context.home.open()
        self.app = receiver.create_app(self.context, SECRET)
        self.url = ""

    def documents(self):
        return [document for document in self.world.details(UNTIL) if document["status"] == "done"]

    def post(self, body, signature=None, **headers):
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        signature_header = {} if signature is None else {"ElevenLabs-Signature": signature}
        connection.request("POST", "/", body, signature_header | headers)
        answer = connection.getresponse()
        message = json.loads(answer.read())["status"]
        connection.close()
        return answer.status, message

    def landed(self):
        return landing.snapshots(self.context.home)["conversation_id"].to_list()


@pytest.fixture
def here(tmp_path):
    here = Receiving(tmp_path)
    with running(here.app) as here.url:
        yield here


def test_a_signed_document_lands_masked_and_is_in_the_warehouse_after_a_build(here):
    document = next(document for document in here.documents() if document["user_id"])
    body, signature = post_call(document, SECRET, AT - 60)
    assert here.post(body, signature) == (200, f"landed {document['conversation_id']}")
    (row,) = landing.snapshots(here.context.home).to_dicts()
    assert (row["conversation_id"], row["kind"], row["workspace"]) == (document["conversation_id"], "document", "main")
    assert row["fetched_at"] == UNTIL - timedelta(seconds=60)
    assert document["user_id"].encode() not in contents(here.context.home.root)
    assert sync.reprocess(here.context, run_id="1").problems == ()
    assert lake.read(here.context.home, CONVERSATIONS)["conversation_id"].to_list() == [document["conversation_id"]]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda body, signature: (body, None), "there is no signature"),
        (lambda body, signature: (body, "t=1,v0=x"), "there is no signature"),
        (lambda body, signature: (body, f"{signature},t=1"), "there is no signature"),
        (lambda body, signature: (body, sign("wsec_other", body, AT)), "the signature does not match the body"),
        (lambda body, signature: (body.replace(b"done", b"gone"), signature), "the signature does not match the body"),
        (lambda body, signature: (body[:-9], signature), "the signature does not match the body"),
        (
            lambda body, signature: (body, re.sub(r"t=\d+", f"t={AT - 1}", signature)),
            "the signature does not match the body",
        ),
        (lambda body, signature: (body, sign(SECRET, body, AT - 1801)), "the signature is too old or in the future"),
        (lambda body, signature: (body, sign(SECRET, body, AT + 1801)), "the signature is too old or in the future"),
    ],
)
def test_a_forged_changed_incomplete_or_stale_webhook_is_refused_and_lands_nothing(spoil, message, here):
    body, signature = spoil(*post_call(here.documents()[0], SECRET, AT))
    assert here.post(body, signature) == (401, message)
    assert here.landed() == []


def test_a_replay_is_refused_however_its_header_is_written(here):
    body, signature = post_call(here.documents()[0], SECRET, AT)
    assert here.post(body, signature)[0] == 200
    for again in (signature, signature.replace(",", ", "), f"{signature},v0={'0' * 64}"):
        assert here.post(body, again) == (409, "this webhook was already received")
    assert len(here.landed()) == 1
    here.now += timedelta(seconds=2 * 1800 + 1)
    assert here.post(body, signature)[0] == 401


@pytest.mark.parametrize("is_length_declared", [True, False])
def test_a_body_over_the_limit_is_refused_whatever_its_header_says(is_length_declared, here, monkeypatch):
    monkeypatch.setattr(receiver, "MAX_BODY_BYTES", 50_000)
    body = b"x" * 50_001
    parts = body if is_length_declared else iter([body[:30_000], body[30_000:]])
    assert here.post(parts, sign(SECRET, body, AT)) == (413, "the body is too large")
    assert here.landed() == []


def test_a_body_that_never_ends_times_out(here, monkeypatch):
    monkeypatch.setattr(receiver, "BODY_TIMEOUT_SECS", 0.2)
    with socket.create_connection((urlsplit(here.url).hostname, urlsplit(here.url).port), timeout=30) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        assert connection.recv(100).startswith(b"HTTP/1.1 408")
    assert here.landed() == []


def test_a_sender_that_leaves_in_the_middle_does_no_harm(here):
    with socket.create_connection((urlsplit(here.url).hostname, urlsplit(here.url).port), timeout=30) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    assert here.post(*post_call(here.documents()[0], SECRET, AT))[0] == 200


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"no json", (422, "the body is not a JSON object")),
        (b"[1]", (422, "the body is not a JSON object")),
        (b'{"type": "post_call_transcription"}', (422, "the event has no conversation")),
        (
            b'{"type": "post_call_transcription", "data": {"conversation_id": 3}}',
            (422, "the event has no conversation"),
        ),
        (
            b'{"type": "post_call_transcription", "data": {"conversation_id": "../x", "metadata": {}}}',
            (422, "the conversation has no valid start time"),
        ),
        (
            b'{"type": "post_call_audio", "data": {"full_audio": ""}}',
            (200, "ignored: 'post_call_audio' is not post_call_transcription"),
        ),
        (b"[" * 100_000, (422, "the body is not a JSON object")),
    ],
)
def test_an_invalid_event_is_answered_with_the_reason_and_lands_nothing(body, answer, here):
    assert here.post(body, sign(SECRET, body, AT)) == answer
    assert here.landed() == []


def test_an_odd_id_lands_as_a_value_and_never_as_a_path(here):
    document = here.documents()[0] | {"conversation_id": "../../../odd"}
    assert here.post(*post_call(document, SECRET, AT))[0] == 200
    assert here.landed() == ["../../../odd"]
    assert list(here.context.home.root.parent.rglob("*odd*")) == []


def test_an_erased_conversation_does_not_land(here):
    document = here.documents()[0]
    assert here.post(*post_call(document, SECRET, AT))[0] == 200
    sync.reprocess(here.context, run_id="1")
    here.now += timedelta(seconds=10)
    erase(here.context, [document["conversation_id"]])
    assert here.post(*post_call(document, SECRET, AT + 5)) == (200, "ignored: the conversation was erased")
    assert landing.snapshots(here.context.home)["kind"].to_list() == ["erased"]


def test_a_webhook_that_could_not_be_written_is_not_confirmed(here, monkeypatch):
    body, signature = post_call(here.documents()[0], SECRET, AT)

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("warehouse.storage.parquet._write_parquet", full)
        assert here.post(body, signature) == (503, "the conversation could not be written; send it again")
    assert here.landed() == []
    assert here.post(body, signature)[0] == 200


def test_when_a_batch_fails_in_any_way_none_of_it_is_confirmed(here, monkeypatch):
    def fail(*_arguments):
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    async def land_together(rows):
        writer = BatchWriter(here.context.home)
        return await asyncio.gather(*map(writer.land, rows), return_exceptions=True)

    rows = [
        {"conversation_id": name, "start_date": UNTIL.date(), "kind": "document", "fetched_at": UNTIL} for name in "ab"
    ]
    with monkeypatch.context() as patch:
        patch.setattr("warehouse.storage.parquet._write_parquet", fail)
        assert [type(error) for error in asyncio.run(land_together(rows))] == [OSError, OSError]
    assert here.landed() == []
    assert asyncio.run(land_together(rows)) == [None, None]


def test_names_and_content_are_synced_before_the_answer(here, monkeypatch):
    synced, real = [], os.fsync

    def record_fsync(descriptor):
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()).removeprefix(f"{here.context.home.root}/"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", record_fsync)
    document = here.documents()[0]
    assert here.post(*post_call(document, SECRET, AT))[0] == 200
    day = datetime.fromtimestamp(document["metadata"]["start_time_unix_secs"], UTC).date()
    assert [re.sub(r"[0-9a-f]{32}", "…", name) for name in synced] == [
        ".tmp/….parquet",
        f"landing/start_date={day}",
        "landing",
    ]


def test_a_temporary_file_that_a_starting_run_removes_is_written_again(here, monkeypatch):
    write, temporary_file_existed = parquet._write_parquet, []

    def write_and_clear_once(path, *rest):
        write(path, *rest)
        if not temporary_file_existed:
            temporary_file_existed.append(path.exists())
            with here.context.write_lock("sync"):  # clears the temporary files of killed writers
                assert not path.exists()

    monkeypatch.setattr(parquet, "_write_parquet", write_and_clear_once)
    assert here.post(*post_call(here.documents()[0], SECRET, AT))[0] == 200
    assert (temporary_file_existed, len(here.landed())) == ([True], 1)


def test_many_at_once_beside_a_sync_all_land_and_the_sync_reconciles(here):
    documents = here.documents()
    with running(emulate(here.world, clock=lambda: here.now)) as api:
        settings = here.context.settings.model_copy(update={"base_url": api, "pii": "keep", "reread_days": ()})
        context = Context(settings, clock=lambda: here.now)
        with ThreadPoolExecutor(8) as executor:
            synced = executor.submit(sync.sync, context, run_id="1")
            responses = [executor.submit(here.post, *post_call(document, SECRET, AT - 1)) for document in documents]
            assert {response.result()[0] for response in responses} == {200}
            synced.result()
        here.now += timedelta(minutes=1)
        assert sync.sync(context, run_id="2").problems == ()
    assert set(here.landed()) >= {document["conversation_id"] for document in documents}
    assert_equals(context, list(here.world.details(here.now)))


def test_the_command_needs_a_secret_and_ends_gracefully_on_ctrl_c(tmp_path):
    environment = {name: value for name, value in os.environ.items() if "ELEVENLABS" not in name}  # noqa: TID251 - a process of its own
    command = [sys.executable, "-c", "from pipelines.cli.main import main; main()", "webhook", "--port", "0"]
    ended = subprocess.run(command, env=environment | _path(), cwd=tmp_path, capture_output=True, check=False)  # noqa: S603 - ours
    assert (ended.returncode, b"ELEVENLABS_WEBHOOK_SECRET" in ended.stderr) == (2, True)
    environment |= {"ELEVENLABS_WEBHOOK_SECRET": SECRET} | _path()
    with subprocess.Popen(  # noqa: S603 - ours
        command,
        env=environment,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_interruptible,  # noqa: PLW1509
    ) as process:
        here = Receiving(tmp_path / "other")
        here.url = re.search(r"http://[\d.:]+", process.stderr.readline())[0]
        now = int(day.now().timestamp())
        assert here.post(*post_call(here.documents()[0], SECRET, now))[0] == 200
        process.send_signal(signal.SIGINT)
        message = process.stderr.read()
    assert (process.returncode, message.splitlines()[-1]) == (0, "Receiver stopped.")
    assert SECRET not in message


def _path():
    return {"PYTHONPATH": os.pathsep.join(sys.path)}


def _interruptible():
    signal.signal(signal.SIGINT, signal.default_int_handler)
