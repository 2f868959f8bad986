"""A sync of convohouse by step: ``python sync_steps.py URL HOME``.

Prints ``step: wall, CPU`` for each step, in seconds, summed where it is done several times; CPU is that of all threads
meanwhile, of steps beside it as well.
"""

import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from pipelines.settings import Settings
from pipelines.usecases import sync, sync_steps
from pipelines.usecases.context import Context
from warehouse.build import runner

STEPS: tuple[tuple[ModuleType, str, str], ...] = (
    (sync_steps, "list_conversations", "list"),
    (sync_steps, "fetch_documents", "fetch, land, flatten completed days"),
    (sync_steps, "flatten_conversations", "flatten the rest, other tables"),
    (sync, "sync_reference_data", "prices, agents, batches, tags, bill"),
    (sync_steps, "build_models", "build, of which"),
    (runner, "read_project", "- read the models"),
    (runner, "materialize", "- views, seeds, models"),
    (runner, "write_comments", "- comments"),
    (runner, "run", "- checks"),
)


def timed(work: Callable[..., Any], step: str) -> Callable[..., Any]:
    """The function, which adds its time to that of a step."""

    @wraps(work)
    def timed_work(*arguments: Any, **options: Any) -> Any:
        step_secs = secs.setdefault(step, [0.0, 0.0])  # a step is printed before those that it consists of
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            return work(*arguments, **options)
        finally:
            step_secs[0] += time.perf_counter() - wall
            step_secs[1] += time.process_time() - cpu

    return timed_work


if __name__ == "__main__":
    secs: dict[str, list[float]] = {}
    for module, name, step in STEPS:
        setattr(module, name, timed(getattr(module, name), step))
    context = Context(Settings(home=Path(sys.argv[2]), base_url=sys.argv[1], api_key="demo"))
    sync.sync(context, run_id="bench")
    for step, (wall, cpu) in secs.items():
        print(f"{step}: {wall:.3f}, {cpu:.3f}", flush=True)
