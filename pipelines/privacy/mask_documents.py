"""Masking of credentials in a document or in any part of one, before it is written to the disk.

A document is a conversation, a list row, a tool or prices. Every text at every place is looked at, and so is every key,
also those that the API may add. What a key with the name of a credential holds is masked whatever it is, and so are the
values of headers. Names of headers, ids of stored secrets and names of variables stay.
"""

from __future__ import annotations

import re
from enum import Enum
from operator import is_
from typing import Any

from pipelines.privacy.credential_names import Secrecy, looks_secret, secrecy, words
from pipelines.privacy.credentials import MASK, mask_forms, mask_plain, may_have_form, may_match_rules
from pipelines.privacy.embedded_json import change_text

_LOCATORS = frozenset({"secret_id", "variable_name", "env_var_label"})
"""Keys that say where the value of a header or secret comes from."""
_NAMING_KEYS = words(
    """
    data_collection_id field field_name header header_name id key label name param param_name parameter parameter_name
    property type variable variable_name
    """
)
_VALUE_KEYS = words(
    """
    constant_value current_value data default default_value header_value new_value old_value param_value parameter_value
    val value values
    """
)
_SCHEMA_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_SCHEMA_VALUES = frozenset({"const", "constant_value", "default", "enum", "example", "examples", "value"})
"""Keys of a JSON schema that hold a value."""
_PAIR = 2
_MIN_KEY_WITH_CREDENTIAL = 16


class _Meaning(Enum):
    """What a key says about its value."""

    NONE = "nothing"
    POSSIBLE = "it is a credential if it looks like one"
    CERTAIN = "it is a credential"
    HEADERS = "it has headers"
    MASKED = "nothing, but the key itself has a credential in it"


# Ids, words and keys are the same in many documents, so what was found about them is remembered.
_meanings: dict[str, _Meaning] = {}
_plain_keys: set[str] = set()
_clean_texts: set[str] = set()
_MAX_REMEMBERED = 20_000
_MAX_REMEMBERED_LENGTH = 120


