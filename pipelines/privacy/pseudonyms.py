"""Pseudonymization of a document before it is written to the disk, with the setting ``pii = "hash"``.

Phone numbers, user ids and caller ids become keyed hashes (HMAC-SHA256). The same person has the same hash in every
document and every run, so repeat callers can still be counted. Without the key, nobody can find a number by hashing
all numbers. In texts, e-mail addresses, phone numbers and card numbers are replaced. Other values, times and the
vendor's own ids stay as they are.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from pipelines.privacy.embedded_json import change_text
from pipelines.privacy.pii_patterns import has_seven_digits, mask_personal_data
from pipelines.privacy.text_spans import fold, replace

IDENTIFIER_KEYS = frozenset(
    {
        *("user_id", "user_identifier", "initiator_id", "system__user_id", "system__initiator_id"),
        *("external_number", "agent_number", "transfer_number", "system__caller_id", "system__called_number"),
        *("whatsapp_user_id", "whatsapp_phone_number_id", "whatsapp_business_account_id"),
        *("sms_user_phone_number", "agent_phone_number", "caller_id", "phone", "phone_number", "bsuid", "wamid"),
    }
)
"""Keys whose text or number identifies a person: it is hashed, at any place in a document."""

CUSTOMER_DATA_KEYS = frozenset(
    {
        *("params_as_json", "result_value", "body", "path_params", "query_params", "parameters"),
        *("dynamic_variables", "sip_header_dynamic_variables", "custom_llm_extra_body"),
        *("value", "old_value", "new_value"),
    }
)
"""Keys below which all values are the customer's data: an id there can be an e-mail address."""

_IDENTIFIER_NAMES = frozenset(name.replace("_", "") for name in IDENTIFIER_KEYS)
_NUMBER_ENDINGS = (
    *("phone", "phonenumber", "phoneno", "telefon", "telefonnummer", "handynummer"),
    *("mobile", "mobilenumber", "mobileno", "cell", "cellnumber", "msisdn", "fax", "faxnumber", "whatsapp"),
    *("whatsappnumber", "callerid", "callernumber", "callednumber", "callingnumber", "contactnumber", "fromnumber"),
    *("tonumber", "callbacknumber", "waid", "tel"),
)
"""Ends of names whose value is hashed if it has the digits of a phone number."""
_LABELS = ("variable_name", "name", "key", "field", "header", "parameter", "label")
_LABELLED = frozenset({"constant_value", "default", "new_value", "old_value", "val", "value"})
_ID_ENDINGS = ("_id", "_ids", "_sid")
_CALL_IDS = ("call_id", "_sid")
_SYSTEM_PREFIX = "system__"
_WITHOUT_PLUS = ("whatsapp_user_id", "phone")
"""WhatsApp writes numbers with their country and without the plus: one person has one hash on every channel."""
_HASHED = re.compile(r"h:[0-9a-f]{20}")
_MIN_LENGTH_IN_TEXTS = 6
_MIN_DIGITS = 7
_PERSONAL_ID = re.compile(r"(?:\+|%2[Bb]|tel:|sips?:)[ (]?\d|[^@%]*(?:@|%40)")
"""Start of an id that is a phone number or an address, and so no id of the vendor."""
_SIGN = re.compile(r"[\d@\uff20{\[\"]|%40|&#64;")
"""A text without one has nothing personal: user ids that texts repeat have a digit, too."""

# Words and keys are the same in many documents, so it is remembered that there is nothing personal about them.
_plain_texts: set[str] = set()
_plain_names: set[str] = set()
_MAX_REMEMBERED = 20_000
_MAX_REMEMBERED_LENGTH = 120


def _remember(texts: set[str], text: str) -> None:
    if len(texts) >= _MAX_REMEMBERED:
        texts.clear()
    texts.add(text)


