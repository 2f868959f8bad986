"""Files that are lost, cut short or changed at rest are named, and what they had is flattened or fetched again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import erasure, publish, sync
from pipelines.usecases.context import Context
from tests.helpers.kept_home import KeptHome
from tests.helpers.recording_app import Tap
from tests.helpers.run_cli import run
from warehouse.schema.registry import BY_NAME
from warehouse.serve.query import query
from warehouse.storage import lake, landing, parquet
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
SCHEMA = None
CUT_TOGETHER = {
    "of one flattening": [("conversations", -1), ("turns", -2), ("tool_calls", -3)],
    "of checks and lists": [("conversation_checks", -1), ("conversation_list", -2)],
    "without days": [(name, -1) for name in ("agents", "tools", "llm_prices", "sync_runs", "quarantine")],
    "schema": [("turns", SCHEMA)],
}
"""Files by table and day, from the last, that are cut at once: each is repaired in its own way, or on its own day."""


@pytest.fixture(scope="module")
def world():
    return World(seed=11, conversations=30, days=3, until=UNTIL)


@pytest.fixture(scope="module")
def app(world):
    return Tap(create_app(world, clock=lambda: UNTIL))


@pytest.fixture(scope="module")
def url(app):
    with running(app) as url:
        yield url


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory):
    return KeptHome(tmp_path_factory.mktemp("damage") / "home")


@pytest.fixture
def context(kept_home, url, app):
    context = Context(Settings(home=kept_home.root, base_url=url, api_key="demo"), clock=lambda: UNTIL)
    kept_home.put(lambda: sync.sync(context, run_id="first"))
    app.requests.clear()
    return context


@pytest.fixture
def original(kept_home, context):
    """The home as it was before a test damages it."""
    return Home(kept_home.kept)


def lake_file(home, name, number=-1):
    """The last file of a table, or that of an earlier day."""
    table = BY_NAME[name]
    return sorted(home.files(home.table(table), lake.DAY_FOLDERS if table.is_daily else ""))[number]


def rows_of(home, name):
    return lake.read(home, BY_NAME[name]).sort(pl.all())


def write(file, content):
    """In place of the file, which the kept home has as well."""
    file.unlink()
    file.write_bytes(content)


def cut(file):
    write(file, file.read_bytes()[: file.stat().st_size // 2])


def failed(context, *, is_deep=False):
    results = sync.check(context, is_deep=is_deep)
    return {result.check.name: str(result.sample_rows) for result in results if not result.is_passed}


def assert_repaired(context, original, result, *files):
    for file in files:
        assert [warning for warning in result.warnings if str(file) in warning], result.warnings
    assert result.problems == ()
    assert failed(context, is_deep=True) == {}
    for name in ("conversations", "turns", "tool_calls", "conversation_list", "agents", "tools"):
        assert rows_of(context.home, name).equals(rows_of(original, name)), name
    turns = query(context.home, "select count(*) as n from lake.turns")["n"].item()
    assert turns == rows_of(original, "turns").height


def test_lost_days_of_tables_are_named_and_rebuilt(context, original):
    files = [lake_file(context.home, *place) for place in CUT_TOGETHER["of one flattening"]]
    for file in files:
        file.unlink()
    missing = failed(context)["lake_has_recorded_rows"]
    assert [str(file) in missing for file in files] == [True] * len(files)
    assert_repaired(context, original, sync.sync(context, run_id="second"), *files)


@pytest.mark.parametrize("command", [sync.sync, sync.reprocess])
def test_lost_rows_are_named_and_rebuilt(command, context, original):
    files = [lake_file(context.home, "turns"), lake_file(context.home, "conversations", -2)]
    for file in files:
        rows = pl.read_parquet(file, glob=False).head(-3)
        file.unlink()
        rows.write_parquet(file)
    missing = failed(context)["lake_has_recorded_rows"]
    assert [str(file) in missing for file in files] == [True] * len(files)
    assert_repaired(context, original, command(context, run_id="second"), *files)


@pytest.mark.parametrize(("names", "more"), [(["turns"], ""), (["tool_calls", "turns"], " and 1 more of its day")])
def test_values_that_somebody_has_changed_are_named_by_day_and_rebuilt(names, more, context, original):
    day = lake.days(context.home, BY_NAME["tool_calls"])[0]
    files = [context.home.file(context.home.partition(BY_NAME[name], day)) for name in names]
    for file in files:
        rows = pl.read_parquet(file, glob=False).with_columns(extra=pl.lit('{"nobody": "said this"}'))
        file.unlink()
        rows.write_parquet(file)
    result = sync.sync(context, run_id="second")
    assert_repaired(context, original, result, files[0])
    reason = "not as recorded, because a run was killed or somebody has changed the file"
    assert result.warnings == (f"{files[0]}{more}: {reason}. Its content is rebuilt from the landing.",)


def test_what_the_lake_has_lost_is_not_missing_where_it_is_published_and_fails_a_build(context, original, tmp_path):
    """All checks of the warehouse pass without the turns of a day."""
    lake_file(context.home, "turns").unlink()
    built = run(tmp_path, "--home", str(context.home.root), "build", "--json")
    assert (built.code, [check["check"] for check in built.data["failed"]]) == (1, ["lake_has_recorded_rows"])
    target = tmp_path / "published"
    (result,) = publish.publish(context, publish.choose_jobs(context, str(target), format_="csv", selection=["lake"]))
    assert result.problem is None
    published = pl.read_csv(target / "lake.turns.csv", infer_schema=False)
    assert published.height == rows_of(original, "turns").height
    assert failed(context) == {}


@pytest.mark.parametrize("command", [sync.sync, sync.reprocess])
@pytest.mark.parametrize("files", CUT_TOGETHER.values(), ids=CUT_TOGETHER)
def test_cut_files_of_the_lake_are_named_and_rebuilt(files, command, context, original):
    cut_files = [
        lake.schema_file(context.home, BY_NAME[name]) if number is SCHEMA else lake_file(context.home, name, number)
        for name, number in files
    ]
    for file in cut_files:
        cut(file)
    unreadable = failed(context)["lake_is_readable"]
    assert [str(file) in unreadable for file in cut_files] == [True] * len(cut_files)
    assert_repaired(context, original, command(context, run_id="second"), *cut_files)


def copies_of(home):
    """Files that another tool or a hand may leave in the lake, whose rows every reader would count once more."""
    turns, agents = lake_file(home, "turns"), lake_file(home, "agents")
    copies = [
        turns.with_name("main.copy.parquet"),
        turns.with_name("backup.parquet"),
        turns.with_name("._main.parquet"),
        turns.parent.with_name("day=2026-11-20 (copy)") / "main.parquet",
        agents.with_name("main (1).parquet"),
    ]
    for copy in copies:
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(turns if copy.parts[-3] == "turns" else agents, copy)
    return copies


def test_files_that_no_run_has_written_are_named_and_set_aside(context, original):
    copies = copies_of(context.home)
    assert failed(context)["lake_has_only_written_files"] == str(tuple({"file": str(file)} for file in sorted(copies)))
    result = sync.sync(context, run_id="second")
    for copy in copies:
        assert_repaired(context, original, result, copy)
        assert not copy.exists()
    assert len(result.warnings) == len(copies)
    assert sync.sync(context, run_id="third").warnings == ()


def test_an_erasure_reaches_the_copies_also_those_that_come_later(context, tmp_path):
    copies_of(context.home)
    conversation_id = rows_of(context.home, "turns")["conversation_id"][0]
    assert erasure.erase(context, [conversation_id]).problems == ()
    assert [file.stat().st_size for file in context.home.damaged.rglob("*.damaged")] == [0] * 5
    turns = lake_file(context.home, "turns")
    turns.rename(turns.with_name("later.parquet"))
    jobs = publish.choose_jobs(context, str(tmp_path / "csv"), format_="csv", selection=["lake.turns"])
    assert publish.publish(context, jobs)[0].problem is None
    assert [file.stat().st_size for file in context.home.damaged.rglob("*.damaged")] == [0] * 6


@pytest.mark.parametrize("command", [sync.sync, sync.reprocess])
@pytest.mark.parametrize("names", [["turns"], ["conversation_list"], list(BY_NAME)])
def test_a_copied_day_is_named_and_removed(names, command, context, original):
    day = lake_file(context.home, "turns").parent.name
    for folder in [context.home.lake / name / day for name in names]:
        if folder.exists():
            shutil.copytree(folder, folder.with_name("day=2030-01-01"))
    assert f"lake_{names[0]}_unique" in failed(context)
    result = command(context, run_id="second")
    assert "day=2030-01-01" in " ".join(result.warnings)
    assert_repaired(context, original, result, "day=2030-01-01")
    assert list(context.home.lake.rglob("day=2030-01-01/*")) == []


def test_a_build_names_a_cut_file(context, tmp_path):
    file = lake_file(context.home, "turns")
    cut(file)
    built = run(tmp_path, "--home", str(context.home.root), "build")
    assert (built.code, str(file) in built.err, "reprocess" in built.err) == (1, True, True), built.err


def test_a_cut_file_of_the_landing_is_named_and_its_conversations_are_fetched_again(context, original, app):
    file = max(context.home.files(context.home.landing, landing.DAY_FOLDERS))
    lost = set(parquet.read_files(landing.LANDED_DOCUMENTS, [file])["conversation_id"])
    cut(file)
    assert str(file) in failed(context)["landing_is_readable"]
    result = sync.sync(context, run_id="second")
    assert {path.rpartition("/")[2] for path in app.details} >= lost
    assert_repaired(context, original, result, file)
    assert [path.name.startswith(file.stem) for path in context.home.damaged.rglob("*.damaged")] == [True]
    assert sync.sync(context, run_id="third").warnings == ()


def test_after_a_listing_is_lost_all_of_history_is_listed_once(context, original):
    moments = [UNTIL + timedelta(minutes=1)]
    context = replace(context, clock=lambda: moments[0])
    assert sync.sync(context, run_id="zero").problems == ()
    assert [window.since is None for window in landing.listings(context.home)] == [True, False]
    listing = min(context.home.files(context.home.listings))
    segment = min(context.home.files(context.home.landing, landing.DAY_FOLDERS))
    cut(listing)
    cut(segment)
    moments[0] += timedelta(minutes=1)
    result = sync.sync(context, run_id="second")
    assert [str(segment) in warning for warning in result.warnings].count(True) == 1
    assert [warning for warning in result.warnings if str(listing) in warning]
    assert (result.problems, failed(context, is_deep=True)) == ((), {})
    assert rows_of(context.home, "turns").equals(rows_of(original, "turns"))
    moments[0] += timedelta(minutes=1)
    assert sync.sync(context, run_id="third").problems == ()
    assert [window.since is None for window in landing.listings(context.home)] == [False, True, False]


def test_an_erased_conversation_stays_erased_and_no_damaged_file_keeps_it(context, app):
    conversation_id = rows_of(context.home, "conversations")["conversation_id"][0]
    erasure.erase(context, [conversation_id])
    for file in context.home.files(context.home.landing, landing.DAY_FOLDERS):
        cut(file)
    result = sync.sync(context, run_id="second")
    assert result.problems == ()
    assert conversation_id in landing.erased_ids(context.home)
    assert conversation_id not in {path.rpartition("/")[2] for path in app.details}
    assert conversation_id not in set(rows_of(context.home, "conversations")["conversation_id"])
    assert {file.stat().st_size for file in context.home.damaged.rglob("*.damaged")} == {0}


def flip(file, at):
    content = bytearray(file.read_bytes())
    content[at] ^= 0xFF
    write(file, content)


def test_deep_reads_every_block_of_the_warehouse(context, tmp_path):
    warehouse = context.home.warehouse
    middle = range(warehouse.stat().st_size // 4, warehouse.stat().st_size, 50_000)
    for at in middle:
        flip(warehouse, at)
    ended = run(tmp_path, "--home", str(context.home.root), "check", "--deep", "--json")
    assert ended.code == 1
    assert [result["check"] for result in ended.data["failed"]] == ["warehouse_is_readable"]
    assert run(tmp_path, "--home", str(context.home.root), "build").code == 0
    assert failed(context, is_deep=True) == {}


def test_deep_reads_every_value_of_the_lake(context, original):
    file = lake_file(context.home, "turns")
    for at in range(4, 400):  # pages of the first columns; the footer is at the end
        flip(file, at)
    assert set(failed(context, is_deep=True)) == {"lake_is_readable"}
    assert_repaired(context, original, sync.reprocess(context, run_id="second"), file)


def test_check_changes_nothing(context):
    root, temporary = context.home.root, context.home.temporary  # there a reader has a folder while it reads
    cut(lake_file(context.home, "turns"))

    def times():
        return {path: path.stat().st_mtime_ns for path in root.rglob("*") if path != temporary}

    before = times()
    failed(context, is_deep=True)
    assert times() == before
    assert Home(root).exists()
