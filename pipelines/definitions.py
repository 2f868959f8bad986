"""The module that Dagster loads (``[tool.dagster]`` in pyproject.toml)."""

import gc

from pipelines.orchestration.build_defs import build_defs

gc.set_threshold(50_000)  # as the command line; with 700, looking for cycles is a third of the time to load
defs = build_defs()
