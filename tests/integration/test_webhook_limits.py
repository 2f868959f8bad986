"""What a sender can do to the receiver without a signature: hold a connection, a body or the disk, and for how long."""

from __future__ import annotations

import http.client
import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from pipelines.webhook.limits import Limits
from tests.helpers.receiving import AT, SECRET, Receiving
from tests.helpers.signed_webhooks import post_call, sign
from warehouse.storage import parquet

SHORT = Limits(
    body_bytes=1_000_000,
    buffered_bytes=1_500_000,
    head_secs=0.5,
    idle_secs=0.5,
    body_secs=1.2,
    connections=8,
    stop_secs=5,
)
PATIENCE_SECS = 20.0
"""After which a test fails: the limits are far below, and the machine may be busy."""


@pytest.fixture
def here(tmp_path):
    here = Receiving(tmp_path, SHORT)
    with here.serving():
        yield here


def signed_head(length, body=b""):
    """The head of a request with a signature, which is right if the body is ``body``."""
    signature = sign(SECRET, body, AT)
    lines = ("POST / HTTP/1.1", "Host: x", f"ElevenLabs-Signature: {signature}", f"Content-Length: {length}", "")
    return "".join(f"{line}\r\n" for line in lines).encode()


def received(connection):
    """All that the receiver sends until it closes the connection, and the seconds until then."""
    started, parts = time.monotonic(), []
    connection.settimeout(PATIENCE_SECS)
    with suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts), time.monotonic() - started


def drip(connection, content, pause_secs=0.05):
    """Send byte by byte, and endlessly, until the receiver closes the connection; returns the seconds until then."""
    started = time.monotonic()
    with suppress(OSError):
        while time.monotonic() - started < PATIENCE_SECS:
            for number in range(len(content)):
                connection.sendall(content[number : number + 1])
                time.sleep(pause_secs)
    return time.monotonic() - started


def good(here, number=0):
    return post_call(here.documents()[number], SECRET, AT)


def test_a_silent_connection_is_closed(here):
    with here.connect() as connection:
        answer, secs = received(connection)
    assert (answer, secs < PATIENCE_SECS / 2) == (b"", True)


def test_a_silent_connection_is_closed_after_a_response_as_well(here):
    with here.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        answer, secs = received(connection)
    assert (answer[:12], secs < PATIENCE_SECS / 2) == (b"HTTP/1.1 200", True)


def test_a_head_that_comes_byte_by_byte_is_cut_off(here):
    with here.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n")
        assert drip(connection, b"X-A: b\r\n") < PATIENCE_SECS / 2
    assert here.post(*good(here))[0] == 200


def test_a_second_head_that_comes_byte_by_byte_is_cut_off(here):
    with here.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        assert drip(connection, b"POST / HTTP/1.1\r\nX-A: b\r\n") < PATIENCE_SECS / 2


def test_a_head_that_never_ends_is_refused_before_it_fills_the_memory(here):
    with here.connect() as connection:
        with suppress(OSError):
            connection.sendall(b"POST / HTTP/1.1\r\n" + b"X-A: b\r\n" * 10_000)
        answer, _ = received(connection)
    assert answer[:12] in {b"HTTP/1.1 400", b""}  # a reset may overtake the response
    with here.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nX-A: " + b"b" * (SHORT.head_bytes + 1))
        answer, _ = received(connection)
    assert answer.startswith(b"HTTP/1.1 400")


def test_a_body_that_stops_is_answered_after_the_idle_time(tmp_path):
    here = Receiving(tmp_path, replace(SHORT, body_secs=10 * PATIENCE_SECS))
    with here.serving(), here.connect() as connection:
        connection.sendall(signed_head(100) + b"half")
        assert received(connection)[0].startswith(b"HTTP/1.1 408")


