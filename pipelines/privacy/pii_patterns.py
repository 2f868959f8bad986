"""What e-mail addresses, card numbers and phone numbers look like in a text.

A run of digits alone is an order number as often as a phone number, so it counts as one only where a country's way of
writing numbers says so: a plus, a trunk zero, groups, or the ten digits of North America.
"""

from __future__ import annotations

import re

EMAIL = re.compile(r"(?<!\w)\w[\w.+'%-]{0,63}(?:@|%40)(?:[\w-]{1,63}\.)+[^\W\d_]{2,}")
CARD = re.compile(
    r"(?<![\w.])(?:"
    r"[2-6]\d{3}([ -])\d{4}\1\d{4}\1\d{4}"  # groups of four
    r"|3\d{3}([ -])\d{6}\2\d{5}"  # American Express
    r"|[2-6](?: \d){12,18}"  # spelled digit by digit
    r"|[2-6]\d{12,18}"
    r")(?!\w)"
)
_DATE = r"\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}(?![-/.]?\d)"
PHONE = re.compile(
    r"(?:(?:\+|%2[Bb])[1-9]\d{6,14}"  # international
    r"|\+[1-9](?:[ ().\-/]{0,2}\d){6,14}"
    rf"|(?<![\w+])(?<!\w[-.])(?<!\d/)(?!{_DATE})(?:"
    r"00[1-9](?:[ ().\-/]{0,2}\d){6,14}"
    r"|0[1-9]\d{8,9}"  # with a trunk zero: Europe and others
    r"|0\d(?:[ .-]\d{2}){4}"
    r"|\(?0\d{1,4}\)?[ /-]\d(?:[ /-]?\d){5,9}"
    r"|(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])\d{3}[ .-]\d{4}"  # North America
    r"|1[2-9]\d{9}|[2-9]\d{2}[2-9]\d{6}"
    r"|\d(?: \d){9,14}"  # spelled digit by digit
    r"))(?!\w)"
)
_CANDIDATE = re.compile(r"@|%40|\d.{5}")


def mask_personal_data(text: str) -> str:
    """The text with each e-mail address, card number and phone number in it replaced by what it was."""
    masked = _mask_once(text)
    while masked != text:  # one beside another shows when the other is gone
        text, masked = masked, _mask_once(masked)
    return text


def _mask_once(text: str) -> str:
    if not _CANDIDATE.search(text):
        return text
    if "@" in text or "%40" in text:
        text = EMAIL.sub("<email>", text)
    text = CARD.sub(lambda found: "<card>" if is_card(found[0]) else found[0], text)
    return PHONE.sub("<phone>", text)


def is_card(text: str) -> bool:
    """Whether the digits of a text pass the check of card numbers (Luhn: every second digit doubled, sum by ten)."""
    digits = [int(character) for character in text if character.isdigit()]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])  # noqa: PLR2004 - Luhn: 5 and up carry over
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
