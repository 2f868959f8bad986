import json

import pytest

from pipelines.api.responses import (
    ErrorBody,
    ListPage,
    ListRow,
    check_conversation,
    is_usable_id,
    parse_error,
    parse_page,
)

TODAYS_ROW = (
    b'{"agent_id": "agent_1", "version_id": "agtvrsn_1", "agent_name": "Test Agent", "conversation_id": "conv_1",\n'
    b' "start_time_unix_secs": 1782336379, "call_duration_secs": 5, "message_count": 2, "status": "done",\n'
    b' "call_successful": "success", "transcript_summary": null, "rating": {"raw": [1.0, "\\u00e9"]}}'
)
BARE_ROW = b'{"conversation_id": "conv_2", "start_time_unix_secs": 1782336000, "status": "a-status-of-tomorrow"}'


def page(*rows: bytes, rest: bytes = b', "next_cursor": null, "has_more": false') -> bytes:
    return b'{"conversations": [' + b", ".join(rows) + b"]" + rest + b"}"


def test_a_page_gives_typed_rows_each_with_its_own_bytes() -> None:
    assert parse_page(
        page(TODAYS_ROW, BARE_ROW, rest=b', "next_cursor": "abc", "has_more": true, "took": 3')
    ) == ListPage(
        conversations=[
            ListRow(
                conversation_id="conv_1",
                start_time_unix_secs=1782336379,
                status="done",
                agent_id="agent_1",
                agent_name="Test Agent",
                raw=TODAYS_ROW,
            ),
            ListRow(
                conversation_id="conv_2",
                start_time_unix_secs=1782336000,
                status="a-status-of-tomorrow",
                raw=BARE_ROW,
            ),
        ],
        next_cursor="abc",
    )


@pytest.mark.parametrize("number", [b"12", b"12.0", b"1.2e1", b'"12"', b'"12.0"'])
def test_a_whole_number_is_read_however_it_is_written(number: bytes) -> None:
    row = b'{"conversation_id": "c", "start_time_unix_secs": %b, "status": "done"}' % number

    (read,) = parse_page(page(row)).conversations

    assert (read.start_time_unix_secs, read.raw) == (12, row)


def test_an_optional_field_that_does_not_fit_is_none_and_costs_no_other_field() -> None:
    row = (
        b'{"conversation_id": "c", "start_time_unix_secs": 1, "status": "done", "agent_name": {"en": "Ada"},'
        b' "call_duration_secs": 1.5, "message_count": 7.0, "call_successful": true, "agent_id": "agent_1"}'
    )

    assert parse_page(page(row)).conversations == [
        ListRow(conversation_id="c", start_time_unix_secs=1, status="done", agent_id="agent_1", raw=row)
    ]


def test_a_lone_surrogate_in_one_row_does_not_lose_the_page() -> None:
    row = (
        b'{"conversation_id": "c", "start_time_unix_secs": 1, "status": "done", "agent_name": "cut \\ud83d", "n": 1e3}'
    )

    first, second = parse_page(page(row, BARE_ROW)).conversations

    assert first.agent_name == "cut \ufffd"
    assert (first.conversation_id, json.loads(first.raw)) == ("c", json.loads(row) | {"agent_name": "cut \ufffd"})
    assert (second.conversation_id, json.loads(second.raw)) == ("conv_2", json.loads(BARE_ROW))


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (b', "next_cursor": null, "has_more": false', None),
        (b', "next_cursor": "abc", "has_more": false', None),
        (b', "next_cursor": "abc"', "abc"),
        (b', "next_cursor": ""', None),
        (b"", None),
    ],
)
def test_the_last_page_is_known(rest: bytes, expected: str | None) -> None:
    assert parse_page(page(rest=rest)).next_cursor == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b'{"ok": true}',
        b'{"conversations": [{"conver',
        page(b'{"conversation_id": "c", "start_time_unix_secs": 1, "status": "done", "x": "\xff"}'),
        page(BARE_ROW, rest=b', "next_cursor": null, "has_more": true'),
    ],
)
def test_a_page_that_cannot_be_trusted_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is the library's, the class is the contract
        parse_page(body)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (b"null", "list_row_74234e98afe7"),
        (b"5", "list_row_ef2d127de37b"),
        (b"[]", "list_row_4f53cda18c2b"),
        (b'{"start_time_unix_secs": 1, "status": "done"}', "list_row_"),
        (b'{"conversation_id": 5, "start_time_unix_secs": 1, "status": "done"}', "list_row_"),
        (b'{"conversation_id": "..", "start_time_unix_secs": 1, "status": "done"}', "list_row_"),
        (b'{"conversation_id": "\\ud800", "start_time_unix_secs": 1, "status": "done"}', "list_row_"),
        (b'{"conversation_id": "c", "status": "done"}', "c"),
        (b'{"conversation_id": "c", "start_time_unix_secs": 1}', "c"),
        (b'{"conversation_id": "c", "start_time_unix_secs": 1, "status": null}', "c"),
        (b'{"conversation_id": "c", "start_time_unix_secs": null, "status": "done"}', "c"),
        (b'{"conversation_id": "c", "start_time_unix_secs": -1, "status": "done"}', "c"),
        (b'{"conversation_id": "c", "start_time_unix_secs": 1e300, "status": "done"}', "c"),
        (b'{"conversation_id": "c", "start_time_unix_secs": NaN, "status": "done"}', "c"),
        (b'{"conversation_id": "c", "start_time_unix_secs": 1782336379000, "status": "done"}', "c"),
        (b'{"conversation_id": "c", "start_time_unix_secs": "soon", "status": "done"}', "c"),
    ],
)
def test_a_malformed_row_is_named_and_costs_no_other(row: bytes, name: str) -> None:
    read = parse_page(page(row, BARE_ROW))

    assert [other.conversation_id for other in read.conversations] == ["conv_2"]
    (malformed,) = read.malformed
    assert malformed.name.startswith(name)
    assert malformed.error


