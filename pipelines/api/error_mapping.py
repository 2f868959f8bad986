"""From an error response to an exception whose message says what happened and whose hint says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from pipelines.api.responses import ErrorBody
from pipelines.api.retry import ResponseClass
from pipelines.errors import ApiError, ApiUnavailableError, CredentialsError, CursorRefusedError, NotFoundError

CHECK_HOST = "Check ELEVENLABS_BASE_URL: it is only the host, such as https://api.elevenlabs.io."
PROXY_VARIABLES = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY"

_WRONG_KEY = (
    "the key is wrong",
    "Check ELEVENLABS_API_KEY, and ELEVENLABS_BASE_URL: a data-residency host is a separate workspace with other keys.",
)
_NO_KEY = ("the request had no key that the API accepts", "Set ELEVENLABS_API_KEY to a key of this workspace.")
_NO_SCOPE = ("the key lacks a scope or the access", "Give the key the scope {scope} in the workspace's settings.")
_NO_QUOTA = ("the workspace's quota or payment does not allow it", "See the workspace's subscription, then run again.")

_KEY_PROBLEMS = {
    "invalid_api_key": _WRONG_KEY,
    "needs_authorization": _NO_KEY,
    "invalid_authorization_header": _NO_KEY,
    "missing_permissions": _NO_SCOPE,
    "quota_exceeded": _NO_QUOTA,
}
_KEY_PROBLEMS_BY_STATUS = {402: _NO_QUOTA, 403: _NO_SCOPE}


@dataclass(frozen=True)
class ErrorResponse:
    """A response outside 2xx: ``endpoint`` is method and path, ``trace_id`` the vendor's ``x-trace-id``.

    ``location`` is empty unless it is a redirect.
    """

    endpoint: str
    status: int
    body: ErrorBody
    trace_id: str = ""
    location: str = ""

    def to_error(self, response_class: ResponseClass) -> ApiError:
        """The exception to raise; for ``RETRY``, once the retries are used up."""
        match response_class:
            case ResponseClass.CREDENTIALS:
                return self._credentials()
            case ResponseClass.RETRY:
                hint = "The API is busy or down: run again later; what is landed stays."
                return ApiUnavailableError(self._text(), hint, status=self.status, code=self.body.code)
            case ResponseClass.CURSOR:
                hint = "Run again later: the next run lists from the start."
                return CursorRefusedError(self._text(), hint, status=self.status, code=self.body.code)
            # A gateway or a wrong host also answers 404, but without the vendor's error body. Taken for a deletion, it
            # would cost data.
            case ResponseClass.NOT_FOUND if self.body != ErrorBody():
                hint = "It was deleted, or belongs to another workspace."
                return NotFoundError(self._text(), hint, status=self.status, code=self.body.code)
            case _:
                return self._unexpected()

    def _credentials(self) -> CredentialsError:
        by_status = _KEY_PROBLEMS_BY_STATUS.get(self.status, _WRONG_KEY)
        problem, hint = _KEY_PROBLEMS.get(self.body.code or "", by_status)
        hint = hint.format(scope=missing_scope(self.endpoint))
        return CredentialsError(self._text(problem), hint, status=self.status, code=self.body.code)

    def _unexpected(self) -> ApiError:
        if self.location:
            text = self._text(f"a redirect to {_host(self.location)}, which is never followed with the key")
            return ApiError(text, CHECK_HOST, status=self.status)
        if self.body == ErrorBody():
            return ApiError(self._text("this does not look like the ElevenLabs API"), CHECK_HOST, status=self.status)
        return ApiError(self._text(), status=self.status, code=self.body.code)

    def _text(self, explanation: str = "") -> str:
        vendor_message = ": ".join(part for part in (self.body.code, self.body.message) if part)
        details = "; ".join(part for part in (explanation, vendor_message) if part)
        trace = f" (trace {self.trace_id})" if self.trace_id else ""
        return f"{self.endpoint} answered {self.status}{': ' if details else ''}{details.rstrip('.')}{trace}."


def missing_scope(endpoint: str) -> str:
    """The scope that the key needs for ``endpoint`` (method and path); starting a conversation counts as a write."""
    if "/workspace/analytics/" in endpoint:
        return "for workspace analytics"
    is_read = endpoint.startswith(("GET ", "POST /v1/convai/agent/")) and "/convai/conversation/" not in endpoint
    return "convai_read" if is_read else "convai_write"


def is_invalid_key(error: ApiError) -> bool:
    """Whether the key itself is rejected, so every request will fail; a missing scope affects only some endpoints."""
    is_missing_scope = error.code == "missing_permissions" or error.status == HTTPStatus.FORBIDDEN
    return isinstance(error, CredentialsError) and not is_missing_scope


def _host(location: str) -> str:
    try:
        return urlsplit(location).hostname or "another path of the same host"
    except ValueError:
        return "an address that cannot be read"
