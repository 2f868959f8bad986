"""Patterns of e-mail addresses, card numbers and phone numbers in a text.

Plain digits are an order number as often as a phone number. So they count as one only in a notation of phone numbers:
with a plus, with a trunk zero, in groups, as the ten digits of North America, or after a word such as "phone".
"""

from __future__ import annotations

import re

from pipelines.privacy.text_spans import Span, fold, replace

EMAIL = re.compile(r"(?<!\w)\w[\w.+'%-]{0,63}(?:@|%40|&#64;)(?:[\w-]{1,63}\.)+[^\W\d_]{2,}")
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
_ANNOUNCED = re.compile(
    r"(?i)(?:\b(?:tele|smart)?(?:phone|fon)\b(?:[ -]?(?:number|nummer|no\.?|nr\.?))?"
    r"|\b(?:mobile|cell|tel|fax|handy|handynummer|telefonnummer|rückrufnummer|whats ?app|msisdn|sms|caller)\b"
    r"|\b(?:my|his|her|their|your|contact|call-?back) number\b|\bmeine nummer\b"
    r"|\b(?:call|ring|dial|reach|text|phone)(?: (?:me|him|her|us|them|back|at|on|under))+"
    r"|\bt[ée]l[ée](?:phone|fono)\b|\bcelular\b|\bnum[ée]ro\b)"
    r"(?:\W|\b(?:is|was|ist|at|on|under|est|es|number|me)\b){0,8}?"
    rf"(?<![\d.])(?!{_DATE})(?P<number>\d(?:[ ().\-/]{{0,2}}\d){{6,14}})(?!\w)(?!\.\d)"
)
"""Digits after a word that announces a phone number."""
_SEVEN_DIGITS = re.compile(r"\d(?:[ ().\-/]{0,2}\d){6}")
_CANDIDATE = re.compile(r"@|%40|&#64;|\d.{5}")


def mask_personal_data(text: str) -> str:
    """The text with e-mail addresses, card numbers and phone numbers replaced by what they are (``<email>``)."""
    masked = _mask_once(text)
    while masked != text:  # a match may hide another next to it
        text, masked = masked, _mask_once(masked)
    return text


def may_contain_personal_data(text: str) -> bool:
    """Whether a text has the sign of an address or enough digits for a number: a cheap check that spares most texts."""
    return _CANDIDATE.search(fold(text)) is not None


def _mask_once(text: str) -> str:
    if not may_contain_personal_data(text):
        return text
    text = replace(text, EMAIL, "<email>", _whole)
    text = replace(text, CARD, "<card>", lambda match: match.span() if is_card(match[0]) else None)
    text = replace(text, PHONE, "<phone>", _whole)
    if not has_seven_digits(text):
        return text
    return replace(text, _ANNOUNCED, "<phone>", lambda match: match.span("number"))


def has_seven_digits(text: str) -> bool:
    """Whether a text has a row of digits that is long enough for a phone number, also with separators."""
    return _SEVEN_DIGITS.search(fold(text)) is not None


def _whole(match: re.Match[str]) -> Span:
    return match.span()


def is_card(text: str) -> bool:
    """Whether the digits of a text pass the Luhn check of card numbers: every second digit doubled, sum modulo 10."""
    digits = [int(character) for character in text if character.isdigit()]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])  # noqa: PLR2004 - Luhn: 5 and up carry over
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
