"""Where Dagster looks first (``[tool.dagster]`` in pyproject.toml)."""

from pipelines.orchestration.build_defs import build_defs

defs = build_defs()
