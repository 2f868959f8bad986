from datetime import UTC, datetime

import pytest

from pipelines.api.retry import ResponseClass, backoff_secs, classify_response, retry_after_secs

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "code", "had_cursor", "expected"),
    [
        (400, None, False, ResponseClass.UNEXPECTED),
        (400, "invalid_cursor", True, ResponseClass.CURSOR),
        (400, "invalid_api_key", True, ResponseClass.CREDENTIALS),
        (400, "quota_exceeded", False, ResponseClass.CREDENTIALS),
        (401, "invalid_api_key", False, ResponseClass.CREDENTIALS),
        (401, "invalid_authorization_header", False, ResponseClass.CREDENTIALS),
        (401, "needs_authorization", False, ResponseClass.CREDENTIALS),
        (401, "missing_permissions", False, ResponseClass.CREDENTIALS),
        (401, "quota_exceeded", False, ResponseClass.CREDENTIALS),
        (401, None, True, ResponseClass.CREDENTIALS),
        (402, None, False, ResponseClass.CREDENTIALS),
        (402, None, True, ResponseClass.CREDENTIALS),
        (403, None, False, ResponseClass.CREDENTIALS),
        (403, None, True, ResponseClass.CREDENTIALS),
        (404, None, False, ResponseClass.NOT_FOUND),
        (404, "conversation_not_found", False, ResponseClass.NOT_FOUND),
        (404, "invalid_api_key", False, ResponseClass.CREDENTIALS),
        (404, None, True, ResponseClass.CURSOR),
        (408, None, False, ResponseClass.RETRY),
        (408, None, True, ResponseClass.RETRY),
        (409, None, False, ResponseClass.UNEXPECTED),
        (409, None, True, ResponseClass.CURSOR),
        (418, None, False, ResponseClass.UNEXPECTED),
        (422, None, False, ResponseClass.UNEXPECTED),
        (422, None, True, ResponseClass.CURSOR),
        (429, "rate_limit_exceeded", False, ResponseClass.RETRY),
        (429, "concurrent_limit_exceeded", False, ResponseClass.RETRY),
        (429, "too_many_concurrent_requests", False, ResponseClass.RETRY),
        (429, "system_busy", True, ResponseClass.RETRY),
        (429, None, False, ResponseClass.RETRY),
        (429, "quota_exceeded", False, ResponseClass.CREDENTIALS),
        (500, None, False, ResponseClass.RETRY),
        (500, "invalid_api_key", False, ResponseClass.RETRY),
        (502, None, True, ResponseClass.RETRY),
        (503, "quota_exceeded", False, ResponseClass.RETRY),
        (599, None, False, ResponseClass.RETRY),
        (301, None, False, ResponseClass.UNEXPECTED),
        (307, None, True, ResponseClass.UNEXPECTED),
    ],
)
def test_each_status_has_its_class(status: int, code: str | None, had_cursor: bool, expected: ResponseClass) -> None:  # noqa: FBT001 - a table's column
    assert classify_response(status, code, had_cursor=had_cursor) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("60", 60.0),
        ("86400", 60.0),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("soon", None),
        ("Sun, 01 Mar 2026 12:00:20 GMT", 20.0),
        ("Sunday, 01-Mar-26 12:00:20 GMT", 20.0),
        ("Sun, 01 Mar 2026 13:00:00 GMT", 60.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2026 12:00:20 -0000", None),
        ("Sun, 99 Mar 2026 12:00:20 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date_and_capped(header: str | None, expected: float | None) -> None:
    assert retry_after_secs(header, NOW) == expected


@pytest.mark.parametrize(
    ("attempt", "retry_after", "random", "expected"),
    [
        (1, None, 1.0, 0.5),
        (2, None, 1.0, 1.0),
        (3, None, 0.5, 1.0),
        (3, None, 0.0, 0.0),
        (6, None, 1.0, 16.0),
        (7, None, 1.0, 30.0),
        (50, None, 1.0, 30.0),
        (1, 10.0, 0.0, 10.0),
        (1, 10.0, 1.0, 10.5),
        (3, 0.0, 1.0, 2.0),
    ],
)
def test_backoff_grows_with_full_jitter_and_never_undercuts_the_server(
    attempt: int, retry_after: float | None, random: float, expected: float
) -> None:
    assert backoff_secs(attempt, retry_after, lambda: random) == expected
