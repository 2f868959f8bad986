"""Texts of errors: they end in logs, run records and other tools, so whatever the settings say, nothing is in them."""

from __future__ import annotations

import msgspec

from pipelines.privacy.mask_documents import mask_text
from pipelines.privacy.pii_patterns import mask_personal_data

MAX_ERROR_LENGTH = 200


def hide_message(text: str) -> str:
    """A message without credentials, e-mail addresses, phone numbers and card numbers."""
    return mask_personal_data(mask_text(text))


def describe_error(error: Exception) -> str:
    """An error without a value of the document that caused it, which the text of most exceptions may quote."""
    if isinstance(error, msgspec.ValidationError | OverflowError | RecursionError | UnicodeError):
        return hide_message(f"{type(error).__name__}: {error}")[:MAX_ERROR_LENGTH]
    return type(error).__name__
