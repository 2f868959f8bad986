"""Personal data leaves a document before it touches the disk, where ``pii = "hash"`` asks for it.

Phone numbers, user ids and caller ids become keyed hashes (HMAC-SHA256): the same person has the same one in every
document and every run, so repeat callers still count, and without the key nobody can try numbers out. Texts lose e-mail
addresses, phone numbers and card numbers. Numbers, times and the vendor's own ids stay as they are.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipelines.privacy.embedded_json import change_embedded_json
from pipelines.privacy.pii_patterns import mask_personal_data

IDENTIFIER_KEYS = frozenset(
    {
        *("user_id", "user_identifier", "initiator_id", "system__user_id", "system__initiator_id"),
        *("external_number", "agent_number", "transfer_number", "system__caller_id", "system__called_number"),
        *("whatsapp_user_id", "whatsapp_phone_number_id", "whatsapp_business_account_id"),
        *("sms_user_phone_number", "agent_phone_number", "caller_id", "phone", "phone_number"),
    }
)
"""Keys whose text or number says who somebody is: hashed whole, wherever they stand."""

CUSTOMER_DATA_KEYS = frozenset(
    {
        *("params_as_json", "result_value", "body", "path_params", "query_params", "parameters"),
        *("dynamic_variables", "sip_header_dynamic_variables", "custom_llm_extra_body"),
        *("value", "old_value", "new_value"),
    }
)
"""Keys below which all is the customer's: there, an id can be an e-mail address."""

_VALUE_KEYS_OF_UPDATES = ("old_value", "new_value")
_ID_ENDINGS = ("_id", "_ids", "_sid")
_SYSTEM_PREFIX = "system__"
_HASHED = re.compile(r"h:[0-9a-f]{20}")
_MIN_LENGTH_IN_TEXTS = 6


@dataclass(frozen=True, slots=True)
class Pseudonymizer:
    """Hides people in documents and list rows; with the same key, the same person behind the same hash."""

    key: bytes

    def pseudonym(self, identifier: str) -> str:
        """The hash of an identifier; of a phone number the same however it is written, and of a hash itself."""
        if not identifier or _HASHED.fullmatch(identifier):
            return identifier
        plain = _canonical(identifier).encode("utf-8", "surrogatepass")
        return f"h:{hmac.digest(self.key, plain, 'sha256').hex()[:20]}"

    def pseudonymize(self, document: Any) -> Any:
        """A detail or a list row without its people; the one given stays as it is."""
        known = {plain: self.pseudonym(plain) for plain in _user_ids(document)}
        return self._pseudonymize_value("", document, known, is_customers=False)

    def _pseudonymize_value(self, key: str, value: Any, known: Mapping[str, str], *, is_customers: bool) -> Any:
        """What stands under a key, hidden; ``is_customers`` is set where the customer's own data stand."""
        if isinstance(value, list):
            return [self._pseudonymize_value(key, item, known, is_customers=is_customers) for item in value]
        if isinstance(value, dict):
            changed = value.get("variable_name")  # of an update, which has the old and the new value beside
            return {
                name: self._pseudonymize_value(
                    changed if isinstance(changed, str) and name in _VALUE_KEYS_OF_UPDATES else name,
                    item,
                    known,
                    is_customers=is_customers or name in CUSTOMER_DATA_KEYS,
                )
                for name, item in value.items()
            }
        if key in IDENTIFIER_KEYS:
            return value if value is None or isinstance(value, bool) else self.pseudonym(str(value))
        if not isinstance(value, str) or _is_vendors_id(key, is_customers=is_customers):
            return value
        return self._pseudonymize_text(value, known)

    def _pseudonymize_text(self, text: str, known: Mapping[str, str]) -> str:
        changed = change_embedded_json(text, partial(self._pseudonymize_value, "", known=known, is_customers=True))
        if changed is not None:
            return changed
        for plain, hashed in known.items():
            if plain in text:
                text = re.sub(rf"(?<!\w){re.escape(plain)}(?!\w)", hashed, text)
        return mask_personal_data(text)


def _canonical(identifier: str) -> str:
    """One form for all ways of writing a phone number: a plus and digits; any other identifier as it is."""
    plain = identifier.strip()
    number = re.fullmatch(r"(?:tel:|sips?:)?\+([\d ().\-/]+)(?:[@;].*)?", plain)
    return "+" + re.sub(r"\D", "", number[1]) if number else plain


def _is_vendors_id(key: str, *, is_customers: bool) -> bool:
    """Whether a text is an id of the vendor's own, which nothing may change."""
    return (key == "id" or key.endswith(_ID_ENDINGS)) and (not is_customers or key.startswith(_SYSTEM_PREFIX))


def _user_ids(document: Any) -> Iterator[str]:
    """The user ids of a document that its texts may repeat; one that is short or a word is found where nobody is."""
    if not isinstance(document, dict):
        return
    for holder in (document, document.get("metadata"), document.get("conversation_initiation_client_data")):
        if isinstance(holder, dict):
            found = (holder.get(key) for key in ("user_id", "initiator_id"))
            yield from (each for each in found if isinstance(each, str) and _identifies_a_person(each))


def _identifies_a_person(user: str) -> bool:
    return len(user) >= _MIN_LENGTH_IN_TEXTS and any(map(str.isdigit, user))
