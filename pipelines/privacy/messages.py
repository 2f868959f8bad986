"""Texts of errors: they end in logs, run records and other tools, so whatever the settings say, nothing is in them."""

from __future__ import annotations

from pipelines.privacy.mask_documents import mask_text
from pipelines.privacy.pii_patterns import mask_personal_data


def hide_message(text: str) -> str:
    """A message without credentials, e-mail addresses, phone numbers and card numbers."""
    return mask_personal_data(mask_text(text))
