"""Several workspaces in one home: one sync copies all, rows have their workspace, no key reaches another's API."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.errors import CredentialsError, SettingsError
from pipelines.settings import Settings, Workspace
from pipelines.usecases import erasure, sync
from pipelines.usecases.context import Context
from pipelines.usecases.retention import Rule, select_expired
from tests.helpers.editing_app import Answer, intercept
from tests.helpers.few_models import FEW
from tests.helpers.kept_home import KeptHome
from tests.helpers.recording_app import assert_equals
from tests.helpers.run_cli import run
from warehouse.build.lake_checks import check_lake
from warehouse.build.runner import build
from warehouse.errors import HomeError
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import SYNC_RUNS
from warehouse.serve.query import query
from warehouse.storage import lake, landing

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
KEYS = {"eu": "sk_the_key_of_the_europeans", "us": "sk_the_key_of_the_americans"}
VARIABLES = {"eu": "EU_KEY", "us": "US_KEY"}


@pytest.fixture
def few_keys():
    """They count conversations in the warehouse."""
    return FEW


class Api:
    """The API of one workspace; it records the keys and paths of its requests, and can be down."""

    def __init__(self, name, seed):
        self.world = World(seed=seed, conversations=40, days=3, until=UNTIL)
        self.app = create_app(self.world, clock=lambda: UNTIL, key=KEYS[name])
        self.keys, self.paths, self.is_down = set(), set(), False

    async def __call__(self, scope, receive, send):
        await intercept(self.app, self._answer)(scope, receive, send)

    def _answer(self, scope):
        self.keys |= {value.decode() for name, value in scope["headers"] if name == b"xi-api-key"}
        self.paths.add((scope["method"], scope["path"]))
        return Answer(401, b"{}") if self.is_down else None

    @property
    def documents(self):
        return list(self.world.details(UNTIL))


@pytest.fixture
def apis():
    return {"eu": Api("eu", 11), "us": Api("us", 12)}


@pytest.fixture
def urls(apis):
    with ExitStack() as stack:
        yield {name: stack.enter_context(running(api)) for name, api in apis.items()}


@pytest.fixture
def context(urls, tmp_path, monkeypatch):
    return context_of(tmp_path / "home", urls, monkeypatch)


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory):
    return KeptHome(tmp_path_factory.mktemp("workspaces") / "home")


@pytest.fixture
def synced(kept_home, urls, apis, monkeypatch):
    """The context of a home that is synced once; the APIs were asked nothing since."""
    context = context_of(kept_home.root, urls, monkeypatch)
    kept_home.put(lambda: sync.sync(context, run_id="1"))
    for api in apis.values():
        api.keys.clear()
        api.paths.clear()
    return context


def context_of(home, urls, monkeypatch):
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, KEYS[name])
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_a_key_of_nobody")
    zones = {"eu": "Europe/Berlin", "us": "America/New_York"}
    workspaces = {
        name: Workspace(key_variable=VARIABLES[name], base_url=url, timezone=zones[name]) for name, url in urls.items()
    }
    return Context(Settings(home=home, workspaces=workspaces), clock=lambda: UNTIL)


def counts(home):
    rows = query(home, "select workspace, count(*) from marts.fct_conversations group by all order by all").rows()
    return dict(rows)


def everywhere(context):
    return SimpleNamespace(home=context.home.all_workspaces)


@pytest.mark.usefixtures("reference_data")
def test_one_sync_copies_all_and_no_key_reaches_another_workspace(context, apis):
    result = sync.sync(context, run_id="run")

    assert result.problems == ()
    assert_equals(everywhere(context), [document for api in apis.values() for document in api.documents])
    assert counts(context.home) == {name: len(api.documents) for name, api in apis.items()}
    assert {name: api.keys for name, api in apis.items()} == {name: {key} for name, key in KEYS.items()}
    for name, api in apis.items():
        ids = {document["conversation_id"] for document in api.documents}
        assert set(lake.read(context.home.for_workspace(name), CONVERSATIONS)["conversation_id"]) == ids
    rows = lake.read(context.home.all_workspaces, SYNC_RUNS).sort("workspace")
    assert rows.select("workspace", "run_id", "outcome").rows() == [
        ("eu", "run", "complete"),
        ("us", "run", "complete"),
    ]
    assert result.run["n_fetched"] == sum(len(api.documents) for api in apis.values())
    zones = query(context.home, "select * from seeds.workspaces order by workspace").rows()
    assert zones == [("eu", "Europe/Berlin"), ("us", "America/New_York")]


def test_a_second_sync_reads_only_what_is_open_in_each(synced, apis):
    open_calls = sum(
        document["status"] not in ("done", "failed") for api in apis.values() for document in api.documents
    )
    result = sync.sync(synced, run_id="2")
    assert (result.problems, result.run["n_fetched"], result.run["n_landed"]) == ((), open_calls, 0)


def test_an_api_error_stops_no_other_workspace_and_is_named(context, apis):
    apis["eu"].is_down = True
    result = sync.sync(context, run_id="1")

    assert counts(context.home) == {"us": len(apis["us"].documents)}
    assert [problem[:4] for problem in result.problems] == ["eu: "]
    assert KEYS["eu"] not in str(result)
    assert {row["workspace"]: row["outcome"] for row in result.runs} == {"eu": "failed", "us": "complete"}
    assert result.run["outcome"] == "failed"

    apis["eu"].is_down = False
    assert sync.sync(context, run_id="2").problems == ()
    assert counts(context.home) == {name: len(api.documents) for name, api in apis.items()}


def test_a_workspace_whose_host_and_key_are_swapped_stops_no_other_and_is_named(context, apis):
    sync.sync(context, run_id="1")
    eu_home = context.home.for_workspace("eu")
    listings, snapshots = landing.listings(eu_home), landing.snapshots(eu_home).height
    apis["eu"].app = create_app(
        World(seed=13, conversations=40, days=3, until=UNTIL), clock=lambda: UNTIL, key=KEYS["eu"]
    )
    result = sync.sync(context, run_id="2")
    (problem,) = result.problems
    assert problem.startswith("eu: Workspace eu: the API at 127.0.0.1")
    assert {row["workspace"]: row["outcome"] for row in result.runs} == {"eu": "failed", "us": "complete"}
    assert (landing.listings(eu_home), landing.snapshots(eu_home).height) == (listings, snapshots)


def test_the_run_fails_if_every_api_fails(context, apis):
    for api in apis.values():
        api.is_down = True
    with pytest.raises(CredentialsError):
        sync.sync(context, run_id="1")
    rows = lake.read(context.home.all_workspaces, SYNC_RUNS)
    assert rows["outcome"].to_list() == ["failed", "failed"]


def test_erasing_asks_the_api_of_the_workspace_alone(synced, apis):
    erased_ids = {name: api.documents[0]["conversation_id"] for name, api in apis.items()}
    before = counts(synced.home)

    result = erasure.erase(synced, [erased_ids["us"]], is_upstream=True)

    assert [(receipt.conversation_id, receipt.upstream) for receipt in result.receipts] == [
        (erased_ids["us"], "deleted")
    ]
    assert counts(synced.home) == before | {"us": before["us"] - 1}
    assert ("DELETE", f"/v1/convai/conversations/{erased_ids['us']}") in apis["us"].paths
    assert [path for method, path in apis["eu"].paths if method == "DELETE"] == []
    assert sync.sync(synced, run_id="2").problems == ()
    assert counts(synced.home) == before | {"us": before["us"] - 1}


def test_a_workspace_that_is_no_longer_set_up_stays_and_gets_no_other_key(synced, apis):
    before = counts(synced.home)
    configured = {"eu": synced.settings.workspaces["eu"]}
    without_us = Context(Settings(home=synced.settings.home, workspaces=configured), clock=lambda: UNTIL)

    assert sync.reprocess(without_us, run_id="2").problems == ()
    assert counts(synced.home) == before
    assert sync.sync(without_us, run_id="3").problems == ()
    assert counts(synced.home) == before
    rule = Rule(UNTIL + timedelta(days=1))
    ended_ids = {
        name: {document["conversation_id"] for document in api.documents if document["status"] in ("done", "failed")}
        for name, api in apis.items()
    }
    selected_ids = select_expired(without_us, rule, max_share=1).ids
    assert {name: set(ids) for name, ids in selected_ids.items()} == ended_ids
    assert select_expired(without_us, rule, max_share=1, where="both").ids.keys() == {"eu"}
    erased_id = apis["us"].documents[0]["conversation_id"]
    with pytest.raises(CredentialsError, match="for workspace us"):
        erasure.erase(without_us, [erased_id], is_upstream=True)
    assert apis["us"].keys == set()


def test_without_the_settings_a_home_has_the_workspaces_of_its_data_and_no_other(synced):
    def names(**settings):
        context = Context(Settings(home=synced.home.root, **settings), clock=lambda: UNTIL)
        return [workspace.settings.workspace for workspace in context.workspaces_with_data()]

    assert names() == ["eu", "us"]
    assert names(workspace="main") == ["main", "eu", "us"]
    assert names(workspace="us") == ["us", "eu"]


def test_two_names_for_one_workspace_are_refused(context, urls):
    duplicates = {name: Workspace(key_variable="EU_KEY", base_url=urls["eu"]) for name in ("one", "two")}
    with pytest.raises(SettingsError, match="would count twice") as refused:
        Settings(home=context.settings.home, workspaces=duplicates).workspace_settings()
    assert KEYS["eu"] not in str(refused.value)


def test_a_workspace_under_a_second_name_is_refused_before_any_model_is_built_and_there_is_a_way_out(
    apis, urls, tmp_path
):
    """Settings that were renamed: nothing there says that it is the same workspace, but its conversations do."""

    def context_for(name):
        settings = Settings(home=tmp_path / "home", base_url=urls["eu"], api_key=KEYS["eu"], workspace=name)
        return Context(settings, clock=lambda: UNTIL)

    assert sync.sync(context_for("eu"), run_id="1").problems == ()
    with pytest.raises(HomeError, match="workspaces eu and europe have the same conversations") as refused:
        sync.sync(context_for("europe"), run_id="2")
    home = context_for("eu").home
    with pytest.raises(HomeError, match="eu and europe"):
        check_lake(home)
    assert counts(home) == {"eu": len(apis["eu"].documents)}
    run_record = lake.read(home.for_workspace("europe"), SYNC_RUNS).row(0, named=True)
    assert (run_record["outcome"], run_record["error"]) == ("failed", str(refused.value))

    assert "landing/ and lake/ that are called `eu.*` or `europe.*`" in refused.value.hint
    for folder in (home.landing, home.lake):
        for file in folder.rglob("europe.*"):
            file.unlink()
    build(home)
    assert counts(home) == {"eu": len(apis["eu"].documents)}


@pytest.fixture
def folder(urls, tmp_path):
    text = "".join(
        f'[workspaces.{name}]\nbase_url = "{url}"\nkey_variable = "{VARIABLES[name]}"\n' for name, url in urls.items()
    )
    (tmp_path / "convohouse.toml").write_text(text)
    return tmp_path


def test_the_command_line_works_over_all_workspaces(folder, apis):
    keys = {VARIABLES[name]: key for name, key in KEYS.items()}
    only_eu = {VARIABLES["eu"]: KEYS["eu"]}
    synced = run(folder, "--json", "sync", **keys)
    assert (synced.code, [workspace["workspace"] for workspace in synced.data["workspaces"]]) == (0, ["eu", "us"])
    status = run(folder, "status", **keys)
    assert [name for name in KEYS if f"workspace {name}" not in status.text] == []
    doctor = run(folder, "doctor", **only_eu)
    assert doctor.code == 3
    assert "US_KEY" in doctor.text
    assert [line.split()[-1] for line in doctor.text.splitlines() if "api_key of eu" in line] == ["([workspaces])"]
    assert not any(key in doctor.text for key in KEYS.values())
    missing = run(folder, "sync", **only_eu)
    assert (missing.code, "us: No API key is set for workspace us." in missing.err) == (1, True)
