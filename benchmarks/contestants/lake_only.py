"""The sync of convohouse up to its SQL models, as far as dlt goes, stage by stage: ``python lake_only.py URL HOME``.

A stage lasts from its first sign of progress to that of the next: the first day's flattening counts as fetch.
"""

import sys
import time
from pathlib import Path

from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context

stages = ["start"]
marks = [(time.perf_counter(), time.process_time())]


def stop_before_the_models(stage: str, done: int, total: int | None) -> None:
    """Note when a stage is first heard of; the models are left out."""
    del done, total
    if stage != stages[-1]:
        stages.append(stage)
        marks.append((time.perf_counter(), time.process_time()))
    if stage == "build":
        for name, before, after in zip(stages, marks, marks[1:], strict=False):
            print(f"{name}: wall {after[0] - before[0]:.2f} s, CPU {after[1] - before[1]:.2f} s", flush=True)
        raise SystemExit


if __name__ == "__main__":
    context = Context(Settings(home=Path(sys.argv[2]), base_url=sys.argv[1], api_key="demo"))
    sync.sync(context, run_id="bench", progress=stop_before_the_models)