def mask(value: Any) -> Any:
    """A JSON value with its credentials masked: the value itself if it has none, otherwise a copy."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        return _mask_object(value)
    return _mask_list(value) if isinstance(value, list) else value


def mask_text(text: str) -> str:
    """A text with its credentials masked; JSON stays JSON, at every level of nesting."""
    if text in _clean_texts:
        return text
    if may_match_rules(text):
        masked = change_text(text, mask, mask_plain)
    else:
        masked = mask_forms(text) if may_have_form(text) else text
    if masked is text and len(text) <= _MAX_REMEMBERED_LENGTH:
        if len(_clean_texts) >= _MAX_REMEMBERED:
            _clean_texts.clear()
        _clean_texts.add(text)
    return masked


def _mask_object(value: dict[str, Any]) -> dict[str, Any]:
    """The object with its credentials masked."""
    changes: dict[str, Any] | None = None
    is_named = has_masked_key = False
    for key, item in value.items():  # most of the time of masking is spent in this loop, which changes nothing
        kind = type(item)
        if key not in _plain_keys and (meaning := _meaning(key)) is not _Meaning.NONE:
            has_masked_key |= meaning is _Meaning.MASKED
            masked = _mask_value(meaning, key, item, value)
            is_named |= key == "key" and kind is str and _is_secret_label(item)
        elif kind is str:
            is_named |= key in _NAMING_KEYS and _is_secret_label(item)
            if item in _clean_texts:
                continue
            masked = mask_text(item)
        elif kind is dict:
            masked = _mask_object(item)
        elif kind is list:
            masked = _mask_list(item)
        else:
            continue
        if masked is not item:
            changes = changes or {}
            changes[key] = masked
    if is_named:
        named = {key: replacement_of(item) for key, item in value.items() if key in _VALUE_KEYS}
        changes = {**(changes or {}), **named}
    masked_object = {**value, **changes} if changes else value
    return _with_masked_keys(masked_object) if has_masked_key else masked_object


def _is_secret_label(label: str) -> bool:
    """Whether the name of a value is that of a credential, such as in ``{"name": "api_key", "value": …}``.

    Its masked form counts too, so that masking a masked document changes nothing.
    """
    return secrecy(label) is Secrecy.CERTAIN or secrecy(mask_text(label)) is Secrecy.CERTAIN


def _meaning(key: str) -> _Meaning:
    meaning = _meanings.get(key)
    if meaning is None:
        if len(_meanings) >= _MAX_REMEMBERED:
            _meanings.clear()
            _plain_keys.clear()
        meaning = _meanings[key] = _compute_meaning(key)
        if meaning is _Meaning.NONE:
            _plain_keys.add(key)
    return meaning


def _compute_meaning(key: str) -> _Meaning:
    if re.sub(r"[\W_]", "", key.lower()).endswith("headers"):
        return _Meaning.HEADERS
    if len(key) >= _MIN_KEY_WITH_CREDENTIAL and mask_text(key) is not key:
        return _Meaning.MASKED
    return {Secrecy.CERTAIN: _Meaning.CERTAIN, Secrecy.POSSIBLE: _Meaning.POSSIBLE}.get(secrecy(key), _Meaning.NONE)


def _mask_value(meaning: _Meaning, key: str, item: Any, holder: dict[str, Any]) -> Any:
    if meaning is _Meaning.HEADERS:
        return _mask_headers(key, item)
    if meaning is _Meaning.CERTAIN or (meaning is _Meaning.MASKED and _is_secret_label(key)):
        return replacement_of(item)
    if meaning is _Meaning.POSSIBLE and not (key == "key" and _is_label_in(holder)):
        if isinstance(item, list):
            return [MASK if looks_secret(key, element) else mask(element) for element in item]
        return MASK if looks_secret(key, item) else mask(item)
    return mask(item)


def _is_label_in(holder: dict[str, Any]) -> bool:
    """Whether the key of an object is not a credential itself, as the object has a value for it."""
    return not _VALUE_KEYS.isdisjoint(holder)


def _with_masked_keys(value: dict[str, Any]) -> dict[str, Any]:
    """The object with masked keys; each stays a key of its own."""
    masked: dict[str, Any] = {}
    for key, item in value.items():
        masked_key = name = mask_text(key)
        while masked_key in masked:
            masked_key = f"{name} {len(masked)}"
        masked[masked_key] = item
    return masked


def _mask_list(value: list[Any]) -> list[Any]:
    if not value:
        return value
    first = type(value[0])
    if first is dict:
        masked = [_mask_object(item) if type(item) is dict else mask(item) for item in value]
    elif first is list and all(map(_is_pair, value)):
        masked = list(map(_mask_pair, value))
    else:
        masked = list(map(mask, value))
        if _is_pair(value) and _is_secret_label(value[0]) and looks_secret("key", value[1]):
            masked[1] = MASK
    return value if all(map(is_, masked, value)) else masked


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == _PAIR and isinstance(value[0], str)


def _mask_pair(pair: list[Any]) -> list[Any]:
    """A pair of a list of pairs: ``[["user", "u"], ["password", "p"]]``."""
    if _is_secret_label(pair[0]):
        return [mask(pair[0]), replacement_of(pair[1])]
    return _mask_list(pair)


def _mask_headers(key: str, item: Any) -> Any:
    """Headers in any notation; their names stay."""
    if isinstance(item, dict):
        return {name: replacement_of(value) for name, value in item.items()} if item else item
    if not isinstance(item, list):
        return replacement_of(item)
    return [_mask_header(key, header) for header in item]


def _mask_header(key: str, header: Any) -> Any:
    if isinstance(header, dict):  # with a name and a value, or with a name as key
        has_value = bool(_VALUE_KEYS & header.keys())
        stays = _NAMING_KEYS | _LOCATORS if has_value else _LOCATORS
        return {name: mask(item) if name in stays else replacement_of(item) for name, item in header.items()}
    if _is_pair(header):
        return [header[0], replacement_of(header[1])]
    if isinstance(header, str) and ":" in header:
        name, _, value = header.partition(":")
        return f"{name}: {MASK}" if value.strip() else header
    if key == "headers" and isinstance(header, str):  # of a table: names of its columns
        return mask_text(header)
    return replacement_of(header)


def replacement_of(value: Any) -> Any:
    """The replacement of a credential: the same structure with every text and number masked.

    A JSON schema loses only its values, and an id of a stored secret stays.
    """
    if isinstance(value, dict):
        if value.get("type") in _SCHEMA_TYPES:
            return {key: replacement_of(item) if key in _SCHEMA_VALUES else mask(item) for key, item in value.items()}
        return {key: item if key in _LOCATORS else replacement_of(item) for key, item in value.items()}
    if isinstance(value, list):
        return [replacement_of(item) for item in value]
    return value if value is None or value == "" or isinstance(value, bool) else MASK
