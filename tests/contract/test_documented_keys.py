"""Keys of configurations, branches and versions: each that the vendor's SDK has is a column or a documented key."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from pipelines.transform.agent_configs import RECORDS
from pipelines.transform.document_schema import Object
from tests.helpers.lazy_import import lazy_import
from warehouse.schema.documented_keys import DOCUMENTED_KEYS

vendor = lazy_import("elevenlabs.types")
MODELS = {
    "agent_configs": {"": ["GetAgentResponseModel"]},
    "agent_branches": {"": ["AgentBranchResponse", "AgentBranchSummary"]},
    "agent_versions": {"agent": ["GetAgentResponseModel"], "metadata": ["AgentVersionMetadata"]},
}


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as ``Model | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in typing.get_args(annotation) if (model := model_of(part))), None)


def keys_without_column(model: type[BaseModel], shape: Object, path: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = field.alias or name
        child = shape.fields.get(key)
        if child is None:
            yield f"{path}.{key}".strip(".")
        elif isinstance(child, Object) and (below := model_of(field.annotation)):
            yield from keys_without_column(below, child, f"{path}.{key}".strip("."))


@pytest.mark.parametrize("table", MODELS)
def test_the_documented_keys_are_those_of_the_sdk_that_have_no_column(table: str) -> None:
    root = RECORDS[table].shape
    assert DOCUMENTED_KEYS[table] == {
        key
        for path, models in MODELS[table].items()
        for model in models
        for key in keys_without_column(getattr(vendor(), model), root.object_at(path) if path else root, path)
    }
