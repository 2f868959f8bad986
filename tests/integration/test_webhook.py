"""Webhooks over a socket: a signed one lands once and any other is refused, also while a sync is running."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipelines.emulator.server.app import create_app as emulate
from pipelines.emulator.server.serve import running
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from pipelines.usecases.erasure import erase
from tests.helpers import day
from tests.helpers.disk_contents import contents
from tests.helpers.receiving import AT, SECRET, UNTIL, Receiving
from tests.helpers.recording_app import assert_equals
from tests.helpers.signed_webhooks import post_call, sign
from warehouse.models.data_quality import LANDED_IS_IN_LAKE, check_complete
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import lake, landing, parquet
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")


@pytest.fixture
def here(tmp_path):
    here = Receiving(tmp_path)
    with here.serving():
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


def test_a_repeat_is_answered_with_200_and_lands_once_however_its_header_is_written(here):
    body, signature = post_call(here.documents()[0], SECRET, AT)
    assert here.post(body, signature)[0] == 200
    for again in (signature, signature.replace(",", ", "), f"{signature},v0={'0' * 64}"):
        assert here.post(body, again) == (200, "already received")
    assert len(here.landed()) == 1


@pytest.mark.parametrize("ahead", [0, 1800])
def test_a_repeat_is_recognised_as_long_as_its_signature_is_valid(ahead, here):
    body, signature = post_call(here.documents()[0], SECRET, AT + ahead)
    assert here.post(body, signature)[0] == 200
    here.now += timedelta(seconds=ahead + 1800)
    other_body, other_signature = post_call(here.documents()[1], SECRET, AT + ahead)
    assert here.post(other_body, other_signature)[0] == 200  # what has expired is forgotten at this moment
    assert here.post(body, signature) == (200, "already received")
    assert len(here.landed()) == 2
    here.now += timedelta(seconds=1)
    assert here.post(body, signature) == (401, "the signature is too old or in the future")


def test_a_sender_that_leaves_in_the_middle_does_no_harm(here):
    with socket.create_connection((urlsplit(here.url).hostname, urlsplit(here.url).port), timeout=30) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    assert here.post(*post_call(here.documents()[0], SECRET, AT))[0] == 200


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
        assert here.post(body, signature) == (503, "the webhook could not be written; send it again")
    assert here.landed() == []
    assert here.post(body, signature)[0] == 200


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
        ".sequence",
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


def test_what_a_webhook_brings_during_a_run_is_not_missing_until_a_sync_has_fetched_it(here):
    document = here.documents()[0]
    home = here.context.home
    here.post(*post_call(document, SECRET, AT))
    (row,) = landing.snapshots(home).to_dicts()
    assert missing(home) == []
    fetched = {"kind": "unchanged", "is_webhook": None, "fetched_at": UNTIL + timedelta(minutes=1), "payload": None}
    landing.land_documents(home, [row | fetched])
    assert missing(home) == [{"conversation_id": document["conversation_id"]}]


def missing(home):
    """What has landed and has to be in the lake."""
    (result,) = (result for result in check_complete(home) if result.check is LANDED_IS_IN_LAKE)
    return list(result.sample_rows)


COMMAND = [sys.executable, "-c", "from pipelines.cli.main import main; main()", "webhook", "--port", "0"]


def _environment(**variables):
    inherited = {name: value for name, value in os.environ.items() if "ELEVENLABS" not in name}  # noqa: TID251 - a process of its own
    return inherited | {"PYTHONPATH": os.pathsep.join(sys.path)} | variables


def _interruptible():
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def command(folder, secret=SECRET):
    """The command in a process of its own, and a sender to it."""
    with subprocess.Popen(  # noqa: S603 - ours
        COMMAND,
        env=_environment(ELEVENLABS_WEBHOOK_SECRET=secret),
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_interruptible,  # noqa: PLW1509
    ) as process:
        sender = Receiving(folder / "other")
        sender.url = re.search(r"http://[\d.:]+", process.stderr.readline())[0]
        try:
            yield process, sender
        finally:
            process.kill()


def connect_until_refused(sender):
    for _ in range(200):
        sender.connect().close()
        time.sleep(0.05)


@pytest.mark.parametrize("secret", [None, "", " , "])
def test_the_command_needs_a_secret(secret, tmp_path):
    environment = _environment(**({} if secret is None else {"ELEVENLABS_WEBHOOK_SECRET": secret}))
    ended = subprocess.run(COMMAND, env=environment, cwd=tmp_path, capture_output=True, check=False)  # noqa: S603 - ours
    assert (ended.returncode, b"ELEVENLABS_WEBHOOK_SECRET" in ended.stderr) == (2, True)


def test_the_command_logs_each_request_and_accepts_both_secrets(tmp_path):
    with command(tmp_path, f"{SECRET}, wsec_new") as (process, sender):
        now = int(day.now().timestamp())
        documents = sender.documents()
        for document, secret, status in zip(
            documents, (SECRET, "wsec_new", "wsec_other"), (200, 200, 401), strict=False
        ):
            assert sender.post(*post_call(document, secret, now))[0] == status
        process.send_signal(signal.SIGINT)
        message = process.stderr.read()
    assert process.returncode == 0
    lines = message.splitlines()
    assert [line.split()[1:3] for line in lines[:-1]] == [["127.0.0.1", status] for status in ("200", "200", "401")]
    assert lines[0].endswith(" bytes)")
    assert not any(
        text in message for text in (SECRET, "wsec_new", "v0=", documents[0]["analysis"]["transcript_summary"])
    )


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_finishes_open_requests_and_exits_with_0(stop, tmp_path):
    with command(tmp_path) as (process, sender), sender.connect(), sender.connect() as connection:
        document = sender.documents()[0]
        body, signature = post_call(document, SECRET, int(day.now().timestamp()))
        head = f"POST / HTTP/1.1\r\nHost: x\r\nElevenLabs-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body[:1000])
        sender.post(b"", "t=1")  # answered after the head above was read
        process.send_signal(stop)
        with pytest.raises(OSError, match=r"refused|reset"):
            connect_until_refused(sender)
        connection.sendall(body[1000:])
        assert connection.recv(12) == b"HTTP/1.1 200"
        message = process.stderr.read()
    assert (process.returncode, message.splitlines()[-1]) == (0, "Receiver stopped.")
    assert landing.snapshots(Home(tmp_path / "data"))["conversation_id"].to_list() == [document["conversation_id"]]
