"""A backup as docs/operations.md makes it is enough: what is restored from it has every row, without the API."""

from __future__ import annotations

import re
import subprocess
import tarfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from pipelines.usecases.erasure import erase
from pipelines.usecases.masking_state import changed_masking
from tests.helpers.published import publish_to
from tests.helpers.reference_docs import ROOT
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


def documented(root: Path) -> tuple[str, str]:
    """The backup and restore of docs/operations.md, and its backup with containers, with a folder in place of /srv."""
    text = (ROOT / "docs" / "operations.md").read_text()
    block = re.findall(r"```sh\n(.*?)```", text.partition("### Backup and restore")[2], re.DOTALL)[0]
    (in_container,) = re.findall(r"exec -T code sh -c '(.*?)' > home\.tar\.gz", text)
    return block.replace("/srv", str(root)), in_container.replace("/srv", str(root))


def in_shell(command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["bash", "-ec", command], capture_output=True, check=False)  # noqa: S603, S607 - as documented


def rows_of(home: Home) -> dict[str, list[tuple[object, ...]]]:
    """The rows of every table of the lake but the runs, which have one more, sorted."""
    return {table.name: sorted(lake.read(home, table).rows(), key=repr) for table in TABLES if table is not SYNC_RUNS}


def test_a_home_is_restored_from_its_backup_without_the_api(tmp_path):
    root = tmp_path / "convohouse" / "data" / "main"
    app = create_app(World(conversations=15, days=3, until=NOW), clock=lambda: NOW, key="demo")
    root.parent.mkdir(parents=True)
    with running(app) as url:
        context = Context(Settings(home=root, base_url=url, api_key="demo"), clock=lambda: NOW)
        assert sync.sync(context, run_id="1").problems == ()
    (root / "seeds").mkdir(exist_ok=True)
    (root / "seeds" / "budgets.csv").write_text(BUDGET)
    published = tmp_path / "published"
    assert publish_to(context, published, format_="csv", selection=("marts.fct_conversations",)).problem is None
    by_hand, in_container = documented(tmp_path)
    ended = in_shell(by_hand)
    assert ended.returncode == 0, ended.stderr
    restored = Context(Settings(home=tmp_path / "restored", api_key=None), clock=lambda: NOW)
    (tmp_path / "data").symlink_to(root)
    copied = in_shell(in_container)
    assert copied.returncode == 0, copied.stderr
    with tarfile.open(fileobj=BytesIO(copied.stdout)) as archive:
        assert {Path(name).parts[0] for name in archive.getnames()} == {
            path.name for path in restored.home.root.iterdir()
        }
    assert {path.name for path in restored.home.root.iterdir()} == {
        *(".convohouse.json", ".masking.json", "published.json"),
        *("landing", "seeds"),
    }
    assert changed_masking(restored) == ()
    assert sync.reprocess(restored, run_id="2").problems == ()
    before = rows_of(context.home)
    assert sum(map(len, before.values())) > 500
    assert rows_of(restored.home) == before
    assert (restored.home.seeds / "budgets.csv").read_text() == BUDGET
    (n_before, n_after) = (
        query(home, "select count(*) from marts.fct_conversations").item() for home in (context.home, restored.home)
    )
    assert n_before == n_after > 10
    # an erasure reaches what was published before the backup
    conversation_id = query(restored.home, "select min(conversation_id) from marts.fct_conversations").item()
    (file,) = published.glob("*.csv")
    assert conversation_id in file.read_text()
    assert erase(restored, [conversation_id]).targets == {published.as_uri(): None}
    assert conversation_id not in file.read_text()


def test_a_backup_of_a_folder_that_is_no_home_fails(tmp_path):
    (tmp_path / "convohouse" / "data" / "main" / "lake").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    for command in documented(tmp_path):
        ended = in_shell(command)
        assert (ended.returncode, b"landing: Cannot stat" in ended.stderr) == (2, True), ended.stderr
