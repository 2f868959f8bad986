from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.serve.search_terms import pattern, search_terms, snippet


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Late  TRAIN", ("late", "train")),
        ("Café, café CAFE", ("cafe",)),
        ("order-4711", ("order", "4711")),
        ("e\u0301te\u0301", ("ete",)),
        ("Ελλάδα Приём", ("ελλαδα", "прием")),
        ("予約 100%", ("予約", "100")),
        ("がぎ か", ("がぎ", "か")),
        ("أحمد شكرًا", ("احمد", "شكرا")),
        ("ที่ทำงาน नमस्ते किताब", ("ที่ทำงาน", "नमस्ते", "किताब")),
        ("İstanbul", ("istanbul",)),
        ("m² ❤\ufe0f", ("m²",)),
        ("_ ' % .*", ()),
    ],
)
def test_search_terms_have_no_case_and_no_accents(text, words):
    assert search_terms(text) == words


@pytest.mark.parametrize(
    ("word", "message", "is_found"),
    [
        ("refund", "Two REFUNDS, please", True),
        ("fund", "Two refunds", False),
        ("fund", "re-fund", True),
        ("cafe", "Im Café Zürich", True),
        ("zurich", "Zu\u0308rich", True),
        ("zurich", "ZÜRICH", True),
        ("ελλαδα", "στην Ελλάδα", True),
        ("прием", "Приём", True),
        ("予約", "明日の予約です", True),
        ("か", "がぎ", False),
        ("احمد", "أَحْمَد", True),
        ("שלום", "שָׁלוֹם", True),
        ("istanbul", "İstanbul'da", True),
        ("nguyen", "Nguye\u0302\u0303n", True),
        ("a", "a.b", True),
        ("ab", "a.b", False),
    ],
)
def test_a_term_matches_at_the_start_of_a_word_and_the_snippet_marks_it(word, message, is_found):
    rows = duckdb.execute("select regexp_matches($1, $2)", [message, pattern(word)]).fetchall()
    assert rows == [(is_found,)]
    assert ("*" in snippet(message, [word])) is is_found


@given(st.text(st.characters(categories=["L", "M", "N", "P", "Z"]), max_size=20))
def test_what_was_said_is_found_by_the_same_words_in_every_script(message):
    for word in search_terms(message):
        assert duckdb.execute("select regexp_matches($1, $2)", [message, pattern(word)]).fetchall() == [(True,)]
        assert "*" in snippet(message.replace("*", " "), [word])


def test_a_snippet_is_one_line_around_the_first_word():
    message = f"{'x ' * 50}I want\na refund for the Café bill{' y' * 50}"
    shown = snippet(message, ["refund", "cafe"])
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert "I want a *refund* for the *Café* bill y y" in shown
    assert len(shown) < 150


def test_a_snippet_says_where_it_cuts():
    before, after = f"{'x' * 59} ", "y" * 60
    assert snippet(f"{before}refund{after}", ["refund"]) == f"{before}*refund*{after}"
    assert snippet(f"x{before}refund{after}y", ["refund"]) == f"…{before}*refund*{after}…"
    assert snippet(f"{after}y", ["refund"]) == f"{after}…"