def _is_plain_name(name: str) -> bool:
    """Whether a key has nothing personal in it; those that say nothing of their value either are remembered."""
    is_plain = _SIGN.search(name) is None
    if is_plain and not (_is_identifier(name) or _is_number_name(name) or _is_id(name)):
        _remember(_plain_names, name)
    return is_plain


def _label_of(value: Mapping[str, Any]) -> str | None:
    """What an object says that its value is, such as in ``{"name": "phone", "value": …}``."""
    return next((value[name] for name in _LABELS if isinstance(value.get(name), str)), None)


@dataclass(frozen=True, slots=True)
class Pseudonymizer:
    """Replaces personal data in documents and list rows; the same ``key`` gives the same hashes."""

    key: bytes

    def pseudonym(self, identifier: str) -> str:
        """The hash of an identifier: the same for every notation of a phone number; a hash stays as it is."""
        if not identifier or _HASHED.fullmatch(identifier):
            return identifier
        plain = _canonical(identifier).encode("utf-8", "surrogatepass")
        return f"h:{hmac.digest(self.key, plain, 'sha256').hex()[:20]}"

    def pseudonymize(self, document: Any) -> Any:
        """A pseudonymized copy of a document, a list row or a tool."""
        user_hashes = {user_id: self.pseudonym(user_id) for user_id in _user_ids(document)}
        return _Pass(self, user_hashes, _phone_numbers(document)).change(document)


@dataclass(frozen=True, slots=True)
class _Pass:
    """One pass over a document: the hashes of its user ids, and the digits of its phone numbers."""

    pseudonymizer: Pseudonymizer
    user_hashes: Mapping[str, str]
    numbers: frozenset[str]

    def change(self, value: Any, key: str = "", *, is_customer_data: bool = False) -> Any:
        """The pseudonymized value of a key; ``is_customer_data`` says whether it is below ``CUSTOMER_DATA_KEYS``."""
        if isinstance(value, dict):
            return self._change_object(value, is_customer_data=is_customer_data)
        if isinstance(value, list):
            return [self.change(item, key, is_customer_data=is_customer_data) for item in value]
        if value is None or isinstance(value, bool):
            return value
        if _is_identifier(key) or (_is_number_name(key) and has_seven_digits(str(value))):
            is_number = key in _WITHOUT_PLUS and str(value).isdecimal()
            return self.pseudonymizer.pseudonym(f"+{value}" if is_number else str(value))
        if isinstance(value, str):
            is_vendors = _is_id(key) and not (is_customer_data and not key.startswith(_SYSTEM_PREFIX))
            return self._change_id(key, value) if is_vendors else self._change_text(value)
        return self.pseudonymizer.pseudonym(f"+{value}") if is_customer_data and str(value) in self.numbers else value

    def _change_object(self, value: dict[str, Any], *, is_customer_data: bool) -> dict[str, Any]:
        label = None if _LABELLED.isdisjoint(value) else _label_of(value)
        changed: dict[str, Any] = {}
        for name, item in value.items():  # most of the time is spent in this loop, which changes nothing
            if name not in _plain_names or (label and name in _LABELLED):
                self._change_special(changed, name, item, label, is_customer_data=is_customer_data)
            elif type(item) is str:
                changed[name] = item if item in _plain_texts else self._change_text(item)
            elif type(item) is dict or type(item) is list:
                is_below = is_customer_data or name in CUSTOMER_DATA_KEYS
                changed[name] = self.change(item, name, is_customer_data=is_below)
            else:
                changed[name] = self.change(item, name, is_customer_data=True) if is_customer_data else item
        return changed

    def _change_special(
        self, changed: dict[str, Any], name: str, item: Any, label: str | None, *, is_customer_data: bool
    ) -> None:
        """Add a key that may be personal itself, or may say so of its value."""
        new_name = name
        if not _is_plain_name(name):
            new_name = self._change_text(name)
            while new_name in changed:  # two keys that were two people
                new_name += "+"
        changed[new_name] = self.change(
            item,
            label if label and name in _LABELLED else name,
            is_customer_data=is_customer_data or name in CUSTOMER_DATA_KEYS,
        )

    def _change_id(self, key: str, value: str) -> str:
        """The vendor's own ids must not change; a phone number or an address is none, except the id of a SIP call."""
        if value in self.user_hashes:
            return self.user_hashes[value]
        is_personal = not key.endswith(_CALL_IDS) and _PERSONAL_ID.match(fold(value))
        return self._change_text(value) if is_personal else value

    def _change_text(self, text: str) -> str:
        if text in _plain_texts:
            return text
        if not _SIGN.search(text):
            if len(text) <= _MAX_REMEMBERED_LENGTH:
                _remember(_plain_texts, text)
            return text
        return change_text(text, partial(self.change, is_customer_data=True), self._change_plain)

    def _change_plain(self, text: str) -> str:
        for user_id, user_hash in self.user_hashes.items():
            if user_id in text:
                text = re.sub(rf"(?<!\w){re.escape(user_id)}(?!\w)", user_hash, text)
        text = mask_personal_data(text)
        if self.numbers and has_seven_digits(text):
            digits = "".join(filter(str.isdigit, fold(text)))
            for number in self.numbers:
                if number in digits:
                    separated = r"[ ().\-/]{0,2}".join(number)
                    text = replace(text, re.compile(rf"(?<!\d)\+?{separated}(?!\d)"), "<phone>", lambda m: m.span())
        return text