def test_a_body_that_comes_byte_by_byte_is_answered_after_the_total_time(here):
    with here.connect() as connection:
        connection.sendall(signed_head(100_000))
        assert drip(connection, b"x") < PATIENCE_SECS / 2
    assert [answer.status for answer in here.answers] == [408]


@pytest.mark.parametrize("signature", [None, "t=1,v0=x", sign(SECRET, b"", AT - 1801), sign(SECRET, b"", AT + 1801)])
def test_the_signature_and_its_time_are_looked_at_before_the_body(signature, here):
    line = f"ElevenLabs-Signature: {signature}\r\n" if signature else ""
    with here.connect() as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{line}Content-Length: 900000\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 401")  # not a byte of the body was sent
        assert drip(connection, b"x" * 1000, 0.02) < PATIENCE_SECS / 2  # and nobody reads it for long


def test_a_declared_length_over_the_limit_is_refused_before_the_body(here):
    with here.connect() as connection:
        connection.sendall(signed_head(SHORT.body_bytes + 1))
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_an_endless_chunked_body_is_refused_at_the_limit(here):
    body = b"x" * (SHORT.body_bytes + 1)
    parts = iter([body[start : start + 65_536] for start in range(0, len(body), 65_536)])
    assert here.post(parts, sign(SECRET, body, AT)) == (413, "the body is too large")
    assert here.landed() == []


def test_all_bodies_together_are_bounded_and_their_room_is_given_back(here):
    size = 900_000
    with ExitStack() as stack:
        holders = [stack.enter_context(here.connect()) for _ in range(2)]
        for holder in holders:
            holder.sendall(signed_head(size + 1) + b"x" * size)
        answers = [holder.recv(12) for holder in holders]
    assert sorted(answers) == [b"HTTP/1.1 408", b"HTTP/1.1 503"]
    for number in range(3):
        body = b" " * size + good(here, number)[0]
        assert here.post(body, sign(SECRET, body, AT))[0] == 200


def test_the_room_of_a_recording_is_given_back(tmp_path):
    here = Receiving(tmp_path, replace(SHORT, buffered_bytes=600_000))
    recording = json.dumps({"type": "post_call_audio", "data": {"full_audio": "x" * 900_000}}).encode()
    with here.serving():
        statuses = [here.post(recording, sign(SECRET, recording, AT))[0] for _ in range(20)]
        assert (statuses, here.post(*good(here))[0]) == ([200] * 20, 200)


def test_a_body_whose_parts_come_in_time_may_take_longer_than_the_idle_time(tmp_path):
    here = Receiving(tmp_path, replace(SHORT, idle_secs=2.0, body_secs=PATIENCE_SECS))
    body, _ = good(here)
    with here.serving(), here.connect() as connection:
        connection.sendall(signed_head(len(body), body))
        for start in range(0, len(body), len(body) // 5 + 1):
            time.sleep(0.5)
            connection.sendall(body[start : start + len(body) // 5 + 1])
        assert connection.recv(12) == b"HTTP/1.1 200"


def test_requests_beyond_the_limit_of_connections_are_refused_and_the_receiver_recovers(here):
    with ExitStack() as stack:
        silent = [stack.enter_context(here.connect()) for _ in range(SHORT.connections)]
        assert _health(here) == 503
        for connection in silent:
            received(connection)
    assert here.post(*good(here))[0] == 200


def test_far_more_connections_than_the_limit_are_closed_at_once(tmp_path):
    here = Receiving(tmp_path, replace(SHORT, head_secs=10.0))
    with here.serving(), ExitStack() as stack:
        connections = [stack.enter_context(here.connect()) for _ in range(2 * SHORT.connections + 1)]
        assert received(connections[-1])[0] == b""
        connections[0].setblocking(False)  # noqa: FBT003 - of the standard library
        with pytest.raises(BlockingIOError):  # an earlier one is still open
            connections[0].recv(1)


def _health(here):
    connection = http.client.HTTPConnection(urlsplit(here.url).netloc, timeout=PATIENCE_SECS)
    connection.request("GET", "/health")
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def test_health_says_whether_a_webhook_could_be_landed(here, monkeypatch):
    assert _health(here) == 200
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1_000_000))
    assert _health(here) == 503
    monkeypatch.undo()
    here.home.landing.rename(here.home.root / "away")
    assert _health(here) == 503


def test_only_post_to_the_root_is_received(here):
    statuses = []
    for method, path in (("GET", "/"), ("POST", "/health"), ("PUT", "/"), ("POST", "/docs"), ("POST", "//")):
        connection = http.client.HTTPConnection(urlsplit(here.url).netloc, timeout=PATIENCE_SECS)
        connection.request(method, path, b"x")
        statuses.append(connection.getresponse().status)
        connection.close()
    assert statuses == [405, 405, 405, 404, 404]


def test_forwarded_headers_change_nothing(here):
    body, signature = good(here)
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "Forwarded": "for=203.0.113.9"}
    assert here.post(body, signature, **forwarded)[0] == 200
    assert here.post(body, "t=1,v0=x", **forwarded)[0] == 401
    assert {answer.sender for answer in here.answers} == {"127.0.0.1"}


