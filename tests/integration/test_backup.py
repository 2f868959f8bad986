"""A backup as docs/operations.md makes it is enough: what is restored from it has every row, without the API."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from pipelines.usecases.masking_state import changed_masking
from tests.helpers.reference_docs import ROOT
from warehouse.publish import record
from warehouse.publish.record import RecordedTarget
from warehouse.schema.operations import SYNC_RUNS
from warehouse.schema.registry import TABLES
from warehouse.serve.query import query
from warehouse.storage import lake
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models")

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
BUDGET = "month_start_date,agent_id,budget_usd\n2026-11-01,*,1500\n"


@pytest.fixture
def few_keys():
    return ("marts.fct_conversations", "marts.dim_agents")


def documented(program: str) -> str:
    """The line of docs/operations.md that calls a program for the backup."""
    text = (ROOT / "docs" / "operations.md").read_text().partition("### Backup and restore")[2]
    return re.findall(rf"^({program}.*)$", text, re.MULTILINE)[0]


def rows_of(home: Home) -> dict[str, list[tuple[object, ...]]]:
    """The rows of every table of the lake but the runs, which have one more, sorted."""
    return {table.name: sorted(lake.read(home, table).rows(), key=repr) for table in TABLES if table is not SYNC_RUNS}


def test_a_home_is_restored_from_its_backup_without_the_api(tmp_path):
    root = tmp_path / "srv" / "convohouse" / "data"
    app = create_app(World(conversations=15, days=3, until=NOW), clock=lambda: NOW, key="demo")
    root.parent.mkdir(parents=True)
    with running(app) as url:
        context = Context(Settings(home=root, base_url=url, api_key="demo"), clock=lambda: NOW)
        assert sync.sync(context, run_id="1").problems == ()
    removed = record.removed_fingerprint(context.home)
    target = RecordedTarget("s3://bucket/calls", "delta", ("marts",), ("marts.fct_conversations",), removed)
    record.put_target(context.home, target)
    (root / "seeds").mkdir(exist_ok=True)
    (root / "seeds" / "budgets.csv").write_text(BUDGET)
    command = documented("tar").replace("/srv/convohouse/data", str(root))
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)  # noqa: S603 - as documented
    (tmp_path / "restored").mkdir()
    unpack = documented("mkdir").partition("&& ")[2]
    subprocess.run(unpack.split(), cwd=tmp_path, check=True)  # noqa: S603 - as documented
    restored = Context(Settings(home=tmp_path / "restored", api_key=None), clock=lambda: NOW)
    names = {".convohouse.json", ".masking.json", "published.json", "landing", "seeds"}
    assert {path.name for path in restored.home.root.iterdir()} == names
    assert changed_masking(restored) == ()
    assert record.read_targets(restored.home) == (target,)
    assert sync.reprocess(restored, run_id="2").problems == ()
    before = rows_of(context.home)
    assert sum(map(len, before.values())) > 500
    assert rows_of(restored.home) == before
    assert (restored.home.seeds / "budgets.csv").read_text() == BUDGET
    (n_before, n_after) = (
        query(home, "select count(*) from marts.fct_conversations").item() for home in (context.home, restored.home)
    )
    assert n_before == n_after > 10
