"""Recognizes secrets in URLs and connection strings: these are shown in messages and written to records.

A password with a ``/``, ``?`` or ``#`` that is not percent-encoded ends the part of a URL that has the host, so its
rest looks like a path to whoever parses it. So the text is looked at before it is parsed, which can also fail with the
password in the error.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

_LOGIN = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?+[^@]*:[^@]*@", re.IGNORECASE)
"""What begins with ``user:password@``, after the scheme, whatever characters the password has."""
_PARAMETER = re.compile(r"(?:^|[?&;#\s])([^?&;#\s=]+)\s*=")
_SECRET_NAME = re.compile(r"pass(word|wd)|secret|token|^(pwd|sig)$", re.IGNORECASE)


_KEY_OF_STORE = re.compile(r"(?:s3a?|gs|gcs|az)://[^/]*[@:]", re.IGNORECASE)
"""An object store's key before its bucket, as some libraries take it."""

REFUSAL = "it must not hold a password or key, as it is shown in messages"


def has_secret(text: str) -> bool:
    """Whether a URL, or a connection string such as ``host=db password=…``, holds a password, a token or a secret."""
    names = (unquote(name) for name in _PARAMETER.findall(text))
    return bool(_LOGIN.match(text) or _KEY_OF_STORE.match(text)) or any(map(_SECRET_NAME.search, names))


def refuse_secret(text: str) -> None:
    """Check a URL or the path of a folder, in which a name may have any characters.

    Raises:
        ValueError: it is a URL or a connection string with a secret; the message does not repeat it.
    """
    if not text.startswith(("/", ".", "~", "file:")) and has_secret(text):
        raise ValueError(REFUSAL)
