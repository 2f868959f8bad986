"""The sync of convohouse without its SQL models, as dlt does it, by stage: ``python lake_only.py URL HOME``.

A stage lasts from its first progress report to that of the next one: flattening the first day counts as fetch.
"""

import sys
import time
from pathlib import Path

from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context

stages = ["start"]
moments = [(time.perf_counter(), time.process_time())]


def stop_before_the_models(stage: str, done: int, total: int | None) -> None:
    """Record when a stage first reports progress; stop before the models."""
    del done, total
    if stage != stages[-1]:
        stages.append(stage)
        moments.append((time.perf_counter(), time.process_time()))
    if stage == "build":
        for name, before, after in zip(stages, moments, moments[1:], strict=False):
            print(f"{name}: wall {after[0] - before[0]:.2f} s, CPU {after[1] - before[1]:.2f} s", flush=True)
        raise SystemExit


if __name__ == "__main__":
    context = Context(Settings(home=Path(sys.argv[2]), base_url=sys.argv[1], api_key="demo"))
    sync.sync(context, run_id="bench", progress=stop_before_the_models)
