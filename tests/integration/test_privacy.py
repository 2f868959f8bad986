"""After a sync no credential is on the disk, nor a person if personal data is hashed; repeat callers still count."""

from __future__ import annotations

import copy
import json
import logging
import re
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers.disk_contents import contents, words_in
from tests.helpers.few_models import few_built
from tests.helpers.recording_app import assert_equals
from warehouse.serve.query import query

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
DAYS = 6
WORLD = {"seed": 11, "conversations": 250, "days": DAYS, "until": UNTIL}
RUN_AT = UNTIL + timedelta(hours=2)
KEY = "0123456789abcdef-of-the-tests"
SECRETS = tuple(f"pl4nted{number:02d}" for number in range(9))


class Leaking(World):
    """A world in which every tool call and result has credentials, in several forms."""

    def detail(self, conversation_id, now):
        document = copy.deepcopy(super().detail(conversation_id, now))
        for entry in document["transcript"] if document else ():
            for call in entry["tool_calls"] or ():
                self._plant_call(call)
            for result in entry["tool_results"] or ():
                self._plant_result(result)
        if document:
            document["conversation_initiation_client_data"]["dynamic_variables"]["secret__crm"] = SECRETS[8]
        return document

    def _plant_call(self, call):
        call["params_as_json"] = json.dumps({"session": {"accessToken": SECRETS[0]}})
        call["tool_details"] = {
            "type": "webhook",
            "url": f"https://user:{SECRETS[1]}@example.com/v1?limit=5&api_key={SECRETS[2]}",
            "headers": {"X-Api-Key": SECRETS[3]},
            "query_params": {"token": SECRETS[4]},
            "body": json.dumps({"forward": json.dumps({"client_secret": SECRETS[5]})}),
        }

    def _plant_result(self, result):
        result["result_value"] = json.dumps({"curl": f"curl -H 'Authorization: Bearer {SECRETS[6]}'"})
        result["raw_error_message"] = f"refused: password={SECRETS[7]}&user=crm"


@pytest.fixture
def synced(tmp_path):
    """Sync a world into its own home folder."""

    def sync_world(world, name, **changes):
        with running(create_app(world, clock=lambda: UNTIL)) as base_url:
            settings = Settings(home=tmp_path / name, base_url=base_url, api_key="demo", **changes)
            context = Context(settings, clock=lambda: RUN_AT)
            assert sync.sync(context, run_id="run").problems == ()
        return context

    return sync_world


def test_no_credential_is_in_any_file_or_log(synced, caplog):
    caplog.set_level(logging.DEBUG)
    context = synced(Leaking(**WORLD), "home")
    disk = contents(context.home.root)
    assert [secret for secret in SECRETS if secret.encode() in disk] == []
    assert [secret for secret in SECRETS if secret in caplog.text] == []
    assert b"https://user:***@example.com/v1?limit=5&api_key=***" in disk
    assert b"refused: password=***&user=crm" in disk


PEOPLE = re.compile(r"\+\d{11}|(?<=\")1555\d{7}(?=\")|(?:customer|initiator)-\d{4}|[\w.]+@example\.com")
COUNTS = """
    select
        count(*) as n_calls,
        count(caller_id) as n_known,
        count(distinct caller_id) as n_callers,
        count(*) filter (where is_repeat_caller_7d) as n_repeat
    from marts.fct_conversations
"""


def test_nobody_is_in_any_file_and_repeat_callers_count_as_before(synced):
    world = World(**WORLD)
    documents = list(world.details(UNTIL))
    people = sorted(
        {person for document in documents for person in PEOPLE.findall(json.dumps(document, ensure_ascii=False))}
    )
    with few_built("marts.fct_conversations", "marts.dim_agents"):
        kept = synced(world, "kept")
    hidden = synced(world, "hidden", pii="hash", pii_key=KEY)

    before, after = contents(kept.home.root), contents(hidden.home.root)
    assert set(people) - words_in(before, people) == set()
    assert words_in(after, people) == set()
    assert KEY.encode() not in after

    assert_equals(hidden, documents)
    counts = query(kept.home, COUNTS).row(0, named=True)
    assert counts["n_callers"] < counts["n_known"]
    assert counts["n_repeat"] > 0
    assert query(hidden.home, COUNTS).row(0, named=True) == counts
    numbers = query(hidden.home, "select caller_id from marts.fct_conversations where caller_id is not null")
    assert numbers.filter(~pl.col("caller_id").str.contains(r"^h:[0-9a-f]{20}$")).is_empty()
