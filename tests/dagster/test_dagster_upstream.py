"""The assets that run on demand (access check, recordings) and the sensor of landed webhooks."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest

from pipelines.extract.landing_rows import snapshot_row
from pipelines.orchestration.assets.agent_access import (
    ACCESS,
    REACHABLE_CHECK,
    access_job,
    agent_access,
)
from pipelines.orchestration.assets.audio import RECORDINGS, audio_job, recordings
from pipelines.orchestration.assets.lake import lake_tables
from pipelines.orchestration.assets.models import models_asset
from pipelines.orchestration.webhook_sensor import webhook_job, webhook_sensor
from pipelines.transform.canonical_json import dump, load
from pipelines.usecases.agent_access import unreachable_agents
from pipelines.usecases.context import no_progress
from tests.helpers.emulated_dagster import LAST, QUIET
from tests.helpers.signed_webhooks import post_call
from warehouse.models.project import read_project
from warehouse.schema.activity import AGENT_ACCESS
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import activity_log, lake, landing


@pytest.fixture
def definitions(copied):
    return dg.Definitions(
        assets=[agent_access, recordings, lake_tables, models_asset(read_project(), timedelta(hours=36))],
        jobs=[access_job, audio_job, webhook_job(LAST)],
        resources={"app_context": copied, "progress": no_progress},
        executor=dg.in_process_executor,
    )


def execute(definitions, job, tags=None, ops=None):
    with dg.DagsterInstance.ephemeral() as instance:
        config = {"loggers": QUIET} | ({"ops": ops} if ops else {})
        return definitions.resolve_job_def(job).execute_in_process(
            run_config=config, instance=instance, raise_on_error=False, tags=tags
        )


def facts(result, key):
    (event,) = (event for event in result.get_asset_materialization_events() if event.asset_key == key)
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_the_access_check_warns_of_an_agent_with_recent_calls_that_cannot_be_reached(definitions, copied, emulated):
    result = execute(definitions, "access")
    (check,) = result.get_asset_check_evaluations()
    agents = set(lake.read(copied.home, CONVERSATIONS)["agent_id"])
    assert (result.success, check.check_name, check.passed) == (True, REACHABLE_CHECK, True)
    assert facts(result, ACCESS) == {"n_agents": len(agents), "n_reachable": len(agents)}

    unreachable_id, *others = sorted(agents)
    rows = [
        {"agent_id": agent_id, "way": way, "asked_at": emulated.now - timedelta(days=365), "latency_secs": 0.1}
        | {"is_reachable": agent_id == others[0] and way == "token"}
        for agent_id in (unreachable_id, others[0], "agent_without_calls")
        for way in ("signed_url", "token")
    ]
    activity_log.append(copied.home, AGENT_ACCESS, rows)
    assert unreachable_agents(copied.home) == [unreachable_id]


def test_the_recordings_are_saved_as_the_config_says(definitions, copied):
    result = execute(definitions, "audio", ops={"landing__recordings": {"config": {"sample": 3}}})
    assert result.success
    counts = facts(result, RECORDINGS)
    files = list((copied.home.root / "audio").rglob("*.mp3"))
    assert (counts["n_saved"], counts["n_before"], len(files)) == (3, 0, 3)
    assert counts["total_bytes"] == sum(file.stat().st_size for file in files)


def test_the_sensor_sees_a_landed_webhook_and_its_job_brings_it_into_the_warehouse(definitions, copied, emulated):
    with dg.DagsterInstance.ephemeral() as instance:

        def evaluate():
            with dg.build_sensor_context(instance=instance, resources={"app_context": copied}) as context:
                return webhook_sensor(webhook_job(LAST), every_minutes=15)(context)

        assert isinstance(evaluate(), dg.SkipReason)
        document = emulated.details()[-1] | {"conversation_id": "conv_by_webhook"}
        event = load(post_call(document, "secret", int(emulated.now.timestamp()))[0])
        list_row = {"conversation_id": "conv_by_webhook", "agent_id": None, "fingerprint": None, "content_sha256": None}
        landing.land_documents(copied.home, [snapshot_row(list_row, dump(event["data"]), emulated.now)])
        request = evaluate()
    result = execute(definitions, "webhooks", tags=request.tags)
    assert result.success, result.get_step_failure_events()
    assert "conv_by_webhook" in lake.read(copied.home, CONVERSATIONS)["conversation_id"]
