"""What Dagster loads where a test is about its processes: the project's definitions, with few models."""

from __future__ import annotations

from tests.helpers.few_models import FEW, build_few

build_few(*FEW, "metrics.sync_health", with_dagster=True)

from pipelines.definitions import defs  # noqa: E402, F401 - after that