def test_the_log_has_neither_secrets_nor_words(here):
    body, signature = good(here)
    here.post(body, signature)
    here.post(body, "t=1,v0=x")
    here.send({"type": "<script>\x1b[2J" + "x" * 1000, "data": "said"})
    here.send({"type": "\x1b[2J", "data": {"conversation_id": "conv_a", "said": "my words"}})
    text = json.dumps([[answer.message, answer.n_bytes] for answer in here.answers])
    assert SECRET not in text
    assert signature not in text
    assert "my words" not in text
    assert all(answer.message.isprintable() and len(answer.message) < 300 for answer in here.answers)
    assert here.answers[0].n_bytes == len(body)


class Disk:
    """Holds every write to the landing until it is let go, and may fail it."""

    def __init__(self, monkeypatch):
        self._real = parquet._write_parquet
        self.is_writing, self.may_go, self.error = threading.Event(), threading.Event(), None
        monkeypatch.setattr(parquet, "_write_parquet", self.write)

    def write(self, *arguments):
        self.is_writing.set()
        assert self.may_go.wait(PATIENCE_SECS)
        if self.error is not None:
            raise self.error
        self._real(*arguments)


@pytest.mark.parametrize("error", [None, OSError(28, "No space left on device"), ValueError("no frame")])
def test_a_copy_that_arrives_during_the_write_gets_the_outcome_of_the_first(error, here, monkeypatch):
    disk = Disk(monkeypatch)
    disk.error = error
    with ThreadPoolExecutor(3) as executor:
        copies = [executor.submit(here.post, *good(here)) for _ in range(3)]
        assert disk.is_writing.wait(PATIENCE_SECS)
        time.sleep(0.2)  # for the other copies to arrive; one that is late gets the same answer
        assert not any(copy.done() for copy in copies)
        disk.may_go.set()
        statuses = {copy.result()[0] for copy in copies}
    assert statuses == ({200} if error is None else {503})
    assert len(here.landed()) == (1 if error is None else 0)
    disk.error = None
    assert here.post(*good(here))[0] == 200  # the attempt after an error is not a repeat
    assert len(here.landed()) == 1


def test_those_who_wait_for_a_batch_that_fails_are_not_confirmed(here, monkeypatch):
    disk = Disk(monkeypatch)
    disk.error = OSError(28, "No space left on device")
    with ThreadPoolExecutor(6) as executor:
        posts = [executor.submit(here.post, *good(here, number)) for number in range(6)]
        assert disk.is_writing.wait(PATIENCE_SECS)
        time.sleep(0.3)  # five of six wait for the next batch
        disk.may_go.set()
        assert [post.result()[0] for post in posts] == [503] * 6
    assert here.landed() == []
