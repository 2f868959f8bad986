"""Masking of credentials in the definition of a tool, before it is written to the disk.

The rules of ``mask_conversations`` apply here too. In addition, a definition can have credentials as the value of a
header (of which every value is masked, as it may be anything) and as the constant value of a parameter with the name of
a credential. Ids of stored secrets and names of variables are not credentials, and stay.
"""

from __future__ import annotations

from typing import Any

from pipelines.privacy.credentials import MASK, is_secret_name
from pipelines.privacy.mask_conversations import mask, replacement_of

_LOCATORS = ("secret_id", "variable_name", "env_var_label")
"""Keys that say where the value of a header comes from."""
_HEADERS = ("request_headers", "headers")
_SIP_HEADERS = "custom_sip_headers"
_PARAMETERS = ("properties", "path_params_schema")
"""Maps whose keys name parameters."""
_LABELS = ("name", "key")


def mask_tool(value: Any) -> Any:
    """A copy of the definition of a tool, or of any part of it, with its credentials masked."""
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
        return [_mask_sip_header(header) for header in item] if isinstance(item, list) else replacement_of(item)
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
    """A SIP header of a transfer: ``type``, ``key`` and ``value``, which may be the name of a variable."""
    if not isinstance(header, dict):
        return replacement_of(header)
    return {key: item if key in {"key", "type"} else replacement_of(item) for key, item in header.items()}


def _mask_parameter(name: str, schema: Any) -> Any:
    """The schema of a parameter; its constant value is masked too if it has the name of a credential."""
    masked = mask_tool(schema)
    if is_secret_name(name) and isinstance(masked, dict) and masked.get("constant_value") not in (None, ""):
        return masked | {"constant_value": MASK}
    return masked
