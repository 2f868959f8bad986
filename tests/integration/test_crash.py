"""After a kill, a full disk or a lost folder, the next run repairs everything and fetches only what is not landed."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers import kill_at
from tests.helpers.few_models import FEW
from tests.helpers.recording_app import Tap, assert_equals
from tests.helpers.run_cli import run
from warehouse.schema.operations import SYNC_RUNS
from warehouse.storage import lake, landing, lock, parquet
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)
KEY = {"ELEVENLABS_API_KEY": "demo", "CONVOHOUSE_REREAD_DAYS": "[]"}

RENAME = "pathlib:Path.replace"
POINTS = {
    "before the listing lands": (RENAME, 1, "/landing/listings/"),
    "between two landed segments": (RENAME, 3, "/landing/start_date="),
    "in the merge of a day": (RENAME, 1, "/lake/turns/day="),
    "between lake and build": ("pipelines.usecases.sync_steps:build", 1, ""),
    "in the build": ("warehouse.models.build_tables:GeneratedTable.load", 1, ""),
    "before the swap": (RENAME, 1, "/warehouse.duckdb"),
}


@pytest.fixture
def few_keys():
    """As in the processes that die."""
    return FEW


@pytest.fixture(scope="module")
def world():
    return World(seed=5, conversations=40, days=3, until=UNTIL)


@pytest.fixture(scope="module")
def documents(world):
    return list(world.details(UNTIL))


@pytest.fixture
def api(world):
    """The API, and its tap."""
    tap = Tap(create_app(world, clock=lambda: UNTIL))
    with running(tap) as url:
        yield url, tap


@pytest.fixture
def context(api, tmp_path):
    return Context(Settings(home=tmp_path / "home", base_url=api[0], api_key="demo", reread_days=()))


def die(context, point):
    """Run the real command until it dies."""
    settings = KEY | {"ELEVENLABS_BASE_URL": context.settings.base_url, "CONVOHOUSE_HOME": str(context.home.root)}
    kill_at.die(point, "sync", few=FEW, **settings)


def landed_and_finished(home: Home):
    readings = landing.latest_snapshots(home)
    return set(readings.filter(readings["status"].is_in(["done", "failed"]))["conversation_id"])


def asked_for(tap):
    return {path.rsplit("/", 1)[1]: n for path, n in tap.details.items()}


def partial_files(home: Home):
    names = [file.name for file in home.root.iterdir() if ".new" in file.name]
    return [*names, *(file.name for file in home.temporary.iterdir())]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_the_next_run_repairs_and_fetches_only_what_is_missing(point, api, context, documents):
    _, tap = api
    die(context, POINTS[point])
    landed = landed_and_finished(context.home)
    if POINTS[point][0] == RENAME or point == "in the build":
        assert partial_files(context.home)
    tap.requests.clear()

    done = sync.sync(context, run_id="next")

    assert done.problems == ()
    missing = {document["conversation_id"] for document in documents} - landed
    assert asked_for(tap) == dict.fromkeys(missing, 1)
    assert_equals(context, documents)
    assert partial_files(context.home) == []
    outcomes = lake.read(context.home, SYNC_RUNS).sort("started_at").select("outcome", "error").rows()
    assert outcomes == [("incomplete", "the run did not reach its end"), ("complete", None)]


def test_five_kills_cost_less_than_a_third_of_the_details_again(tmp_path):
    big = World(seed=11, conversations=600, days=10, until=UNTIL)
    documents = list(big.details(UNTIL))
    chance = random.Random(3)
    tap = Tap(create_app(big, clock=lambda: UNTIL))
    with running(tap) as url:
        here = Context(Settings(home=tmp_path / "home", base_url=url, api_key="demo", reread_days=()))
        for _ in range(5):  # at an answer, or at one of the points that every run passes
            n_missing = len(documents) - len(landed_and_finished(here.home))
            points = [POINTS[name] for name in ("between lake and build", "in the build", "before the swap")]
            answer = (
                "pipelines.api.adaptive_limiter:AdaptiveLimiter.on_success",
                chance.randrange(1, n_missing + 3),
                "",
            )
            die(here, answer if chance.random() < 0.7 else chance.choice(points))
        assert sync.sync(here, run_id="next").problems == ()
    assert tap.details.total() < 1.3 * len(documents)
    assert_equals(here, documents)


@pytest.mark.parametrize("filled", [("landing/start_date=", 3), ("lake/turns/", 3)], ids=str)
def test_a_full_disk_ends_with_one_line_and_the_next_run_goes_on(filled, api, context, documents, monkeypatch):
    (url, tap), (folder, number), parent = api, filled, context.home.root.parent
    n_left, write = [number], parquet.write_file

    def fill(home, target, *rest, **named):
        n_left[0] -= str(target.relative_to(home.root)).startswith(folder)
        if n_left[0] <= 0:
            patch.setattr(parquet, "_write_parquet", full)  # full from now on
        write(home, target, *rest, **named)

    def full(path, *_rest):
        path.write_bytes(b"PAR1 and no more")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    settings = KEY | {"ELEVENLABS_BASE_URL": url, "CONVOHOUSE_HOME": str(context.home.root)}
    with monkeypatch.context() as patch:
        patch.setattr(parquet, "write_file", fill)
        ended = run(parent, "sync", "--json", **settings)
    assert (ended.code, len(ended.err.splitlines())) == (1, 2), ended.err  # what, and what to do
    assert "No space left on device" in ended.data["error"]["message"]
    assert "No space left on device" in ended.err
    assert partial_files(context.home) == []

    landed = landed_and_finished(context.home)
    tap.requests.clear()
    assert run(parent, "sync", "--json", **settings).code == 0
    assert set(asked_for(tap)) == {document["conversation_id"] for document in documents} - landed
    assert_equals(context, documents)


def test_a_new_writer_removes_partial_files_and_nothing_of_a_reader(tmp_path):
    home = Home(tmp_path / "home").open()
    spilled, kept = home.temporary / "duckdb_temp_storage_DEFAULT-0.tmp", home.root / "warehouse.duckdb"
    half = [home.temporary / "1.parquet", home.root / "warehouse.duckdb.new", home.root / "warehouse.duckdb.new.wal"]
    for file in (spilled, kept, *half):
        file.write_bytes(b"some")
    with lock.write_lock(home, what="sync", now=UNTIL):
        pass
    assert [file.exists() for file in (spilled, kept, *half)] == [True, True, False, False, False]


def test_a_home_that_vanishes_ends_the_run_with_one_line_and_the_next_starts_from_nothing(
    api, context, documents, monkeypatch
):
    (url, tap), write = api, parquet.write_file

    def vanish(home, target, *rest, **named):
        if "start_date=" in str(target):
            shutil.rmtree(home.root, ignore_errors=True)
        write(home, target, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(parquet, "write_file", vanish)
        settings = KEY | {"ELEVENLABS_BASE_URL": url, "CONVOHOUSE_HOME": str(context.home.root)}
        ended = run(context.home.root.parent, "sync", "--json", **settings)
    assert (ended.code, list(ended.data), len(ended.err.splitlines())) == (1, ["error"], 2), ended.err
    assert "No such file or directory" in ended.err

    tap.requests.clear()
    assert sync.sync(context, run_id="next").problems == ()
    assert tap.details.total() == len(documents)
    assert_equals(context, documents)


def test_a_disk_that_is_full_in_the_build_ends_with_one_line_and_keeps_the_old_warehouse(context):
    """The operating system's limit on file size simulates the full disk."""
    sync.sync(context, run_id="first")
    before = context.home.warehouse.read_bytes()
    small = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
    few = "from tests.helpers.few_models import FEW, build_few; build_few(*FEW); "
    command = [sys.executable, "-c", f"{small}{few}from pipelines.cli.main import main; main()", "build"]
    environment = os.environ | {"CONVOHOUSE_HOME": str(context.home.root)}  # noqa: TID251 - a process of its own
    root = Path(__file__).parents[2]
    ended = subprocess.run(command, cwd=root, env=environment, capture_output=True, timeout=60, check=False)  # noqa: S603 - ours
    said = [line for line in ended.stderr.splitlines() if not line.startswith(b"build: ")]  # how far it was
    assert (ended.returncode, len(said)) == (1, 2), ended.stderr.decode()
    assert b"report" not in ended.stderr
    assert context.home.warehouse.read_bytes() == before
    assert partial_files(context.home) == []
