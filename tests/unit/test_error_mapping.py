"""What an error response becomes: the exception with its message, hint, status and code."""

from __future__ import annotations

import pytest

from pipelines.api.error_mapping import CHECK_HOST, ErrorResponse, is_invalid_key
from pipelines.api.responses import ErrorBody
from pipelines.api.retry import ResponseClass
from pipelines.errors import ApiError, ApiUnavailableError, CredentialsError, CursorRefusedError, NotFoundError

BODY, NO_BODY = ErrorBody("some_code", "Words."), ErrorBody()
ENDPOINT = "GET /v1/convai/tools"


@pytest.mark.parametrize(
    ("response_class", "body", "expected"),
    [
        (
            ResponseClass.RETRY,
            NO_BODY,
            (
                ApiUnavailableError,
                f"{ENDPOINT} answered 418.",
                "The API is busy or down: run again later; what is landed stays.",
                None,
            ),
        ),
        (
            ResponseClass.CURSOR,
            BODY,
            (
                CursorRefusedError,
                f"{ENDPOINT} answered 418: some_code: Words.",
                "Run again later: the next run lists from the start.",
                "some_code",
            ),
        ),
        (
            ResponseClass.NOT_FOUND,
            ErrorBody("gone", ""),
            (
                NotFoundError,
                f"{ENDPOINT} answered 418: gone.",
                "It was deleted, or belongs to another workspace.",
                "gone",
            ),
        ),
        (
            ResponseClass.NOT_FOUND,
            NO_BODY,
            (
                ApiError,
                f"{ENDPOINT} answered 418: this does not look like the ElevenLabs API.",
                CHECK_HOST,
                None,
            ),
        ),
        (
            ResponseClass.UNEXPECTED,
            BODY,
            (ApiError, f"{ENDPOINT} answered 418: some_code: Words.", "", "some_code"),
        ),
        (
            ResponseClass.CREDENTIALS,
            ErrorBody("quota_exceeded", ""),
            (
                CredentialsError,
                f"{ENDPOINT} answered 418: the workspace's quota or payment does not allow it; quota_exceeded.",
                "See the workspace's subscription, then run again.",
                "quota_exceeded",
            ),
        ),
    ],
)
def test_an_error_says_what_happened_and_what_to_do(response_class, body, expected):
    error = ErrorResponse(ENDPOINT, 418, body).to_error(response_class)
    assert (type(error), error.message, error.hint, error.code) == expected
    assert error.status == 418


def test_a_trace_and_a_redirect_are_named():
    traced = ErrorResponse(ENDPOINT, 500, NO_BODY, trace_id="t1").to_error(ResponseClass.RETRY)
    moved = ErrorResponse(ENDPOINT, 302, NO_BODY, "t1", "https://[x").to_error(ResponseClass.UNEXPECTED)
    assert traced.message == f"{ENDPOINT} answered 500 (trace t1)."
    explanation = "a redirect to an address that cannot be read, which is never followed with the key (trace t1)."
    assert (moved.message, moved.hint, moved.status) == (f"{ENDPOINT} answered 302: {explanation}", CHECK_HOST, 302)


@pytest.mark.parametrize(
    ("endpoint", "scope"),
    [
        ("GET /v1/convai/conversations", "convai_read"),
        ("POST /v1/convai/agent/a/llm-usage/calculate", "convai_read"),
        ("GET /v1/convai/conversation/get-signed-url", "convai_write"),
        ("DELETE /v1/convai/conversations/a", "convai_write"),
        ("POST /v1/workspace/analytics/usage", "for workspace analytics"),
    ],
)
def test_a_missing_scope_is_named(endpoint, scope):
    error = ErrorResponse(endpoint, 403, NO_BODY).to_error(ResponseClass.CREDENTIALS)
    assert error.hint == f"Give the key the scope {scope} in the workspace's settings."


@pytest.mark.parametrize(
    ("error", "is_invalid"),
    [
        (CredentialsError("", status=401, code="invalid_api_key"), True),
        (CredentialsError("", status=401), True),
        (CredentialsError("", status=402), True),
        (CredentialsError("", status=401, code="missing_permissions"), False),
        (CredentialsError("", status=403), False),
        (ApiError("", status=401), False),
    ],
)
def test_a_key_is_invalid_unless_it_only_lacks_a_scope(error, is_invalid):
    assert is_invalid_key(error) is is_invalid
