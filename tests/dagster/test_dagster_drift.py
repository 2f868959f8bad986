"""Fields that the schema does not know yet: the run succeeds with a warning, and its log has no value."""

from __future__ import annotations

import json
from datetime import timedelta

import dagster as dg
import pytest
from dagster._serdes import serialize_value

from tests.helpers.emulated_dagster import LAST

CHECK = "nothing_unknown_is_new"
LAKE = ("landing.listings", "landing.documents", "lake.unknown_fields")


class ApiWithNewFields:
    """The emulated API, whose details have a new key and a new enum value."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        parts = []

        async def add_fields(message):
            if "conversations/" not in scope.get("path", ""):
                await send(message)
            elif message["type"] == "http.response.body":
                parts.append(message["body"])
                if not message.get("more_body"):
                    detail = json.loads(b"".join(parts)) | {"brand_new": "what somebody said"}
                    detail["metadata"]["feedback"] = {"type": "stars"}
                    await send({"type": "http.response.body", "body": json.dumps(detail).encode()})
            else:
                headers = [header for header in message["headers"] if header[0] != b"content-length"]
                await send(message | {"headers": headers})

        await self.app(scope, receive, add_fields)


@pytest.fixture
def new_fields_api(emulated, monkeypatch):
    monkeypatch.setattr(emulated, "app", ApiWithNewFields(emulated.app))
    return emulated


def test_a_run_that_sees_nothing_new_passes(first):
    check = first.checks[CHECK]
    assert check.passed
    assert {name: value.value for name, value in check.metadata.items()} == {"n_new": 0}


def test_a_run_that_sees_unknown_fields_warns_by_path_and_is_green(run, copied, new_fields_api):
    new_fields_api.now += timedelta(minutes=40)
    ran = run(copied, days=(LAST, LAST), assets=LAKE)
    check = ran.checks[CHECK]
    assert (ran.failures, ran.result.success) == ([], True)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.asset_key == dg.AssetKey(["lake", "unknown_fields"])
    assert check.metadata["n_new"].value == 2
    fields = [record.data for record in check.metadata["new_fields"].records]
    assert [(field["path"], field["kind"]) for field in fields] == [
        ("brand_new", "key"),
        ("metadata.feedback.type", "word"),
    ]
    assert {field["example_id"] for field in fields} <= {
        document["conversation_id"] for document in new_fields_api.details()
    }
    log = "".join(serialize_value(entry) for entry in ran.instance.all_logs(ran.result.run_id))
    assert "brand_new" in log
    assert "what somebody said" not in log
    assert "stars" not in log

    new_fields_api.now += timedelta(hours=30)
    again = run(copied, days=(LAST, LAST + timedelta(days=1)), assets=LAKE)
    assert again.run_record["n_fetched"] > 0
    assert again.checks[CHECK].passed
