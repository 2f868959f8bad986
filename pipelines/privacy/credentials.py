"""How credentials are recognized in a plain text: by their form, and by the name before them.

Only the secret part of a text becomes ``***``. What looks like an ordinary word stays: in prose, anything can follow a
colon, so an unquoted value after a colon must look like a credential.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pipelines.privacy.credential_forms import ADDRESS, FORM, LONG_WORD
from pipelines.privacy.credential_names import Secrecy, looks_secret, secrecy, words
from pipelines.privacy.text_spans import Span, SpanOf, fold, replace

MASK = "***"

_QUOTE = r"(?:\\*[\"'`]|%22|&quot;|&#34;)"
_SCHEMES_WITH_PARAMETERS = (
    r"digest|oauth|hawk|mac|signature|sharedkey(?:lite)?|aws4-hmac-sha256|hmac[-\w]*|aws|api-?key|sso-key"
)
_SCHEMES = rf"bearer|basic|token|apikey|negotiate|{_SCHEMES_WITH_PARAMETERS}"
_ASSIGNMENT = re.compile(
    rf"(?:(?<![A-Za-z0-9_$])|(?<=%[0-9A-Fa-f]{{2}}))(?P<name>[A-Za-z_$][\w.$-]{{0,60}})"
    rf"(?:{_QUOTE}|\]|%5[Dd]){{0,2}}\s{{0,4}}(?P<sign>=>|:=|=|:|%3[ADad])\s{{0,4}}"
    rf"(?P<open>{_QUOTE}?)(?P<scheme>(?:(?i:{_SCHEMES})\s+)?)"
)
_BARE = re.compile(r"[^\s\"'&<>#\\`]*[^\s\"'&<>#\\`,;]")
_UNTIL_QUOTE = {
    '"': re.compile(r"(?:[^\"\\]|\\.)+", re.DOTALL),
    "'": re.compile(r"(?:[^'\\]|\\.)+", re.DOTALL),
    "`": re.compile(r"[^`]+"),
    "%22": re.compile(r"(?:(?!%22)[^\s&])+"),
    "&quot;": re.compile(r"(?:(?!&quot;)[^<>])+"),
    "&#34;": re.compile(r"(?:(?!&#34;)[^<>])+"),
}
_UNTIL_ESCAPED_QUOTE = re.compile(r"[^\"'\\`]+")
_WORD_BEFORE = re.compile(r"([A-Za-z]+)[ \u00a0]$")
_MIN_RANDOM_LENGTH = 20
_AMBIGUOUS = frozenset({"auth", "cookie", "cookies", "csrf", "jwt", "otp", "pass", "pw", "pwd", "sig", "xsrf"})
"""Names that in prose are often followed by something else, such as "pass: 12 of 15"."""
_ANY_VALUE = ("key", "signature")
"""Names that may or may not be a credential's; in a query, they are."""
_DIGITS = re.compile(r"\d{3,8}(?!\d)")
_CODES = frozenset({"otp", "pin"})
_STATES = words(
    """
    empty error expired failed false incorrect invalid missing no none null ok optional required set true undefined
    unknown unset valid wrong yes
    """
)


def _assigned(match: re.Match[str]) -> Span | None:
    """The span of the value after a name, if the name says that it is a credential."""
    text, name = match.string, match["name"].lower().rstrip("-.")
    certainty = secrecy(name)
    if certainty is not Secrecy.CERTAIN:
        longer = _longer_name(match)
        if secrecy(longer) is Secrecy.CERTAIN or certainty is Secrecy.NONE:
            name, certainty = longer, secrecy(longer)
    if certainty is Secrecy.NONE:
        return None
    value = _value_at(text, match.end(), match["open"])
    if value is None or not _is_credential(match, name, certainty, value[0]):
        return None
    return value.span()


def _longer_name(match: re.Match[str]) -> str:
    """The name with the word before it: "backup codes", "security code"."""
    word = _WORD_BEFORE.search(match.string, max(0, match.start() - 24), match.start())
    return f"{word[1]}{match['name']}".lower() if word else match["name"]


def _value_at(text: str, start: int, quote: str) -> re.Match[str] | None:
    pattern = _UNTIL_QUOTE.get(quote) or (_UNTIL_ESCAPED_QUOTE if quote else _BARE)
    return pattern.match(text, start)


