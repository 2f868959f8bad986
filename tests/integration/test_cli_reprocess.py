"""``convohouse reprocess``: the same rows again from the landing, without the API and without a key."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from tests.helpers.few_models import FEW
from tests.helpers.kept_home import KeptHome
from tests.helpers.run_cli import run
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.storage import lake
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def few_keys():
    return FEW  # for the summary of the demo


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory):
    return KeptHome(tmp_path_factory.mktemp("reprocess") / "data")


@pytest.fixture
def folder(kept_home):
    folder = kept_home.root.parent

    def make():
        with running(create_app(World(conversations=60, days=4, until=UNTIL), clock=lambda: UNTIL)) as url:
            assert run(folder, "sync", ELEVENLABS_API_KEY="demo", ELEVENLABS_BASE_URL=url).code == 0

    kept_home.put(make)
    return folder


@pytest.fixture
def home(folder):
    return Home(folder / "data")


def rows(home):
    return {table.name: lake.read(home, table) for table in DOCUMENT_TABLES}


def test_a_deleted_lake_and_warehouse_are_rebuilt(home, folder):
    before = rows(home)
    shutil.rmtree(home.lake)
    home.warehouse.unlink()
    ended = run(folder, "--json", "reprocess")
    assert (ended.code, ended.data["problems"]) == (0, [])
    assert ended.data["run"]["n_flattened"] == before["conversations"].height
    assert all(after.equals(before[name]) for name, after in rows(home).items())
    assert run(folder, "check").code == 0


def test_only_the_days_of_a_window_are_flattened_again(home, folder):
    day = date(2026, 11, 20)
    n = rows(home)["conversations"].filter(start_date=day).height
    ended = run(folder, "--json", "reprocess", "--since", "2026-11-20", "--until", "2026-11-21")
    assert 0 < n == ended.data["run"]["n_flattened"] < rows(home)["conversations"].height


def test_bad_dates_are_rejected(home, folder):
    assert run(folder, "reprocess", "--since", "someday").code == 2
    assert run(folder, "reprocess", "--since", "2026-11-20", "--until", "2026-11-19").code == 2
