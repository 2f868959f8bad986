"""Memory of flattening one day with very many conversations: ``python -m benchmarks.large_day 60000 --at-once``.

The day is merged by ranges of ids, and at once where that is said (it takes 30 KiB of memory a conversation), each in
a process of its own.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import corpus
from benchmarks.process_metrics import OURS, bytes_of, run
from benchmarks.stored_home import land

FLATTEN = """
import sys
from pathlib import Path
from pipelines.transform import merge_large_day
from pipelines.transform.refresh_lake import refresh_lake
from warehouse.storage.home import Home

merge_large_day.CONVERSATIONS_PER_RANGE = int(sys.argv[2])
print(refresh_lake(Home(Path(sys.argv[1])), reread_days=(1, 7, 30), full_refresh=True).n_flattened)
"""


def main(count: int, *, is_also_at_once: bool) -> None:
    corpus.DAYS = 1
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        n_landed = land(home, count)
        print(f"{n_landed:,} landed, {bytes_of(home) / 2**20:,.0f} MiB", flush=True)
        for per_range in (20_000, *([10**9] if is_also_at_once else [])):
            measured = run([OURS / "python", "-c", FLATTEN, home, str(per_range)])
            what = "at once" if per_range == 10**9 else f"by ranges of {per_range:,}"
            memory = measured.memory / 2**20
            secs = f"{measured.wall:.1f} s, CPU {measured.cpu:.1f} s"
            print(f"{n_landed:,} in a day, {what}: {secs}, {memory:,.0f} MiB", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), is_also_at_once="--at-once" in sys.argv)
