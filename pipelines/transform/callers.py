"""Who called or was called, and in which direction: columns of ``conversations`` from several places of a document.

Phone numbers are written in E.164 by the rules of libphonenumber, so that one person is one caller, however a provider
writes the number. A number without a country is one of the country of the agent's own number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from warehouse.schema.types import REDACTED

CALLER_VARIABLE = "system__caller_id"
CALLED_VARIABLE = "system__called_number"

_WITHHELD = frozenset({"anonymous", "blocked", "noid", "private", "restricted", "unavailable", "unknown", "withheld"})
_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_WITHHELD_NUMBERS = frozenset(word.translate(_KEYPAD) for word in _WITHHELD)
"""The same words as Twilio dials them: anonymous is +266696687."""

_NUMBER = re.compile(r"(?:tel:|sips?:)?(\+?[\d ().\-/\u2010-\u2015\u00a0]+)(?:[@;].*)?", re.IGNORECASE)
_MIN_NATIONAL_DIGITS = 7
"""Fewer digits without a country are an extension."""


def direction(detail: Any) -> str | None:
    """Inbound or outbound, as the channel says; a call without one is inbound where the system knows its caller."""
    metadata = detail.metadata
    for channel in (metadata.phone_call, metadata.whatsapp, metadata.sms):
        if channel is not None and channel.direction not in (None, "", "unknown"):
            return str(channel.direction)
    if metadata.batch_call is not None:
        return "outbound"
    return "inbound" if metadata.phone_call is None and _variable(detail, CALLER_VARIABLE) else None


def caller_id(detail: Any) -> str | None:
    """The other party: a phone number in E.164, else the id that the channel has; None if unknown or withheld."""
    own_number = _own_number(detail)
    return next((caller for text in _candidates(detail) if (caller := _canonical(text, own_number))), None)


def _candidates(detail: Any) -> Iterator[str]:
    """What the document says of the other party, in the order of trust."""
    phone_call, whatsapp, sms = detail.metadata.phone_call, detail.metadata.whatsapp, detail.metadata.sms
    if phone_call is not None:
        yield phone_call.external_number or ""
    if whatsapp is not None:
        recipient = whatsapp.recipient
        for user in (recipient and recipient.phone, whatsapp.whatsapp_user_id, recipient and recipient.bsuid):
            # WhatsApp writes numbers with their country and without the plus.
            yield f"+{user}" if user and user.isdecimal() else user or ""
    if sms is not None:
        yield sms.sms_user_phone_number or ""
    if direction(detail) == "inbound":
        yield _variable(detail, CALLER_VARIABLE)


def _own_number(detail: Any) -> str:
    phone_call, sms = detail.metadata.phone_call, detail.metadata.sms
    number = (phone_call and phone_call.agent_number) or (sms and sms.agent_phone_number)
    return number or _variable(detail, CALLED_VARIABLE)


def _variable(detail: Any, name: str) -> str:
    """Text of a dynamic variable; empty if there is none."""
    client_data = detail.conversation_initiation_client_data
    value = client_data and client_data.dynamic_variables and client_data.dynamic_variables.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


@lru_cache(maxsize=50_000)  # callers and agents' numbers come again and again
def _canonical(text: str, own_number: str) -> str | None:
    text = text.strip()
    number = _NUMBER.fullmatch(text)
    if number is None:
        is_withheld = re.sub(r"[\W_]", "", text.lower()) in _WITHHELD
        return None if not text or text == REDACTED or is_withheld else text
    digits = re.sub(r"\D", "", number[1])
    if not digits or digits in _WITHHELD_NUMBERS:
        return None
    is_international = number[1].startswith(("+", "00"))
    if is_international:
        return _e164(f"+{digits.removeprefix('00')}", None) or f"+{digits}"
    region = _region(own_number) if len(digits) >= _MIN_NATIONAL_DIGITS else None
    return (region and (_e164(digits, region) or _e164(f"+{digits}", None))) or digits


def _e164(number: str, region: str | None) -> str | None:
    """The number in E.164; None where no number of its country is that long."""
    import phonenumbers  # noqa: PLC0415 - 15 ms of imports, only for documents with a caller

    try:
        parsed_number = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    is_possible = (
        phonenumbers.is_possible_number_with_reason(parsed_number) == phonenumbers.ValidationResult.IS_POSSIBLE
    )
    return phonenumbers.format_number(parsed_number, phonenumbers.PhoneNumberFormat.E164) if is_possible else None


@lru_cache(maxsize=1_000)
def _region(own_number: str) -> str | None:
    """The main region of the country of the agent's number, such as US for +1."""
    import phonenumbers  # noqa: PLC0415 - as above

    try:
        country_code = phonenumbers.parse(own_number, None).country_code
    except phonenumbers.NumberParseException:
        return None
    return str(phonenumbers.region_code_for_country_code(country_code or 0))
