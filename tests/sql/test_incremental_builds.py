"""An incremental build leaves the same warehouse as a full refresh, whichever conversations changed."""

from __future__ import annotations

import hashlib
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.emulator.generator.world import World
from pipelines.transform.refresh_lake import refresh_lake
from warehouse.build.runner import BuildResult, build
from warehouse.models.project import read_project
from warehouse.storage import landing
from warehouse.storage.home import Home

pytestmark = pytest.mark.whole_build

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)
DOCUMENTS = list(World(seed=3, conversations=150, days=6, until=UNTIL).details(UNTIL))
NEW = 20
"""Conversations that are not landed before the first night."""
NIGHTS = 4
TABLES = [model for model in read_project().models if not model.is_view]
LOCAL = {model.key for model in TABLES if model.is_conversation_local}

Document = dict[str, Any]


def start_of(document: Document) -> int:
    return int(document["metadata"]["start_time_unix_secs"])


def unchanged(document: Document) -> Document:
    return document


def failed(document: Document) -> Document:
    return document | {"status": "failed"}


def cut(document: Document) -> Document:
    return document | {"transcript": document["transcript"][1:]}


def dearer(document: Document) -> Document:
    charging = (document["metadata"].get("charging") or {}) | {"llm_price": 7.25}
    return document | {"metadata": document["metadata"] | {"cost": 4321, "charging": charging}}


def of_another_caller(document: Document) -> Document:
    return document | {"user_id": "somebody else"}


def of_another_agent(document: Document) -> Document:
    return document | {"agent_id": DOCUMENTS[0]["agent_id"]}


def a_day_before(document: Document) -> Document:
    return document | {"metadata": document["metadata"] | {"start_time_unix_secs": start_of(document) - 86_400}}


CHANGES = [unchanged, failed, cut, dearer, of_another_caller, of_another_agent, a_day_before]


def land(home: Home, documents: list[Document], at: datetime) -> None:
    """Land the documents as they are at that time, and flatten them."""
    rows = []
    for document in documents:
        payload, start = json.dumps(document).encode(), datetime.fromtimestamp(start_of(document), UTC)
        key = {"conversation_id": document["conversation_id"], "start_date": start.date(), "start_time_at": start}
        sha = hashlib.sha256(payload).hexdigest()
        rows.append(key | {"status": document["status"], "kind": "document", "fetched_at": at, "payload": payload})
        rows[-1] |= {"content_sha256": sha}
    landing.land_documents(home, rows)
    assert refresh_lake(home, reread_days=(1, 7)).n_flattened == len(documents)


def rows_of(home: Home) -> dict[str, list[tuple[object, ...]]]:
    """The rows of every model, sorted; of floats, the digits that do not depend on the order of a sum."""

    def plain(value: object) -> str:
        return f"{value:.9g}" if isinstance(value, float) else repr(value)

    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        rows_by_model = {model.key: connection.table(model.key).fetchall() for model in TABLES}
    return {name: sorted(tuple(map(plain, row)) for row in rows) for name, rows in rows_by_model.items()}


def summary(result: BuildResult) -> list[tuple[object, ...]]:
    return [(model.key, model.n_rows, model.types) for model in result.models]


def incremental(result: BuildResult) -> set[str]:
    return {model.key for model in result.models if model.is_incremental} & LOCAL


def test_an_incremental_warehouse_is_the_same_as_a_full_refresh(tmp_path: Path) -> None:
    chance = random.Random(1)
    home = Home(tmp_path / "home").open()
    latest = {document["conversation_id"]: document for document in DOCUMENTS[NEW:]}
    not_landed = DOCUMENTS[:NEW]
    land(home, list(latest.values()), UNTIL)
    assert build(home).is_swapped
    incremental_models = set[str]()
    for night in range(1, NIGHTS + 1):
        changed = [chance.choice(CHANGES)(latest[id_]) for id_ in chance.sample(sorted(latest), chance.randint(3, 8))]
        changed += [not_landed.pop() for _ in range(chance.randint(0, 4))]
        land(home, changed, UNTIL + timedelta(days=night))
        latest |= {document["conversation_id"]: document for document in changed}

        result = build(home)
        assert result.failed == ()
        incremental_rows = rows_of(home)
        incremental_models |= incremental(result)

        refreshed = build(home, full_refresh=True)
        assert incremental(refreshed) == set()
        assert {name for name, rows in rows_of(home).items() if rows != incremental_rows[name]} == set()
        assert summary(refreshed) == summary(result)
    assert incremental_models == LOCAL

    land(home, [failed(document) for document in DOCUMENTS[: len(DOCUMENTS) // 2]], UNTIL + timedelta(days=99))
    assert incremental(build(home)) == set(), "if many conversations changed, everything is rebuilt"


def test_conversations_that_were_only_fetched_again_change_no_model_without_the_time(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").open()
    land(home, DOCUMENTS, UNTIL)
    build(home)
    land(home, DOCUMENTS[:5], UNTIL + timedelta(days=9))
    result = build(home)
    rebuilt = {model.key for model in result.models if not (model.is_reused or model.is_incremental)}
    assert rebuilt == {
        "intermediate.int_previous_calls",
        "intermediate.int_termination_groups",
        "marts.dim_dates",
        "metrics.batch_calls",
        "metrics.spend_forecast",
        "metrics.sync_health",
    }, "models that read staging.stg_conversations, and models that use all of its columns"
    assert incremental(result) == {
        "intermediate.int_conversation_costs",
        "intermediate.int_conversation_flags",
        "marts.fct_conversations",
    }
