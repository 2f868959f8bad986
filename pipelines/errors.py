"""The errors of a run, each with a hint for the user.

An error holds no key, no request header and no response body: its message may end up in a log or in Dagster's events.
"""

from __future__ import annotations

from warehouse.errors import ConvohouseError


class UsageError(ConvohouseError):
    """The user's input makes no sense: a malformed date, ``--until`` before ``--since``, a port in use."""

    exit_code = 2


class SettingsError(ConvohouseError):
    """A setting is malformed or out of range."""

    exit_code = 2


class RetentionError(ConvohouseError):
    """A retention rule would remove more than it may."""


class WorkspaceError(ConvohouseError):
    """A workspace cannot be copied as it is; the others can."""


class RemovalsError(WorkspaceError):
    """More conversations than usual look removed at the API; nothing was removed here."""


class ForeignWorkspaceError(WorkspaceError):
    """The host and the key lead to another workspace than the one that the home folder has; nothing was landed."""


class NotificationError(ConvohouseError):
    """An alert could not be sent; the message shows no address, as that may be a secret."""


class WorkerError(ConvohouseError):
    """A worker process ended before its work was done."""


class ApiError(ConvohouseError):
    """The API rejected a request, or its response made no sense.

    ``status`` is the HTTP status, ``code`` the vendor's error code; each is None where there is none.
    """

    exit_code = 3

    def __init__(self, message: str, hint: str = "", *, status: int | None = None, code: str | None = None) -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code


class CredentialsError(ApiError):
    """No key, a wrong key, or a key without the scope or quota that the request needs (401, 402, 403)."""


class NotFoundError(ApiError):
    """404: the API has no such resource, or has it no longer."""


class CursorRefusedError(ApiError):
    """A 4xx to a list request that carried a cursor: list that time window again from its start."""


class ApiUnavailableError(ApiError):
    """No usable response after all retries: network, timeout, 5xx, 429."""


class TooLargeError(ApiError):
    """A recording has more bytes than it may have; the rest was not read."""


class MalformedResponseError(ApiError):
    """A 200 whose body is not what the API reference promises, after all retries."""
