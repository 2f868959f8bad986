"""A server as deploy/ has it: the processes of the units, with two home folders as two code locations."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
import pytest

from tests.helpers.dagster_page import ENDED, DagsterPage
from tests.helpers.dagster_processes import wait_for
from tests.helpers.dagster_units import ROOT, Server, free_port, server
from tests.helpers.emulated_dagster import KEY
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import lake
from warehouse.storage.home import Home

GOOD, BAD = "main", "second"


@dataclass
class TwoHomes:
    """Two code locations that have each run once."""

    server: Server
    page: DagsterPage
    statuses: dict[str, str]

    def home(self, name: str) -> Home:
        return Home(self.server.folder / ROOT[1:] / "data" / name)


@pytest.fixture(scope="module")
def two_homes(first, emulated, tmp_path_factory) -> Iterator[TwoHomes]:
    """The key of the second home is wrong. The first home has the data of the first run."""
    ports = {GOOD: free_port(), BAD: free_port()}
    with server(tmp_path_factory.mktemp("server"), ports) as machine:
        shutil.copytree(first.app_context.home.root, machine.folder / ROOT[1:] / "data" / GOOD, dirs_exist_ok=True)
        url = {"ELEVENLABS_BASE_URL": emulated.url, "CONVOHOUSE_NOW": emulated.now.isoformat()}
        second = {"CONVOHOUSE_HOME": machine.path(f"{ROOT}/data/{BAD}"), "CONVOHOUSE_ASSET_PREFIX": BAD}
        machine.write_settings("dagster")
        machine.write_settings(GOOD, CODE_PORT=ports[GOOD], ELEVENLABS_API_KEY=KEY, **url)
        machine.write_settings(BAD, CODE_PORT=ports[BAD], ELEVENLABS_API_KEY="sk_wrong", **second, **url)
        for unit, name in (("code@", GOOD), ("code@", BAD), ("daemon", ""), ("page", "")):
            machine.start(f"convohouse-{unit}", name)
        page = DagsterPage(f"http://127.0.0.1:{machine.page_port}")
        wait_for("both code locations", lambda: page.locations() == {GOOD, BAD}, machine.logs)
        assert page.launch(BAD, "nightly") == {"__typename": "LaunchRunSuccess"}
        machine.launch_nightly(GOOD)
        wait_for("two ended runs", lambda: {run["status"] for run in page.runs()} <= ENDED, machine.logs)
        runs = page.runs()
        statuses = {run["repositoryOrigin"]["repositoryLocationName"]: run["status"] for run in runs}
        assert len(runs) == len(statuses), machine.logs()
        yield TwoHomes(machine, page, statuses)


@pytest.mark.timeout(900)  # four processes of Dagster, and two runs
def test_one_location_fails_and_the_other_goes_on(two_homes, emulated):
    assert two_homes.statuses == {GOOD: "SUCCESS", BAD: "FAILURE"}
    assert lake.read(two_homes.home(GOOD), CONVERSATIONS).height == len(emulated.details())
    assert list(two_homes.home(BAD).landing.glob("start_date=*")) == []


def test_neither_has_the_assets_of_the_other(two_homes):
    with dg.DagsterInstance.from_config(two_homes.server.path(f"{ROOT}/dagster")) as instance:
        keys = {tuple(key.path) for key in instance.all_asset_keys()}
        assert ("lake", "turns") in keys
        assert instance.get_latest_materialization_event(dg.AssetKey(["lake", "turns"])) is not None
        assert instance.get_latest_materialization_event(dg.AssetKey([BAD, "lake", "turns"])) is None
    fields = "assetKey{path} groupName jobNames repository{location{name}}"
    assets: dict[str, dict[tuple[str, ...], object]] = {GOOD: {}, BAD: {}}
    for node in two_homes.page.query(f"{{assetNodes{{{fields}}}}}")["assetNodes"]:
        location = node["repository"]["location"]["name"]
        assets[location][tuple(node["assetKey"]["path"])] = (node["groupName"], node["jobNames"])
    assert assets[BAD] == {(BAD, *path): asset for path, asset in assets[GOOD].items()}
