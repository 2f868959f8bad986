"""A changed masking is reported by every sync until reprocess has applied it to what is landed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from pipelines.usecases.masking_state import STATE_FILE, changed_masking
from tests.helpers.disk_contents import contents
from tests.integration.test_privacy import PEOPLE
from warehouse.schema.reference_data import TOOL_VERSIONS
from warehouse.storage import lake, landing

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
RUN_AT = UNTIL + timedelta(hours=2)
KEY, OTHER_KEY = "0123456789abcdef-of-the-tests", "another-key-of-the-tests"


@pytest.fixture
def world():
    return World(seed=11, conversations=40, days=3, until=UNTIL)


def test_what_was_landed_with_people_is_hidden_by_reprocess(tmp_path, world):
    people = {person for document in world.details(UNTIL) for person in PEOPLE.findall(json.dumps(document))}
    times = (RUN_AT + timedelta(minutes=minutes) for minutes in count())
    with running(create_app(world, clock=lambda: UNTIL)) as base_url:

        def context(**changes):
            settings = Settings(home=tmp_path / "home", base_url=base_url, api_key="demo", **changes)
            at = next(times)
            return Context(settings, clock=lambda: at)

        assert sync.sync(context(), run_id="first").warnings == ()
        home = context().home
        n_versions = lake.read(home, TOOL_VERSIONS).height
        assert any(person.encode() in contents(home.root) for person in people)

        hashing = {"pii": "hash", "pii_key": KEY}
        assert "convohouse reprocess" in sync.sync(context(**hashing), run_id="changed").warnings[0]
        n_rows = (landing.snapshots(home).height, landing.list_rows(home).height)
        assert sync.reprocess(context(**hashing), run_id="reprocess").problems == ()
        assert sorted(person for person in people if person.encode() in contents(home.root)) == []
        assert (landing.snapshots(home).height, landing.list_rows(home).height) == n_rows
        assert lake.read(home, TOOL_VERSIONS).height == n_versions

        plan = sync.plan(context(**hashing))["main"]
        assert plan.to_fetch.is_empty()
        assert changed_masking(context(**hashing)) == ()
        assert KEY.encode() not in contents(home.root)
        assert "CONVOHOUSE_PII_KEY has changed" in changed_masking(context(pii="hash", pii_key=OTHER_KEY))[0]
        assert "pii was hash" in changed_masking(context())[0]
        (home.root / STATE_FILE).unlink()
        assert "earlier version" in changed_masking(context(**hashing))[0]