def _is_credential(match: re.Match[str], name: str, certainty: Secrecy, value: str) -> bool:
    if value.startswith(MASK) or (not match["open"] and value[0] in "{[("):
        return False
    plain = re.sub(r"[\W_]", "", name)
    is_equation = match["sign"] in {"=", "=>", ":="} or match["sign"].lower() == "%3d"
    if certainty is Secrecy.POSSIBLE:
        is_any_value = is_equation and plain.endswith(_ANY_VALUE) and secrecy(value) is Secrecy.NONE
        return is_any_value or looks_secret(name, value.rstrip(".,;)}]"))
    if is_equation or match["open"] or match["scheme"] or plain.endswith("authorization"):
        return True
    if plain in _AMBIGUOUS:
        return looks_secret("key", value) or (plain in _CODES and _DIGITS.match(value) is not None)
    return any(map(str.isdigit, value)) or len(value) >= _MIN_RANDOM_LENGTH or _is_whole_line(match, value)


def _is_whole_line(match: re.Match[str], value: str) -> bool:
    """Whether a line has a name and one word, as in YAML; not if the word is a state: ``token: expired``."""
    text = match.string
    before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
    end = match.end() + len(value)
    is_alone = not before.strip(" \t-") and (end == len(text) or text[end] in "\r\n")
    return is_alone and "\n" in text and value.lower() not in _STATES


def _named(match: re.Match[str]) -> Span | None:
    """The span of ``secret``, if ``name`` is that of a credential."""
    if secrecy(match["name"]) is not Secrecy.CERTAIN or match["secret"].startswith(MASK):
        return None
    return match.span("secret")


def _paired(match: re.Match[str]) -> Span | None:
    """The span of the second of two quoted texts, if the first names a credential and the second looks like one."""
    return _named(match) if looks_secret("key", match["secret"]) else None


def _secret(match: re.Match[str]) -> Span | None:
    return None if match["secret"].startswith(MASK) else match.span("secret")


def _any_group(match: re.Match[str]) -> Span | None:
    name = match.lastgroup
    return match.span(name) if name and not match[name].startswith(MASK) else None


class Rule(NamedTuple):
    """A form of credentials: the texts that may have one, its pattern, and which part of a match is the secret."""

    signs: tuple[str, ...]
    pattern: re.Pattern[str]
    span_of: SpanOf = _secret


