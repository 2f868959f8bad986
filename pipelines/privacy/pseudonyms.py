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
from functools import partial
from typing import Any

from pipelines.privacy.embedded_json import change_text
from pipelines.privacy.pii_patterns import mask_personal_data

IDENTIFIER_KEYS = frozenset(
    {
        *("user_id", "user_identifier", "initiator_id", "system__user_id", "system__initiator_id"),
        *("external_number", "agent_number", "transfer_number", "system__caller_id", "system__called_number"),
        *("whatsapp_user_id", "whatsapp_phone_number_id", "whatsapp_business_account_id"),
        *("sms_user_phone_number", "agent_phone_number", "caller_id", "phone", "phone_number"),
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

_VALUE_KEYS_OF_UPDATES = ("old_value", "new_value")
_ID_ENDINGS = ("_id", "_ids", "_sid")
_SYSTEM_PREFIX = "system__"
_HASHED = re.compile(r"h:[0-9a-f]{20}")
_MIN_LENGTH_IN_TEXTS = 6


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
        return self._pseudonymize_value("", document, user_hashes, is_customer_data=False)

    def _pseudonymize_value(
        self, key: str, value: Any, user_hashes: Mapping[str, str], *, is_customer_data: bool
    ) -> Any:
        """The pseudonymized value of a key; ``is_customer_data`` says whether it is below ``CUSTOMER_DATA_KEYS``."""
        if isinstance(value, list):
            return [
                self._pseudonymize_value(key, item, user_hashes, is_customer_data=is_customer_data) for item in value
            ]
        if isinstance(value, dict):
            variable = value.get("variable_name")  # of an update: the key of the old and the new value
            return {
                name: self._pseudonymize_value(
                    variable if isinstance(variable, str) and name in _VALUE_KEYS_OF_UPDATES else name,
                    item,
                    user_hashes,
                    is_customer_data=is_customer_data or name in CUSTOMER_DATA_KEYS,
                )
                for name, item in value.items()
            }
        if key in IDENTIFIER_KEYS:
            return value if value is None or isinstance(value, bool) else self.pseudonym(str(value))
        if not isinstance(value, str) or _is_vendors_id(key, is_customer_data=is_customer_data):
            return value
        return self._pseudonymize_text(value, user_hashes)

    def _pseudonymize_text(self, text: str, user_hashes: Mapping[str, str]) -> str:
        change = partial(self._pseudonymize_value, "", user_hashes=user_hashes, is_customer_data=True)
        return change_text(text, change, partial(self._x, user_hashes=user_hashes))

    def _x(self, text: str, user_hashes: Mapping[str, str]) -> str:
        for user_id, user_hash in user_hashes.items():
            if user_id in text:
                text = re.sub(rf"(?<!\w){re.escape(user_id)}(?!\w)", user_hash, text)
        return mask_personal_data(text)


def _canonical(identifier: str) -> str:
    """A phone number as a plus and digits, whatever its notation; any other identifier as it is."""
    plain = identifier.strip()
    number = re.fullmatch(r"(?:tel:|sips?:)?\+([\d ().\-/]+)(?:[@;].*)?", plain)
    return "+" + re.sub(r"\D", "", number[1]) if number else plain


def _is_vendors_id(key: str, *, is_customer_data: bool) -> bool:
    """Whether the value of a key is one of the vendor's own ids, which must not change."""
    return (key == "id" or key.endswith(_ID_ENDINGS)) and (not is_customer_data or key.startswith(_SYSTEM_PREFIX))


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
