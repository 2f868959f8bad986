"""Credentials leave a tool's definition before it touches the disk.

What ``sync.masking`` knows of credentials holds here too. Beyond that, a definition can carry them where a call cannot:
as the value of a header (which may be anything, so all go and the names stay) and as the constant of a parameter whose
name is that of a credential. Ids of stored secrets and names of variables are no credentials, and stay.
"""

from __future__ import annotations

from typing import Any

from pipelines.privacy.credentials import MASK, is_secret_name
from pipelines.privacy.mask_conversations import mask, replacement_of

_LOCATORS = ("secret_id", "variable_name", "env_var_label")
"""What names a header's value without being it."""
_HEADERS = ("request_headers", "headers")
_SIP_HEADERS = "custom_sip_headers"
_PARAMETERS = ("properties", "path_params_schema")
"""Maps whose keys name parameters."""
_LABELS = ("name", "key")


def mask_tool(value: Any) -> Any:
    """A tool's definition, or any part of it, without the credentials in it; the one given stays as it is."""
    if isinstance(value, list):
        return [mask_tool(item) for item in value]
    if not isinstance(value, dict):
        return mask(value)
    is_secret = any(isinstance(value.get(label), str) and is_secret_name(value[label]) for label in _LABELS)
    return {
        key: replacement_of(item) if is_secret and key == "value" else _mask_item(key, item)
        for key, item in value.items()
    }


def _mask_item(key: str, item: Any) -> Any:
    if key in _HEADERS:
        return (
            {name: _mask_header(value) for name, value in item.items()}
            if isinstance(item, dict)
            else replacement_of(item)
        )
    if key == _SIP_HEADERS:
        return [_mask_sip_header(each) for each in item] if isinstance(item, list) else replacement_of(item)
    if key in _PARAMETERS and isinstance(item, dict):
        return {name: _mask_parameter(name, schema) for name, schema in item.items()}
    if is_secret_name(key):
        return replacement_of(item)
    return mask_tool(item)


def _mask_header(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: item if key in _LOCATORS else replacement_of(item) for key, item in value.items()}
    return replacement_of(value)


def _mask_sip_header(header: Any) -> Any:
    """A header of a transfer, which names its value ``value``; a dynamic one has the name of a variable there."""
    if not isinstance(header, dict):
        return replacement_of(header)
    return {key: item if key in {"key", "type"} else replacement_of(item) for key, item in header.items()}


def _mask_parameter(name: str, schema: Any) -> Any:
    """A parameter's schema; of one named as a credential, the constant goes as well."""
    masked = mask_tool(schema)
    if is_secret_name(name) and isinstance(masked, dict) and masked.get("constant_value") not in (None, ""):
        return masked | {"constant_value": MASK}
    return masked
