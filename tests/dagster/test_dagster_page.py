"""Dagster's page as `convohouse dev` starts it on a demo home: what a person clicks works, and says what it should."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipelines.clock import utc_now
from tests.helpers.browsing import chromium, require_chromium
from tests.helpers.dagster_page import ENDED, DagsterPage
from tests.helpers.dagster_processes import PROJECT, wait_for
from tests.helpers.few_models import FEW

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]  # Dagster, a demo, four runs and a browser

CODE = "import sys; from pipelines.cli.main import main; main(sys.argv[1:])"
FEW_MODELS = f"from tests.helpers.few_models import build_few; build_few(*{FEW}, with_dagster=True); "
"""Of the demo's nights, the page shows only that they were."""
LOCATION = "pipelines.definitions"
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": LOCATION}
DAYS = [(utc_now().date() - timedelta(days=n)).isoformat() for n in (3, 2, 1)]
"""Of the real time, as Dagster offers no days that are ahead of it."""


@dataclass(frozen=True)
class Dev(DagsterPage):
    """A running `convohouse dev`."""

    log: Path


@pytest.fixture(scope="module")
def dev(tmp_path_factory) -> Iterator[Dev]:
    """`convohouse dev` in a project's folder, on the home folder of a small demo, with the runs of that demo."""
    require_chromium()  # before all that takes long
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(PROJECT / "dagster.yaml", folder / "dagster.yaml")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = ("PATH", "HOME", "TMPDIR", "LANG")
    environment = {name: os.environ[name] for name in names if name in os.environ}  # noqa: TID251 - for a process
    environment |= {"PYTHONPATH": str(PROJECT), "CONVOHOUSE_HOME": "demo"}
    demo = [sys.executable, "-c", FEW_MODELS + CODE, "demo", "--conversations", "20", "--days", "4"]
    subprocess.run(demo, cwd=folder, env=environment, check=True, capture_output=True)  # noqa: S603 - ours
    for name in ("gql.py", "pipelines.py"):  # a package of Dagster's and one of ours, not to be taken from there
        (folder / name).write_text("raise ImportError('of another project')\n")
    with (folder / "dev.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, "-P", "-c", CODE, "dev", "--port", str(port)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    started = Dev(f"http://127.0.0.1:{port}", folder / "dev.log")
    try:
        wait_for("Dagster's page", started.locations, started.log.read_text)
        yield started
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        code = process.wait(100)
    assert (code, "Restarting" in started.log.read_text()) == (0, False)  # no server is left over


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        yield page


def test_a_person_can_backfill_switch_on_and_look(dev, page, tmp_path):
    warnings = [line for line in dev.log.read_text().splitlines() if "WARNING" in line or "Warning" in line]
    assert [line for line in warnings if "No cursor for event type" not in line] == []  # as in every new instance
    ends = zip(("start", "end"), (DAYS[0], DAYS[-1]), strict=True)
    tags = {f"dagster/asset_partition_range_{side}": value for side, value in ends}
    assert dev.launch(LOCATION, "backfill", tags) == {"__typename": "LaunchRunSuccess"}
    wait_for("the backfill", lambda: {run["status"] for run in dev.runs()} <= ENDED, dev.log.read_text)
    assert {run["status"] for run in dev.runs()} == {"SUCCESS"}
    demo_runs = [run for run in dev.runs() if run["jobName"] == "backfill"]
    assert len(demo_runs) == 3  # the demo's two nights and the backfill

    page.goto(f"{dev.url}/jobs")
    page.get_by_role("link", name="nightly").first.wait_for()
    page.goto(f"{dev.url}/locations/{LOCATION}/jobs/backfill/runs")
    expect(page.get_by_text(demo_runs[0]["runId"][:8]).first).to_be_visible()
    page.goto(f"{dev.url}/overview")
    expect(page.get_by_role("link", name="backfill")).to_be_visible()

    page.goto(f"{dev.url}/asset-groups")
    groups = ["1_landing", "2_lake", "3_seeds", "4_staging", "5_intermediate", "6_marts", "7_metrics", "8_upstream"]
    for group in groups:
        expect(page.get_by_text(group).first).to_be_visible()
    page.screenshot(path=tmp_path / "lineage.png")

    page.goto(f"{dev.url}/assets/metrics/agent_daily")
    expect(page.get_by_text("agent_daily.sql").first).to_be_visible()
    expect(page.get_by_text("success_rate").first).to_be_visible()
    page.screenshot(path=tmp_path / "asset.png")

    page.goto(f"{dev.url}/assets/metrics/agent_daily?view=checks")
    for check in ("agent_daily_agrees", "constraints"):
        expect(page.get_by_text(check, exact=True).first).to_be_visible()
    page.screenshot(path=tmp_path / "checks.png")

    page.goto(f"{dev.url}/runs/{demo_runs[0]['runId']}")
    expect(page.get_by_text("Success").first).to_be_visible()
    page.get_by_placeholder("Filter").first.fill("Listed")
    expect(page.get_by_text("conversations.").first).to_be_visible()
    page.screenshot(path=tmp_path / "run.png")
    assert all((tmp_path / f"{name}.png").stat().st_size > 20_000 for name in ("lineage", "asset", "checks", "run"))

    switched = dev.query(
        "mutation($which:ScheduleSelector!){startSchedule(scheduleSelector:$which){__typename}}",
        which={**REPOSITORY, "scheduleName": "nightly"},
    )
    assert switched == {"startSchedule": {"__typename": "ScheduleStateResult"}}
    page.goto(f"{dev.url}/locations/{LOCATION}/jobs/nightly/playground")
    expect(page.get_by_text("partition: ").first).to_be_visible()  # filled in: there is no day to choose
    page.get_by_role("button", name="Launch Run").click()
    page.get_by_role("button", name="Confirm").click()  # that no day was chosen

    def nightly() -> set[str]:
        return {run["status"] for run in dev.runs() if run["jobName"] == "nightly"}

    assert wait_for("the nightly run", lambda: nightly() & ENDED, dev.log.read_text) == {"SUCCESS"}
