"""Which responses end a request at once, what the error says, and that no error holds the key."""

import logging
from collections.abc import Awaitable, Callable

import httpx
import pytest

from pipelines.api.client import ApiClient
from pipelines.errors import ApiError, CredentialsError, CursorRefusedError, NotFoundError
from tests.helpers.fake_api import KEY, Server, ask, client, conversation, first_page, next_page, vendor_error


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (vendor_error(401, "invalid_api_key", "Invalid API key"), "the key is wrong; invalid_api_key: Invalid API key"),
        (vendor_error(400, "invalid_api_key"), "the key is wrong"),
        (vendor_error(401, "needs_authorization"), "the request had no key"),
        (vendor_error(401, "missing_permissions"), "lacks a scope"),
        (vendor_error(401, "quota_exceeded"), "quota or payment"),
        (vendor_error(401, "a_new_word"), "the key is wrong; a_new_word: words"),
        (httpx.Response(401), "the key is wrong"),
        (httpx.Response(402), "quota or payment"),
        (httpx.Response(403), "lacks a scope"),
    ],
)
def test_a_rejected_key_stops_at_once_and_says_why(answer: httpx.Response, said: str) -> None:
    server = Server(answer)

    with pytest.raises(CredentialsError) as caught:
        ask(client(server), next_page)

    assert said in caught.value.message
    assert caught.value.hint
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("call", "answer", "error"),
    [
        (conversation, vendor_error(404, "conversation_not_found"), NotFoundError),
        (conversation, httpx.Response(404, json={"detail": "Not Found"}), NotFoundError),
        (conversation, httpx.Response(404, html="<h1>no such context</h1>"), ApiError),
        (conversation, httpx.Response(422, json={"detail": [{"msg": "no"}]}), ApiError),
        (first_page, vendor_error(404, "not_found"), ApiError),
        (first_page, vendor_error(400, "bad"), ApiError),
        (next_page, vendor_error(400, "invalid_cursor"), CursorRefusedError),
        (next_page, vendor_error(404, "not_found"), CursorRefusedError),
        (next_page, httpx.Response(422, json={"detail": [{"msg": "no"}]}), CursorRefusedError),
    ],
)
def test_other_rejections_stop_at_once_with_their_own_error(
    call: Callable[[ApiClient], Awaitable[object]], answer: httpx.Response, error: type[ApiError]
) -> None:
    server = Server(answer)

    with pytest.raises(ApiError) as caught:
        ask(client(server), call)

    assert type(caught.value) is error
    assert caught.value.status == answer.status_code
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://login.example/?token=secret", "a redirect to login.example,"),
        ("/elsewhere", "a redirect to another path of the same host,"),
    ],
)
def test_a_redirect_is_not_followed_and_only_its_host_is_named(location: str, named: str) -> None:
    server = Server(httpx.Response(307, headers={"location": location}))

    with pytest.raises(ApiError) as caught:
        ask(client(server), first_page)

    assert named in caught.value.message
    assert "secret" not in str(caught.value)
    assert [request.url.host for request in server.requests] == ["api.example"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"detail": {"status": "invalid_api_key", "message": f"No such key: {KEY}"}}),
        httpx.Response(400, json={"detail": "x" * 290 + KEY}, headers={"x-trace-id": KEY}),
        httpx.Response(302, headers={"location": f"https://{KEY}.example/"}),
        httpx.Response(200, text="?", headers={"content-type": f"text/{KEY}"}),
        httpx.Response(503, json={"detail": KEY}),
        httpx.ReadError(f"sent {KEY}"),
    ],
)
def test_the_key_is_in_no_error_repr_or_log(
    answer: httpx.Response | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api = client(Server(answer))

    with pytest.raises(ApiError) as caught:
        ask(api, first_page)

    error = caught.value
    assert (error.__cause__, error.__context__) == (None, None)
    for text in (str(error), repr(error), error.hint, repr(api), caplog.text):
        assert KEY[:8] not in text


@pytest.mark.parametrize(
    "detail",
    [
        {"status": "not_found", "message": f"No user jane@example.com with +4930901820 and api_key={'a1' * 8}"},
        f"jane@example.com, +4930901820, sk-{'a1' * 12}",
        [{"loc": ["body", "to"], "msg": f"+4930901820 of jane@example.com: Bearer {'a1' * 8}"}],
        {"message": "x " * 140 + f"sk-{'a1' * 40}"},
    ],
)
def test_an_error_repeats_no_credential_and_no_person(detail: object, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ApiError) as caught:
        ask(client(Server(httpx.Response(422, json={"detail": detail}))), conversation)
    text = caught.value.message + caplog.text
    assert [secret for secret in ("jane", "4930901820", "a1a1a1") if secret in text] == []
    assert "***" in text