def _canonical(identifier: str) -> str:
    """A phone number as a plus and digits, whatever its notation; any other identifier as it is."""
    plain = identifier.strip()
    number = re.fullmatch(r"(?:tel:|sips?:)?\+([\d ().\-/]+)(?:[@;].*)?", plain)
    return "+" + re.sub(r"\D", "", number[1]) if number else plain


@lru_cache(maxsize=8192)  # every document has the same keys
def _is_identifier(key: str) -> bool:
    return re.sub(r"[\W_]", "", key.lower()) in _IDENTIFIER_NAMES


@lru_cache(maxsize=8192)
def _is_number_name(key: str) -> bool:
    return re.sub(r"[\W_]", "", key.lower()).endswith(_NUMBER_ENDINGS)


def _is_id(key: str) -> bool:
    return key == "id" or key.endswith(_ID_ENDINGS)


def _phone_numbers(document: Any) -> frozenset[str]:
    """Digits of the phone numbers of a document, which its texts may repeat without a plus."""
    if not isinstance(document, dict):
        return frozenset()
    metadata, client = document.get("metadata"), document.get("conversation_initiation_client_data")
    phone_call, whatsapp, sms = (_object(_object(metadata).get(key)) for key in ("phone_call", "whatsapp", "sms"))
    variables = _object(_object(client).get("dynamic_variables"))
    values = (
        *(phone_call.get(key) for key in ("external_number", "agent_number")),
        *(whatsapp.get("whatsapp_user_id"), sms.get("sms_user_phone_number")),
        *(variables.get(key) for key in ("system__caller_id", "system__called_number")),
    )
    digits = ("".join(filter(str.isdigit, value)) for value in values if isinstance(value, str))
    return frozenset(number for number in digits if len(number) >= _MIN_DIGITS)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _user_ids(document: Any) -> Iterator[str]:
    """The user ids of a document that its texts may repeat, except those that a text may contain by chance."""
    if not isinstance(document, dict):
        return
    for holder in (document, document.get("metadata"), document.get("conversation_initiation_client_data")):
        if isinstance(holder, dict):
            user_ids = (holder.get(key) for key in ("user_id", "initiator_id"))
            yield from (user_id for user_id in user_ids if isinstance(user_id, str) and _is_distinctive(user_id))


def _is_distinctive(user_id: str) -> bool:
    return len(user_id) >= _MIN_LENGTH_IN_TEXTS and any(map(str.isdigit, user_id))
