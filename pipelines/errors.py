"""What can go wrong on the way from the API to the lake, each error with what the user should do.

No error carries a key, a request header or an answer's whole body: a message may end in a log or in Dagster's events.
"""

from __future__ import annotations

from warehouse.errors import ConvohouseError


class UsageError(ConvohouseError):
    """What was asked for makes no sense: a malformed date, ``--until`` before ``--since``, a port in use."""

    exit_code = 2


class SettingsError(ConvohouseError):
    """A setting is malformed or out of its range."""

    exit_code = 2


class RetentionError(ConvohouseError):
    """A retention rule takes more than it may."""


class WorkerError(ConvohouseError):
    """A process beside the run's own ended before its work was done."""


class ApiError(ConvohouseError):
    """The API refused or could not be understood; ``status`` is the HTTP status, ``code`` the vendor's own word."""

    exit_code = 3

    def __init__(self, message: str, hint: str = "", *, status: int | None = None, code: str | None = None) -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code


class CredentialsError(ApiError):
    """No key, a wrong key, or a key without the scope or the quota that the call needs (401, 402, 403)."""


class NotFoundError(ApiError):
    """404: the conversation is not, or no longer, at the API."""


class CursorRefusedError(ApiError):
    """A 4xx to a list request that carried a cursor: start that time window again."""


class ApiUnavailableError(ApiError):
    """No usable answer after all retries: network, time-out, 5xx, 429."""


class MalformedResponseError(ApiError):
    """A 200 whose body is not the JSON that the reference promises, after all retries.

    ``body`` holds the answer as it came, for quarantine; it never stands in the message.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        body: bytes = b"",
        status: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, hint, status=status, code=code)
        self.body = body
