"""Names of credentials: of JSON keys, headers, query parameters, form fields, XML tags, variables and options alike."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache


class Secrecy(Enum):
    """What a name says about its value."""

    NONE = "an ordinary value"
    POSSIBLE = "a credential if it looks like one"
    CERTAIN = "a credential"


def words(text: str) -> frozenset[str]:
    """The words of a text: a long list of names is easier to read without quotes."""
    return frozenset(text.split())


_EXACT = words(
    """
    2facode auth authcode authorization authorizationcode backupcode backupcodes bearer credential cvc cvc2 cvv cvv2
    devicecode jwt mfacode mnemonic onetimecode onetimepin otp otpcode pass proxyauthorization pwd pw
    recoverycode recoverycodes recoveryphrase securitycode seedphrase senha sig totp totpcode
    verificationcode xauth xauthorization
    """
)
_KEYS = words("""
    access account admin aes api app application auth cipher client consumer crypto decryption deploy encryption
    functions hmac host ingest integration jwt license licence management master private publishable recovery root rsa
    sas secret server service session shared signature signing ssh subscription webhook write
""")
_ENDINGS = (
    *(f"{word}key" for word in _KEYS),
    *("apikeys", "secret", "secrets", "token", "password", "passwords", "passwd", "passphrase"),
    *("passcode", "passwort", "kennwort", "contraseña", "contrasena", "motdepasse", "wachtwoord"),
    *("credentials", "cookie", "cookies", "sessionid", "sessid", "authsession", "connectsid"),
    *("csrf", "xsrf", "authtokens", "accesstokens", "refreshtokens", "apitokens"),
)
_PUBLIC_ENDINGS = (
    *("continuationtoken", "maxtoken", "nexttoken", "pagetoken", "synctoken"),
    *("pertoken", "counttoken", "eostoken", "bostoken", "padtoken", "stoptoken", "firsttoken", "lasttoken"),
)
"""Ends of names that have the end of a credential's name: cursors of pages, and prices and marks of language models."""
_POSSIBLE = frozenset({"accesscode", "code", "key", "license", "pin", "pincode", "session", "sid"})
_POSSIBLE_ENDINGS = ("hmac", "signature", "signaturesha256")
_SUFFIX = re.compile(r"(?:b64|base64|confirm|confirmation|dev|hash|live|plain|prod|raw|staging|test|value|v?\d+)$")
_SECRET_VARIABLE = "secret__"  # noqa: S105 - the vendor's prefix of variables that may only go into headers


@lru_cache(maxsize=8192)  # every document has the same keys
def secrecy(name: str) -> Secrecy:
    """What a name says about its value; case and punctuation do not matter: ``X-Auth-Token``, ``clientSecret``."""
    if name.startswith(_SECRET_VARIABLE):
        return Secrecy.CERTAIN
    plain = re.sub(r"[\W_]", "", name.lower())
    certainty = _secrecy(plain)
    shorter = _SUFFIX.sub("", plain)
    return _secrecy(shorter) if certainty is Secrecy.NONE and len(shorter) > len("key") else certainty


def _secrecy(plain: str) -> Secrecy:
    if plain in _EXACT or (plain.endswith(_ENDINGS) and not plain.endswith(_PUBLIC_ENDINGS)):
        return Secrecy.CERTAIN
    if plain in _POSSIBLE or plain.endswith(_POSSIBLE_ENDINGS):
        return Secrecy.POSSIBLE
    return Secrecy.NONE


_TICKET = re.compile(r"[A-Z]{1,10}[-_]?\d+")
_WORDS = re.compile(r"[A-Za-z]+(?:[_.\- ][A-Za-z]+|[_.-]\d{1,4})+")
_FILE = re.compile(r".*\.[A-Za-z]{2,4}")
_VENDOR_IDS = re.compile(r"(?:AC|CA|CF|MG|MM|PN|RE|SM)[0-9a-f]{32}|[a-z]+_[0-9a-z]{28}")
_DATE = re.compile(r"\d{4}-\d\d.*|\d\d?[./]\d\d?[./]\d{2,4}.*")
_MIN_LENGTH = 6
_MIN_CODE_LENGTH = 16
_PIN = re.compile(r"\d{4,8}")


def looks_secret(name: str, value: object) -> bool:
    """Whether a value that a name says may be a credential looks like one: a word with letters and digits in it.

    Tickets (``PROJ-123``), words with a number (``step_2``), files, dates and the ids of calls do not.
    """
    plain = re.sub(r"[\W_]", "", name.lower())
    if plain == "pin":
        return _PIN.fullmatch(str(value)) is not None
    if not isinstance(value, str) or len(value) < (_MIN_CODE_LENGTH if "code" in plain else _MIN_LENGTH):
        return False
    if any(map(str.isspace, value)) or not (any(map(str.isdigit, value)) and any(map(str.isalpha, value))):
        return False
    if "://" in value or (plain != "session" and "@" in value):
        return False
    return not any(pattern.fullmatch(value) for pattern in (_TICKET, _WORDS, _FILE, _VENDOR_IDS, _DATE))