@pytest.mark.parametrize("start", [b"1.73", b'"1.0"', b"1", b"1e0"])
def test_a_start_is_rounded_down_to_seconds(start: bytes) -> None:
    row = b'{"conversation_id": "c", "start_time_unix_secs": %b, "status": "done"}' % start

    assert [read.start_time_unix_secs for read in parse_page(page(row)).conversations] == [1]


@pytest.mark.parametrize(
    "body",
    [
        b'{"conversation_id": "conv_1", "metadata": {"start_time_unix_secs": 1}, "unknown": [1e400]}',
        b'{"conversation_id": "conv_1", "metadata": {"start_time_unix_secs": 1.73}}',
        b'{"metadata": {"start_time_unix_secs": 12.0}}',
        b'{"metadata": {"start_time_unix_secs": 1}, "conversation_id": null}',
        b'{"metadata": {"start_time_unix_secs": 1}, "message": "\\udc00", "big": 99999999999999999999}',
        b'{"metadata": {"start_time_unix_secs": 1}, "text": "' + b"9" * 5000 + b'"}',
    ],
)
def test_a_whole_conversation_passes_byte_for_byte(body: bytes) -> None:
    assert check_conversation(body, "conv_1") == body


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Bad gateway</html>",
        b'{"conversation_id": "conv_1", "metadata": {"start_time_unix_secs": 1}, "transcript": [{"mess',
        b'{"conversation_id": "conv_1", "metadata": {"start_time_unix_secs": 1}} trailing',
        b'{"conversation_id": "conv_1", "metadata": {"start_time_unix_secs": 1}, "unknown": "\xff"}',
        b'{"conversation_id": "conv_1", "metadata": {"start_time_unix_secs": 1}, "unknown": ' + b"9" * 4301 + b"}",
        b'{"conversation_id": "conv_2", "metadata": {"start_time_unix_secs": 1}}',
        b'{"conversation_id": "conv_1", "metadata": {"start_time_unix_secs": null}}',
        b'{"conversation_id": "conv_1", "metadata": null}',
        b'{"conversation_id": "conv_1"}',
        b"[]",
    ],
)
def test_a_conversation_that_is_cut_or_not_the_one_asked_for_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is the library's, the class is the contract
        check_conversation(body, "conv_1")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"detail": {"type": "t", "code": "invalid_api_key", "message": "No", "status": "s", "request_id": "r"}}',
            ErrorBody("invalid_api_key", "No"),
        ),
        (
            b'{"detail": {"status": "missing_permissions", "message": "The API key\\nlacks convai_read"}}',
            ErrorBody("missing_permissions", "The API key lacks convai_read"),
        ),
        (
            b'{"detail": [{"type": "t", "loc": ["query", "n"], "msg": "big", "input": "secret"}, {"msg": "more"}, 5]}',
            ErrorBody(None, "query.n: big; more"),
        ),
        (b'{"detail": "Not Found"}', ErrorBody(None, "Not Found")),
        (b'{"detail": {"code": 17, "message": ["x"]}}', ErrorBody()),
        (b'{"detail": null}', ErrorBody()),
        (b'{"error": "x"}', ErrorBody()),
        (b"[1]", ErrorBody()),
        (b"<html><h1>502 Bad Gateway</h1></html>", ErrorBody()),
        (b"\xff\xfe", ErrorBody()),
        (b"", ErrorBody()),
        (b"[" * 100_000, ErrorBody()),
    ],
)
def test_every_form_of_an_error_is_read_and_none_fails(body: bytes, expected: ErrorBody) -> None:
    assert parse_error(body) == expected


def test_a_long_error_text_is_cut() -> None:
    assert parse_error(json.dumps({"detail": "x" * 5000}).encode()) == ErrorBody(None, "x" * 300)


@pytest.mark.parametrize(
    ("value", "is_usable"),
    [("a" * 200, True), ("a" * 201, False), ("..", False), ("", False), ("a\n", False), ("\ud800", False), (7, False)],
)
def test_which_ids_can_be_stored_and_asked_for(value: object, is_usable: object) -> None:
    assert is_usable_id(value) is is_usable
