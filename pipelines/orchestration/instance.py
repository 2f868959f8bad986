"""The instance of Dagster, on the data of ``instance_folder``."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from dagster._core.instance import InstanceRef

from pipelines.orchestration.instance_folder import instance_folder

_TO_THE_TERMINAL = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
        "config": {},
    }
}
"""Steps that run in a command's own process write to its terminal, not into files."""


def open_instance(folder: Path) -> dg.DagsterInstance:
    """Dagster's data as a command in ``folder`` uses it."""
    home = instance_folder(folder)
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=_TO_THE_TERMINAL))
