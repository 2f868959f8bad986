"""The demo as a new user runs it: without a key. tests/integration/test_readme.py runs all of it, with every model."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.cli.demo import DemoWorld
from tests.helpers.day import midnight
from tests.helpers.few_models import FEW
from tests.helpers.run_cli import Ended, run

pytestmark = pytest.mark.usefixtures("few_models")


@pytest.fixture
def few_keys() -> tuple[str, ...]:
    """What the summary reads."""
    return FEW


def demo(folder: Path, *arguments: str, until: str | None = None) -> Ended:
    last = [] if until is None else ["--until", until]
    return run(folder, *arguments, "demo", "--conversations", "40", "--days", "3", *last)


def test_the_demo_ends_with_a_summary_and_a_second_run_fetches_little_again(tmp_path: Path) -> None:
    until = midnight()
    world = DemoWorld.begin(7, 40, 3, until.date()).until(until.date())
    truth = list(world.details(until))
    before = list(world.details(until - timedelta(days=1)))
    ids = [{document["conversation_id"] for document in documents} for documents in (before, truth)]
    n_new = len(ids[1] - ids[0])
    # what was deleted in between stays, as it was read the night before
    held = truth + [document for document in before if document["conversation_id"] not in ids[1]]
    n_open = sum(document["status"] not in ("done", "failed") for document in truth)
    first = demo(tmp_path)
    assert (first.code, "Traceback" in first.err) == (0, False), first.err
    nights = [line for line in first.err.splitlines() if line.startswith("The night of ")]
    assert nights == [f"The night of {(until - timedelta(days=ago)).date()}:" for ago in (1, 0)]
    assert f"{len(before)} new conversations fetched in " in first.err
    assert f"{n_new} new conversations fetched; " in first.err
    assert first.text.splitlines()[0].startswith(
        f"  conversations          {len(held) - n_open} finished, {n_open} open, "
    )
    assert [line.split("  ")[1] for line in first.text.splitlines()] == [
        "conversations",
        "success rate",
        "cost",
        "cost per success",
        "wait, 95th percentile",
        "slowest tool",
    ]
    assert first.err.splitlines()[-4:] == [
        '  convohouse --home demo query "from metrics.agent_daily order by start_date desc"',
        "  convohouse --home demo status",
        "  convohouse --home demo dev",
        "  convohouse --home demo serve",
    ]
    second = demo(tmp_path, "--json", until=f"{until:%Y-%m-%d}")
    assert (second.code, second.err) == (0, "")
    data = second.data
    (run_row,) = data["runs"]
    assert (run_row["n_new"], run_row["n_open"], run_row["n_fetched"]) == (0, n_open, n_open)
    finished = [document for document in held if document["status"] in ("done", "failed")]
    verdicts = [
        (document["status"], document["analysis"]["call_successful"]) for document in finished if document["analysis"]
    ]
    assert ("failed", "failure") in verdicts  # a verdict counts whatever became of the call
    success = [verdict for _, verdict in verdicts]
    n_judged = success.count("success") + success.count("failure")
    cost = sum(document["metadata"]["cost"] or 0 for document in finished)
    assert data["summary"]["cost_credits"] == cost
    assert round(data["summary"]["success_rate"], 9) == round(success.count("success") / n_judged, 9)
