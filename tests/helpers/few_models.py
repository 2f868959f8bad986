"""The few models that most tests build, and where a process reads the project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib import import_module
from unittest.mock import patch

from warehouse.build import runner
from warehouse.models import project
from warehouse.models.project import Project, read_project

FEW = ("marts.fct_conversations", "marts.fct_turns", "marts.dim_agents", "metrics.agent_daily", "metrics.anomalies")
"""With those that their checks refer to."""

RECOUNTED = ("marts.fct_conversations", "marts.dim_agents", "metrics.agent_daily")
"""Those that ``assert_equals`` compares with a recount, with what their checks refer to."""

SLOW_OPTIMIZERS = (*runner.DISABLED_OPTIMIZERS, "cte_inlining", "grouping_sets", "join_order")
"""Over a few rows, planning is all that a build takes, and these are a third of it; whole builds have them."""

READERS_OF_THE_PROJECT = (
    "warehouse.build.runner",
    "warehouse.models.data_quality",
    "pipelines.orchestration.build_defs",
    "pipelines.usecases.publish",
)

OPTIMIZERS_OF_A_BUILD = "warehouse.build.runner.DISABLED_OPTIMIZERS"


@cache
def reader_of(*keys: str) -> Callable[..., Project]:
    """In place of ``read_project``: these models, and what they read."""
    few = read_project().upstream(*keys)
    return lambda *_: few


@contextmanager
def few_built(*keys: str) -> Iterator[None]:
    """Builds make these models, and what they read; for a fixture of a module, never around its ``yield``."""
    with ExitStack() as stack:
        for module in READERS_OF_THE_PROJECT:
            stack.enter_context(patch(f"{module}.read_project", reader_of(*keys)))
        stack.enter_context(patch(OPTIMIZERS_OF_A_BUILD, SLOW_OPTIMIZERS))
        yield


def read_from_now_on(few: Project) -> None:
    """What is imported after this reads these models: for a process of its own."""
    project.read_project = lambda *_, **__: few  # type: ignore[assignment]


def build_few(*keys: str, with_dagster: bool = False) -> None:
    """Builds make these models, and what they read, until the process ends: for one of its own."""
    for module in READERS_OF_THE_PROJECT:
        if with_dagster or not module.startswith("pipelines.orchestration"):
            import_module(module).read_project = reader_of(*keys)  # type: ignore[attr-defined]
