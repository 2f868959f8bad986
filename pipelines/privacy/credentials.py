"""How credentials are recognized: by the name of their key, and by their form in a plain text.

Only the secret part of a text becomes ``***``. What looks like an ordinary word stays: in prose, anything can follow a
colon, so an unquoted value after a colon must look like a credential (``_EVIDENCE``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

MASK = "***"

_SECRET_NAMES = frozenset(
    {"auth", "authorization", "bearer", "cookie", "cookies", "credentials", "jwt", "pass", "proxyauthorization", "pwd"}
    | {"setcookie", "xauthorization"}
)
_SECRET_ENDINGS = (
    "accesskey",
    "apikey",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "secretkey",
)
_TOKEN_ENDINGS = ("subscriptionkey", "token")
_PAGING_TOKENS = ("continuationtoken", "maxtoken", "nexttoken", "pagetoken", "synctoken")
_SECRET_VARIABLE = "secret__"  # noqa: S105 - the vendor's prefix of variables that may only go into headers


@lru_cache(maxsize=4096)  # every document has the same keys
def is_secret_name(name: str) -> bool:
    """Whether a key names a credential, such as ``api_key``, ``X-Auth-Token`` or ``clientSecret``; not ``tokens``."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if name.startswith(_SECRET_VARIABLE) or plain in _SECRET_NAMES:
        return True
    return plain.endswith(_SECRET_ENDINGS + _TOKEN_ENDINGS) and not plain.endswith(_PAGING_TOKENS)


_VALUE = r"[^\s\"'&<>#\\]+"
_QUOTED = r"(?<=\")[^\"\\]+|(?<=')[^'\\]+"
_EVIDENCE = r"(?=[^\s\"'&<>#\\]*\d|[^\s\"'&<>#\\]{20})"
_OPENING_QUOTE = r"\s*\\*[\"']?"
_LONG_NAMES = (
    r"(?:(?:api|access|secret|private|subscription|functions|encryption|signing|account)[_-]?key|secret|passw(?:or)?d"
    r"|passphrase|passcode|(?<!page)(?<!page[_-])(?<!next)(?<!next[_-])(?<!sync)(?<!sync[_-])"
    r"(?<!continuation)(?<!continuation[_-])(?<!max)(?<!max[_-])token)"
)
_SHORT_NAMES = r"(?<![a-z0-9])(?<![a-z0-9][_-])(?:key|auth|pass|pwd|jwt|sig)|signature"


class Rule(NamedTuple):
    """A form of credentials; a text without any of the hints (lower case) does not match the pattern."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str


def _rule(hints: str, pattern: str, replacement: str) -> Rule:
    return Rule(tuple(hints.split()), re.compile(pattern), replacement)


_SCHEMES = r"(?:(?:bearer|basic|digest|token|apikey|negotiate)\s+)?"

RULES = (
    _rule(
        "authorization",
        rf"(?i)(authorization\\*[\"']?\s*(?:[=:]|%3d){_OPENING_QUOTE}{_SCHEMES})(?:{_QUOTED}|{_VALUE})",
        rf"\1{MASK}",
    ),
    _rule("cookie", r"(?i)(?<![a-z0-9])((?:set-)?cookie:\s*)[^\s\"'\\][^\r\n\"'\\]*", rf"\1{MASK}"),
    _rule(  # but not "bearer instruments" or "Basic information"
        "bearer basic",
        r"(?<![A-Za-z0-9])((?i:bearer|basic)\s+)(?=[\w.~+/=-]*(?:[\d_~+/=]|[a-z][A-Z])|[\w.~+/=-]{24})[\w.~+/=-]{6,}",
        rf"\1{MASK}",
    ),
    _rule(r":// :\/\/", r"((?<=:)//|(?<=:)\\/\\/)([^\s/:@\"'\\<>]*):[^\s/\"'\\<>]+@", rf"\1\2:{MASK}@"),
    _rule(
        "key secret pass token",
        rf"(?i)({_LONG_NAMES}\\*[\"']?\s*(?:=|%3d){_OPENING_QUOTE})(?:{_QUOTED}|{_VALUE})",
        rf"\1{MASK}",
    ),
    _rule(
        "key secret pass token",
        rf"(?i)({_LONG_NAMES}\\*[\"']?\s*:{_OPENING_QUOTE})(?:{_QUOTED}|{_EVIDENCE}{_VALUE})",
        rf"\1{MASK}",
    ),
    _rule("key auth pass pwd jwt sig", rf"(?i)((?:{_SHORT_NAMES})(?:=|%3d))(?:{_VALUE})", rf"\1{MASK}"),
    _rule(
        "sk- sk_ rk_ xi- xi_",
        r"(?<![A-Za-z0-9])(?:[sr]k[-_]|xi[-_])(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{16,}",
        MASK,
    ),
    _rule("xi", r"(?<![A-Za-z0-9])xi[0-9a-f]{24,}(?![A-Za-z0-9])", MASK),
    _rule("akia asia", r"(?<![A-Za-z0-9])A(?:KI|SI)A[0-9A-Z]{16}(?![A-Za-z0-9])", MASK),
    _rule("ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"(?<![A-Za-z0-9])(?:gh[pousr]|github_pat)_\w{20,}", MASK),
    _rule("xox glpat- aiza ya29.", r"(?<![A-Za-z0-9])(?:xox[a-z]-|glpat-|AIza|ya29\.)[\w-]{16,}", MASK),
    _rule("eyj", r"(?<![A-Za-z0-9])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?", MASK),
    _rule("-----begin", r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----)(?:(?!-----END).)*", rf"\1{MASK}"),
)

_ALL_HINTS = {hint for rule in RULES for hint in rule.hints} - {"://", ":\\/\\/"} | {
    "@",
    "credentials",
    "headers",
    "\\u00",
}
HINTS = sorted(hint for hint in _ALL_HINTS if not any(other in hint for other in _ALL_HINTS - {hint}))
"""A text without any of them (in lower case) has no credential.

Hints that contain another hint are left out. ``\\u00`` is one, as JSON may have any letter as an escape sequence.
"""


def _any_of(words: Iterable[str]) -> str:
    """Pattern of sorted words as a trie: common prefixes are merged, so that the search does not compare them again."""
    suffixes_by_letter = {first: [word[1:] for word in group] for first, group in groupby(words, itemgetter(0))}
    branches = (
        re.escape(letter) + ("" if "" in suffixes else _any_of(suffixes))
        for letter, suffixes in suffixes_by_letter.items()
    )
    return f"(?:{'|'.join(branches)})"


_HINT = re.compile(_any_of(HINTS))


def may_contain_credentials(text: str) -> bool:
    """Whether a text has a hint of a credential: a cheap check that spares most texts ``mask_plain``."""
    return _HINT.search(text.lower()) is not None


def mask_plain(text: str) -> str:
    """A text that is not JSON, with the secret part of every credential masked."""
    lowered = text.lower()
    for rule in RULES:
        if any(map(lowered.__contains__, rule.hints)):
            text = rule.pattern.sub(rule.replacement, text)
    return text
