"""What the client takes for a whole conversation is what the sync can read, nothing more and nothing less."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.api.responses import check_conversation
from pipelines.transform.canonical_json import load

FRONT = b'{"conversation_id": "conv_1", "metadata": {"start_time_unix_secs": 1782336379}, "padding": "'

DIGITS = st.integers(4290, 4320).map(lambda count: b"9" * count)  # Python reads 4300
TEXTS = st.sampled_from([b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\\ud800", b"\\ud83d\\ude00", b"\\x", b"\n", b"\\u12"])
VALUES = st.one_of(
    DIGITS,
    DIGITS.map(lambda digits: b"[-" + digits + b"]"),
    DIGITS.map(lambda digits: b"1." + digits),
    DIGITS.map(lambda digits: b'"' + digits + b'"'),
    st.lists(TEXTS, max_size=3).map(lambda parts: b'"' + b"".join(parts) + b'"'),
    TEXTS.map(lambda text: b'{"' + text + b'": 1}'),
    st.sampled_from([b"1e400", b"01", b"1.", b"-", b"NaN", b"nul", b"", b"[1,]", b'{"a": 1,}', b"1}", b'"']),
    st.binary(max_size=6),
)


@given(padding=st.integers(0, 2100), value=VALUES)
def test_the_check_passes_what_can_be_read(padding: int, value: bytes) -> None:
    body = FRONT + b" " * padding + b'", "value": ' + value + b"}"
    try:
        load(body)
    except ValueError:
        is_readable = False
    else:
        is_readable = True

    try:
        check_conversation(body, "conv_1")
    except ValueError:
        is_passed = False
    else:
        is_passed = True

    assert is_passed == is_readable
