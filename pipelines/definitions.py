"""The module that Dagster loads (``[tool.dagster]`` in pyproject.toml)."""

from pipelines.orchestration.build_defs import build_defs

defs = build_defs()
