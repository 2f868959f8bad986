"""The demo as a new user runs it: without a key, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from pipelines.cli.demo import DemoWorld
from tests.helpers.day import midnight

CODE = "from pipelines.cli.main import main; main()"


def demo(folder: Path, *arguments: str, until: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ELEVENLABS_")}  # noqa: TID251 - a process of its own
    root = Path(__file__).parents[2]
    last = [] if until is None else ["--until", until]
    return subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", CODE, *arguments, "demo", "--conversations", "40", "--days", "3", *last],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_demo_ends_with_a_summary_and_a_second_run_fetches_little_again(tmp_path: Path) -> None:
    until = midnight()
    world = DemoWorld.begin(7, 40, 3, until.date()).until(until.date())
    truth = list(world.details(until))
    before = list(world.details(until - timedelta(days=1)))
    ids = [{each["conversation_id"] for each in documents} for documents in (before, truth)]
    n_new = len(ids[1] - ids[0])
    # what was deleted in between stays, as it was read the night before
    held = truth + [each for each in before if each["conversation_id"] not in ids[1]]
    n_open = sum(each["status"] not in ("done", "failed") for each in truth)
    first = demo(tmp_path)
    assert (first.returncode, "Traceback" in first.stderr) == (0, False), first.stderr
    nights = [line for line in first.stderr.splitlines() if line.startswith("The night of ")]
    assert nights == [f"The night of {(until - timedelta(days=ago)).date()}:" for ago in (1, 0)]
    assert f"{len(before)} new conversations fetched in " in first.stderr
    assert f"{n_new} new conversations fetched; " in first.stderr
    assert first.stdout.splitlines()[0].startswith(
        f"  conversations          {len(held) - n_open} finished, {n_open} open, "
    )
    assert [line.split("  ")[1] for line in first.stdout.splitlines()] == [
        "conversations",
        "success rate",
        "cost",
        "cost per success",
        "wait, 95th percentile",
        "slowest tool",
    ]
    assert first.stderr.splitlines()[-4:] == [
        '  convohouse --home demo query "from metrics.agent_daily order by start_date desc"',
        "  convohouse --home demo status",
        "  CONVOHOUSE_HOME=demo make dev",
        "  convohouse --home demo serve",
    ]
    second = demo(tmp_path, "--json", until=f"{until:%Y-%m-%d}")
    assert (second.returncode, second.stderr) == (0, "")
    data = json.loads(second.stdout)
    (run,) = data["runs"]
    assert (run["n_new"], run["n_open"], run["n_fetched"]) == (0, n_open, n_open)
    finished = [each for each in held if each["status"] in ("done", "failed")]
    verdicts = [(each["status"], each["analysis"]["call_successful"]) for each in finished if each["analysis"]]
    assert ("failed", "failure") in verdicts  # a verdict counts whatever became of the call
    success = [verdict for _, verdict in verdicts]
    n_judged = success.count("success") + success.count("failure")
    cost = sum(each["metadata"]["cost"] or 0 for each in finished)
    assert data["summary"]["cost_credits"] == cost
    assert round(data["summary"]["success_rate"], 9) == round(success.count("success") / n_judged, 9)
