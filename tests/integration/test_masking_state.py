"""A changed masking is reported by every sync until reprocess has applied it to what is landed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.errors import SettingsError
from pipelines.settings import Settings
from pipelines.usecases import reference_data, sync, sync_steps
from pipelines.usecases.context import Context, no_progress
from pipelines.usecases.masking_state import STATE_FILE, apply_masking, changed_masking
from pipelines.usecases.run_session import run_session
from pipelines.usecases.sync_reference_data import copy_and_build
from tests.helpers.disk_contents import contents, words_in
from tests.integration.test_privacy import PEOPLE
from warehouse.errors import HomeError
from warehouse.schema.reference_data import TOOL_VERSIONS
from warehouse.storage import lake, landing

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
RUN_AT = UNTIL + timedelta(hours=2)
KEY, OTHER_KEY = "0123456789abcdef-of-the-tests", "another-key-of-the-tests"


@pytest.fixture
def world():
    return World(seed=11, conversations=40, days=3, until=UNTIL)


def test_what_was_landed_with_people_is_hidden_and_nothing_is_fetched_again(tmp_path, world):
    people = {person for document in world.details(UNTIL) for person in PEOPLE.findall(json.dumps(document))}
    times = (RUN_AT + timedelta(minutes=minutes) for minutes in count())
    with running(create_app(world, clock=lambda: UNTIL)) as base_url:

        def context(**changes):
            settings = Settings(home=tmp_path / "home", base_url=base_url, api_key="demo", **changes)
            at = next(times)
            return Context(settings, clock=lambda: at)

        def copy(run_id, **changes):
            with run_session(context(**changes), run_id, "sync") as (workspace,):
                window, _ = sync_steps.window_of(workspace)
                sync_steps.list_conversations(workspace, window, run_id)
                with workspace.worker_pool() as worker_pool:
                    stats = sync_steps.fetch_documents(workspace, run_id, worker_pool=worker_pool)
                reference_data.ToolsCopy(workspace).fetch_and_land()
                return changed_masking(workspace), stats.n_landed

        hashing = {"pii": "hash", "pii_key": KEY}
        assert copy("first")[0] == ()
        home = context().home
        n_versions = lake.read(home, TOOL_VERSIONS).height
        assert words_in(contents(home.landing), people) != set()

        (warning,), _ = copy("changed", **hashing)
        assert "convohouse reprocess" in warning
        n_rows = (landing.snapshots(home).height, landing.latest_list_rows(home).height)
        apply_masking(context(**hashing), [context(**hashing)])
        files = {file: file.stat().st_ino for file in home.landing.rglob("*.parquet")}
        (home.root / STATE_FILE).unlink()
        apply_masking(context(**hashing), [context(**hashing)])  # a repeat, as after a kill, changes nothing
        assert {file: file.stat().st_ino for file in home.landing.rglob("*.parquet")} == files
        assert (landing.snapshots(home).height, landing.latest_list_rows(home).height) == n_rows
        assert words_in(contents(home.landing), people) == set()

        assert copy("after", **hashing) == ((), 0)
        assert lake.read(home, TOOL_VERSIONS).height == n_versions
        assert KEY.encode() not in contents(home.root)
        assert "CONVOHOUSE_PII_KEY has changed" in changed_masking(context(pii="hash", pii_key=OTHER_KEY))[0]
        before = contents(home.root)
        with pytest.raises(SettingsError, match=r"People are hidden in .* and the setting pii is keep now") as refused:
            copy("kept")
        assert "`convohouse reprocess` accepts the new setting." in refused.value.hint
        with pytest.raises(SettingsError, match="the setting pii is keep now"):
            copy_and_build(context(), "tools", lambda _workspace: (), no_progress)
        assert contents(home.root) == before
        state = (context().home.root / STATE_FILE).read_bytes()
        (context().home.root / STATE_FILE).write_bytes(state[:-10])
        with pytest.raises(HomeError, match=r"\.masking\.json is damaged") as refused:
            copy("damaged")
        assert changed_masking(context()) == (str(refused.value),)
        with run_session(context(), "accepted", "reprocess", is_offline=True) as workspaces:
            apply_masking(context(), workspaces)
        assert json.loads((context().home.root / STATE_FILE).read_bytes())["pii"] == "keep"
        assert copy("kept")[0] == ()


@pytest.mark.usefixtures("few_models")
@pytest.mark.timeout(400)
def test_a_home_of_an_earlier_version_says_so_until_it_is_reprocessed(tmp_path, world):
    with running(create_app(world, clock=lambda: UNTIL)) as base_url:
        context = Context(Settings(home=tmp_path, base_url=base_url, api_key="demo"), clock=lambda: RUN_AT)
        sync.sync(context, run_id="first")
        (tmp_path / STATE_FILE).unlink()
        assert "earlier version" in changed_masking(context)[0]
        warnings = []
        for what in ("list", "fetch"):  # the steps of a run of Dagster
            with run_session(context, "in steps", what, warn=warnings.append):
                pass
        for result in (sync.sync(context, run_id="again"), sync.retry(context, run_id="retry")):
            warnings += result.warnings
        assert warnings == list(changed_masking(context)) * 3
        sync.reprocess(context, run_id="second")
        assert changed_masking(context) == ()
        assert sync.sync(context, run_id="third").warnings == ()
