"""Run a command of Dagster whose clock is at a moment: ``python dagster_at.py MOMENT schedule start nightly …``.

The clock goes on from there. Only what Dagster calls its current time is moved, not the times of events and runs, so
the moment must be in the past.
"""

from __future__ import annotations

import gc
import sys
import time
from datetime import UTC, datetime

gc.set_threshold(50_000)  # for the imports: what they make stays

import dagster._time  # noqa: E402


def move(moment: datetime) -> None:
    offset = moment.timestamp() - time.time()  # noqa: TID251 - the real time is what Dagster's clock is moved from

    def timestamp() -> float:
        return time.time() + offset  # noqa: TID251 - as above

    dagster._time._mockable_get_current_timestamp = timestamp
    dagster._time._mockable_get_current_datetime = lambda: datetime.fromtimestamp(timestamp(), UTC)


if __name__ == "__main__":
    move(datetime.fromisoformat(sys.argv[1]))
    command, *arguments = sys.argv[2:]
    if command == "daemon":
        from dagster._daemon.cli import cli
    else:
        from dagster._cli import cli

        arguments = [command, *arguments]
    sys.argv[1:] = arguments
    cli(arguments)
