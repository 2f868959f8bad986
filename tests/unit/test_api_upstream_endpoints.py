"""Feedback, recordings and agent access: requests, errors, and that no secret is kept."""

from __future__ import annotations

import asyncio
import io
import json

import httpx
import pytest

from pipelines.api.endpoints import get_audio, has_signed_url, has_token, send_feedback
from pipelines.api.error_mapping import is_invalid_key, missing_scope
from pipelines.api.rate_limiter import RateLimiter
from pipelines.errors import ApiError, CredentialsError, MalformedResponseError, NotFoundError, UsageError
from tests.helpers import fake_api

MP3 = b"\xff\xfb\x10\xc4" + bytes(100)
NO_SCOPE = {"detail": {"status": "missing_permissions", "message": "The API key misses a permission."}}


def ask(call, *answers):
    """The result of a call to a server that gives these responses in turn, and the requests that it got."""
    server = fake_api.Server(*answers)
    return fake_api.ask(fake_api.client(server), call), server.requests


@pytest.mark.parametrize("score", ["like", "dislike", None])
def test_feedback_is_posted_as_json(score):
    _, (request,) = ask(lambda api: send_feedback(api, "conv_a", score), httpx.Response(200, json={}))
    assert (request.method, request.url.path) == ("POST", "/v1/convai/conversations/conv_a/feedback")
    assert (json.loads(request.content), request.headers["content-type"]) == ({"feedback": score}, "application/json")


def test_a_busy_api_is_sent_the_same_feedback_again():
    _, requests = ask(lambda api: send_feedback(api, "a", "like"), httpx.Response(503), httpx.Response(204))
    assert [json.loads(request.content) for request in requests] == [{"feedback": "like"}] * 2


def test_an_odd_id_is_one_segment_of_the_path_or_rejected():
    _, (request,) = ask(lambda api: send_feedback(api, "../agents/a?b", "like"), httpx.Response(200))
    assert request.url.raw_path == b"/v1/convai/conversations/..%2Fagents%2Fa%3Fb/feedback"
    with pytest.raises(UsageError):
        ask(lambda api: get_audio(api, "..", io.BytesIO()))


@pytest.mark.parametrize("head", [MP3, b"ID3\x04" + bytes(50), b"\xff\xf3\x44" + bytes(93)])
def test_a_recording_replaces_the_content_of_the_file(head):
    file = io.BytesIO(b"of another attempt" * 100)
    _, (request,) = ask(lambda api: get_audio(api, "conv_a", file), httpx.Response(200, content=head))
    assert (request.url.path, file.getvalue()) == ("/v1/convai/conversations/conv_a/audio", head)


@pytest.mark.parametrize("body", [b"", b"<html>", b"RIFF....WAVE", b"\xff", b"\xff\xff\xff", b"\x00\xfb\x10"])
def test_what_is_not_an_mp3_is_a_malformed_response(body):
    with pytest.raises(MalformedResponseError, match="it is not an MP3" if body else "it is empty"):
        ask(lambda api: get_audio(api, "conv_a", io.BytesIO()), *[httpx.Response(200, content=body)] * 4)


def test_a_second_attempt_starts_the_file_again():
    file = io.BytesIO()
    long, short = httpx.Response(200, content=b"<html>" * 99), httpx.Response(200, content=MP3)
    ask(lambda api: get_audio(api, "conv_a", file), long, short)
    assert file.getvalue() == MP3


def test_the_error_response_to_a_download_is_read_and_not_written_into_the_file():
    file, said = io.BytesIO(), {"detail": "There is no audio for this conversation."}
    with pytest.raises(NotFoundError, match="There is no audio"):
        ask(lambda api: get_audio(api, "conv_a", file), httpx.Response(404, json=said))
    assert file.getvalue() == b""


@pytest.mark.parametrize(("call", "name"), [(has_signed_url, "signed_url"), (has_token, "token")])
@pytest.mark.parametrize(
    ("value", "is_given"), [("a secret", True), ("", False), (None, False), (["a secret"], False), ({"a": 1}, False)]
)
def test_of_a_secret_only_whether_it_came_is_returned(call, name, value, is_given):
    answer, (request,) = ask(lambda api: call(api, "agent_a"), httpx.Response(200, json={name: value}))
    assert answer is is_given
    assert dict(request.url.params) == {"agent_id": "agent_a"}


@pytest.mark.parametrize(
    ("call", "scope"),
    [
        (lambda api: send_feedback(api, "conv_a", "like"), "convai_write"),
        (lambda api: has_token(api, "agent_a"), "convai_write"),
        (lambda api: get_audio(api, "conv_a", io.BytesIO()), "convai_read"),
    ],
)
def test_a_missing_scope_is_named_and_is_not_taken_for_a_wrong_key(call, scope):
    with pytest.raises(CredentialsError) as raised:
        ask(call, httpx.Response(401, json=NO_SCOPE))
    assert scope in raised.value.hint
    assert not is_invalid_key(raised.value)


@pytest.mark.parametrize(
    ("error", "is_key"),
    [
        (CredentialsError("", status=401, code="invalid_api_key"), True),
        (CredentialsError("", status=401, code="quota_exceeded"), True),
        (CredentialsError("", status=401, code="missing_permissions"), False),
        (CredentialsError("", status=403), False),
        (ApiError("", status=400), False),
    ],
)
def test_which_errors_affect_every_request(error, is_key):
    assert is_invalid_key(error) is is_key


def test_the_scope_follows_from_method_and_path():
    assert missing_scope("GET /v1/convai/conversations/a") == "convai_read"
    assert missing_scope("GET /v1/convai/conversation/token") == "convai_write"
    assert missing_scope("DELETE /v1/convai/conversations/a") == "convai_write"
    assert missing_scope("POST /v1/convai/agent/a/llm-usage/calculate") == "convai_read"


def test_requests_are_evenly_spread_without_bursts():
    now, slept = [10.0], []

    async def sleep(secs):
        slept.append(secs)

    async def run():
        limiter = RateLimiter(2, monotonic=lambda: now[0], sleep=sleep)
        for _ in range(3):
            await limiter.acquire()
        now[0] = 20.0
        for _ in range(2):
            await limiter.acquire()

    asyncio.run(run())
    assert slept == [0.5, 1.0, 0.5]