_NAME = r"(?P<name>[A-Za-z_][\w.-]{1,60})"
_SPOKEN_NAMES = (
    r"pass(?:word|code|phrase)|pin(?: code| number)?|otp|api[ -]?key|(?:access|auth|bearer|api) token|secret(?: key)?"
    r"|(?:verification|security|one[- ]time|access|login) (?:code|password)|cvv|cvc"
)
RULES = (
    Rule(
        ("authorization",),  # schemes with parameters
        re.compile(
            rf"(?i)authorization\\*[\"']?\s*(?:[=:]|%3d)\s*\\*[\"']?(?:{_SCHEMES_WITH_PARAMETERS})\s+"
            r"(?P<secret>[^\r\n']+)"
        ),
    ),
    Rule(("cookie",), re.compile(r"(?i)(?<![a-z0-9])(?:set-)?cookie2?:\s*(?P<secret>[^\s\"'\\][^\r\n\"'\\]*)")),
    Rule(  # but not "bearer instruments" or "Basic information"
        ("bearer", "basic"),
        re.compile(
            r"(?<![A-Za-z0-9])(?i:bearer|basic)(?:\s+|%20|\+)"
            r"(?P<secret>(?=[\w.~+/=-]*(?:[\d_~+/=]|[a-z][A-Z])|[\w.~+/=-]{24})[\w.~+/=-]{6,})"
        ),
    ),
    Rule(
        ("://", ":\\/\\/", "%3a%2f%2f"),
        re.compile(
            r"(?i)(?:(?<=:)//|(?<=:)\\/\\/|%3a%2f%2f)[^\s/:@\"'\\<>%]*(?::|%3a)(?P<secret>[^\s/\"'\\<>]+?)"
            r"(?:@|%40)(?![^\s/\"'\\<>]*@)"
        ),
    ),
    Rule(("://", ".com/", ".org/", "key="), ADDRESS, _any_group),
    Rule(("=", ":", "%3d", "%3a"), _ASSIGNMENT, _assigned),
    Rule(  # XML and HTML
        ("</", "&lt;/", "<!["),
        re.compile(
            rf"(?:<|&lt;)(?:[\w-]+:)?{_NAME}(?:\s[^<>]*?)?(?:>|&gt;)\s*(?:<!\[CDATA\[)?(?P<secret>[^<>&\s][^<&]*?)\s*"
            r"(?=\]\]>|<|&lt;)"
        ),
        _named,
    ),
    Rule(
        ("<", "&lt;"),
        re.compile(rf"(?:name|key|id|property)\s*=\s*[\"']{_NAME}[\"'][^<>]{{0,80}}?(?:value|content)=[\"'](?P<secret>[^\"']+)"),
        _named,
    ),
    Rule(("<",), re.compile(rf"(?:name|key|id)=[\"']{_NAME}[\"'][^<>]*>(?P<secret>[^<]+)"), _named),
    Rule(("</key>",), re.compile(rf"<key>{_NAME}</key>\s*<(?:string|data)>(?P<secret>[^<]+)"), _named),
    Rule(
        ("form-data",),
        re.compile(rf"name=\"?{_NAME}\"?[^\r\n]*(?:\r?\n[^\r\n]+)*(?:\r?\n){{2}}(?P<secret>[^\r\n]+)"),
        _named,
    ),
    Rule(("',", '",', "' ,"), re.compile(rf"[\"']{_NAME}\\*[\"']\s*,\s*\\*[\"'](?P<secret>[^\"'\\]+)"), _paired),
    # options of commands
    Rule(("--",), re.compile(rf"(?<![\w-])--{_NAME}\s+[\"']?(?P<secret>(?!-)[^\s\"']+)"), _named),
    Rule(
        ("-u",),
        re.compile(
            r"(?<!\S)(?:-u|--user|--proxy-user)[ =](?:(?P<quote>[\"'])[^:\"']*|[^\s:\"']+):"
            r"(?P<secret>(?(quote)[^\"']+|[^\s\"']+))"
        ),
    ),
    Rule(("sshpass",), re.compile(r"sshpass\s+-p\s*[\"']?(?P<secret>[^\s\"']+)")),
    Rule(("login",), re.compile(r"login\s+\S+\s+password\s+(?P<secret>\S+)")),
    Rule(  # said
        (" is ", "pin ", "code ", "password ", "otp "),
        re.compile(rf"(?i)(?<![a-z])(?:{_SPOKEN_NAMES})\s+(?:is|was|equals)(?:\s*:)?\s+[\"'`]?(?P<secret>[^\s\"'`,;]*\d[^\s\"'`,;.?!]*)"),
    ),
    Rule(
        ("-----begin", "---- begin"),
        re.compile(r"(?s)----[- ]?BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-?[- ]?----(?P<secret>(?:(?!----[- ]?END).)+)"),
    ),
)  # fmt: skip
"""The rules for texts, besides the vendors' forms (``credential_forms``). A text without any of the signs, in lower
case, does not match the pattern."""

_SIGN = re.compile(r"[=<%&]|:(?!\d\d(?!\w))|--|',|\",|----")  # but not the colon of a time: 10:30
_WORDS = ("bearer", "basic", " is ", "was", "equals", "-u ", "password ", "sshpass", ".com/", ".org/")
_MIN_LENGTH = 5


def may_match_rules(text: str) -> bool:
    """Whether a text can match one of ``RULES``: a cheap check that spares most texts ``mask_plain``."""
    if len(text) < _MIN_LENGTH:
        return False
    if not text.isascii():
        text = fold(text)
    if _SIGN.search(text):
        return True
    lowered = text.lower()
    return any(map(lowered.__contains__, _WORDS))


def may_have_form(text: str) -> bool:
    """Whether a text has a word that is long enough for the form of a vendor's credential."""
    return LONG_WORD.search(fold(text)) is not None


def mask_forms(text: str) -> str:
    """A text with every word masked that has the form of a vendor's credential."""
    return replace(text, FORM, MASK, _secret)


def mask_plain(text: str) -> str:
    """A text that is not JSON, with the secret part of every credential masked."""
    lowered = fold(text).lower()
    for rule in RULES:
        if any(map(lowered.__contains__, rule.signs)):
            text = replace(text, rule.pattern, MASK, rule.span_of)
    return mask_forms(text) if may_have_form(text) else text
