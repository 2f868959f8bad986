"""Deleting at the API: which responses are a success, and which are not."""

from __future__ import annotations

import httpx
import pytest

from pipelines.api.endpoints import delete_conversation
from pipelines.errors import ApiError, CredentialsError, NotFoundError, UsageError
from tests.helpers.fake_api import Server, ask, client

NOT_FOUND = {"detail": {"status": "document_not_found", "message": "Document not found."}}


def delete(conversation_id, *answers):
    """Delete at a server that gives these responses in turn; also returns the requests."""
    server = Server(*answers)
    was_there = ask(client(server), lambda api: delete_conversation(api, conversation_id))
    return was_there, [(request.method, request.url.raw_path.decode()) for request in server.requests]


@pytest.mark.parametrize(
    ("answer", "was_there"),
    [
        (httpx.Response(200, json={}), True),
        (httpx.Response(200, content=b"null"), True),
        (httpx.Response(204), True),
        (httpx.Response(404, json=NOT_FOUND), False),
    ],
)
def test_every_success_and_a_404_are_accepted(answer, was_there):
    assert delete("conv_a", answer) == (was_there, [("DELETE", "/v1/convai/conversations/conv_a")])


def test_a_busy_api_is_retried():
    busy = httpx.Response(503, content=b"<html>")
    assert delete("conv_a", busy, httpx.Response(204))[0] is True


def test_a_key_without_the_write_scope_is_an_error_with_a_hint():
    with pytest.raises(CredentialsError, match="DELETE /v1/convai/conversations/conv_a answered 403"):
        delete("conv_a", httpx.Response(403, json={"detail": "no"}))


def test_the_404_of_a_gateway_is_no_success():
    with pytest.raises(ApiError) as refusal:
        delete("conv_a", httpx.Response(404, content=b"<html>"))
    assert not isinstance(refusal.value, NotFoundError)


def test_an_odd_id_leads_to_no_other_path():
    assert delete("../agents/a?b", httpx.Response(204))[1] == [
        ("DELETE", "/v1/convai/conversations/..%2Fagents%2Fa%3Fb")
    ]
    for odd in ("", ".", ".."):
        with pytest.raises(UsageError):
            delete(odd)
