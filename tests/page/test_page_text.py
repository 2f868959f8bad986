"""Changes as words: their sign, and the arrow beside it."""

from __future__ import annotations

import pytest

from pipelines.page.render import environment
from pipelines.page.text import change

CHANGES = [
    (0.06, "share of 1", "+6.0 pts", "▲"),
    (-0.0451, "share of 1", "\u22124.5 pts", "▼"),
    (0.0002, "share of 1", "±0.0 pts", ""),
    (-0.0004, "share of 1", "±0.0 pts", ""),
    (-0.0006, "share of 1", "\u22120.1 pts", "▼"),
    (0.0, "seconds", "±0.00 s", ""),
    (0.004, "seconds", "±0.00 s", ""),
    (1.72, "seconds", "+1.72 s", "▲"),
    (0.4, "count", "±0", ""),
    (-4, "count", "\u22124", "▼"),
    (0.0294, "US dollars", "+$0.0294", "▲"),
    (None, "count", "\u2013", ""),
]


@pytest.mark.parametrize(("value", "unit", "text", "arrow"), CHANGES)
def test_a_change_that_is_shown_as_zero_has_no_direction(value, unit, text, arrow):
    assert change(value, unit).replace("\xa0", " ") == text
    macros = environment().get_template("macros.html").module
    shown = str(macros.moved(value, unit, None)).replace("\xa0", " ")
    assert shown == f'<span class="change flat">{arrow} {text}</span>'
