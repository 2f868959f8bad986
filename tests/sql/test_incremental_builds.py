"""An incremental build leaves the same warehouse as a full refresh, whichever conversations changed."""

from __future__ import annotations

import hashlib
import json
import random
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import duckdb
import polars as pl
import pytest
from polars import selectors

from pipelines.emulator.generator.world import World
from pipelines.transform.refresh_lake import refresh_lake
from tests.helpers.kept_home import KeptHome
from warehouse.build.runner import BuildResult, build
from warehouse.models.project import Model, read_project
from warehouse.storage import landing
from warehouse.storage.home import Home

pytestmark = pytest.mark.whole_build

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)
NEW = 20
"""Conversations that are not landed before the first night."""
NIGHTS = 3
CHANGED_DAYS = 3
"""Days of which conversations change in a night."""
ZONES = {"main": "Pacific/Auckland"}

Document = dict[str, Any]


@cache
def documents() -> list[Document]:
    return list(World(seed=3, conversations=260, days=26, until=UNTIL).details(UNTIL))


@cache
def tables() -> list[Model]:
    return [model for model in read_project().models if not model.is_view]


@cache
def incremental_keys() -> set[str]:
    return {model.key for model in tables() if model.header.incremental_by}


def start_of(document: Document) -> datetime:
    return datetime.fromtimestamp(document["metadata"]["start_time_unix_secs"], UTC)


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
    # with its name, as another name would change the rows of that agent on every day
    return document | {name: documents()[0].get(name) for name in ("agent_id", "agent_name")}


def ended_otherwise(document: Document) -> Document:
    return document | {"metadata": document["metadata"] | {"termination_reason": f"Reason of {start_of(document)}"}}


def moved(document: Document, back: timedelta) -> Document:
    start = int((start_of(document) - back).timestamp())
    return document | {"metadata": document["metadata"] | {"start_time_unix_secs": start}}


def a_day_before(document: Document) -> Document:
    return moved(document, timedelta(days=1))


CHANGES = [unchanged, failed, cut, dearer, of_another_caller, of_another_agent, ended_otherwise, a_day_before]


def land(home: Home, documents: list[Document], at: datetime) -> None:
    """Land the documents as they are at that time, and flatten them."""
    rows, landed = [], dict(landing.latest_snapshots(home).select("conversation_id", "shown_sha256").iter_rows())
    for document in documents:
        payload, start = json.dumps(document).encode(), start_of(document)
        key = {"conversation_id": document["conversation_id"], "start_date": start.date(), "start_time_at": start}
        sha = hashlib.sha256(payload).hexdigest()
        rows.append(key | {"status": document["status"], "kind": "document", "fetched_at": at, "payload": payload})
        rows[-1] |= {"content_sha256": sha}
        if landed.get(document["conversation_id"]) == sha:
            rows[-1] |= {"kind": "unchanged", "payload": None}
    landing.land_documents(home, rows)
    assert refresh_lake(home, reread_days=(1, 7)).n_flattened == len(documents)


def rows_of(home: Home) -> dict[str, pl.DataFrame]:
    """The rows of every model by its grain; of floats, the digits that do not depend on the order of a sum."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return {
            model.key: connection.table(model.key)
            .order(", ".join(model.header.grain))
            .pl()
            .with_columns(selectors.float().round_sig_figs(9))
            for model in tables()
        }


def summary(result: BuildResult) -> list[tuple[object, ...]]:
    return [(model.key, model.n_rows, model.types) for model in result.models]


def incremental(result: BuildResult) -> set[str]:
    return {model.key for model in result.models if model.is_incremental} & incremental_keys()


def rebuilt(result: BuildResult) -> set[str]:
    """Tables that were not reused."""
    return {model.key for model in result.models if not model.is_reused} - {
        model.key for model in read_project().models if model.is_view
    }


def build_like_a_full_refresh(home: Home) -> BuildResult:
    """An incremental build, after which a full refresh finds no other row, type or count."""
    result = build(home, zones=ZONES)
    assert result.failed == ()
    incremental_rows = rows_of(home)
    refreshed = build(home, zones=ZONES, full_refresh=True)
    assert incremental(refreshed) == set()
    assert {name for name, rows in rows_of(home).items() if not rows.equals(incremental_rows[name])} == set()
    assert summary(refreshed) == summary(result)
    return result


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory: pytest.TempPathFactory) -> KeptHome:
    return KeptHome(tmp_path_factory.mktemp("incremental") / "home")


@pytest.fixture
def home(kept_home: KeptHome) -> Home:
    """A built home without the newest conversations."""

    def make() -> None:
        land(Home(kept_home.root).open(), documents()[NEW:], UNTIL)
        assert build(Home(kept_home.root), zones=ZONES).is_swapped

    kept_home.put(make)
    return Home(kept_home.root)


def test_an_incremental_warehouse_is_the_same_as_a_full_refresh(home: Home) -> None:
    chance = random.Random(7)
    latest = {document["conversation_id"]: document for document in documents()[NEW:]}
    not_landed = documents()[:NEW]
    incremental_models = set[str]()
    for night in range(1, NIGHTS + 1):
        days = chance.sample(sorted({start_of(document).date() for document in latest.values()}), CHANGED_DAYS)
        candidates = [document for document in latest.values() if start_of(document).date() in days]
        chosen = chance.sample(candidates, len(CHANGES))
        changed = [change(document) for change, document in zip(CHANGES, chosen, strict=True)]
        changed += [not_landed.pop() for _ in range(chance.randint(0, 2))]
        land(home, changed, UNTIL + timedelta(days=night))
        latest |= {document["conversation_id"]: document for document in changed}
        incremental_models |= incremental(build_like_a_full_refresh(home))
    assert incremental_models == incremental_keys()

    one_of_each_day = {start_of(document).date(): document for document in documents()[NEW:]}
    land(home, list(map(failed, one_of_each_day.values())), UNTIL + timedelta(days=99))
    assert incremental(build(home, zones=ZONES)) == set(), "if most days changed, everything is rebuilt"


def test_a_conversation_that_moves_to_another_day_leaves_the_former_one(home: Home) -> None:
    document = documents()[NEW]
    day = start_of(document).date() - timedelta(days=9)
    land(home, [moved(document, timedelta(days=9))], UNTIL + timedelta(days=1))
    assert "marts.fct_turns" in incremental(build_like_a_full_refresh(home))
    id_ = document["conversation_id"]
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        days = {
            key: set(connection.table(key).filter(f"conversation_id = '{id_}'").project("start_date").fetchall())
            for key in ("marts.fct_conversations", "marts.fct_turns")
        }
    assert days == {"marts.fct_conversations": {(day,)}, "marts.fct_turns": {(day,)}}


def test_conversations_that_were_only_fetched_again_change_no_model_without_the_time(home: Home) -> None:
    land(home, documents()[NEW : NEW + 5], UNTIL + timedelta(days=9))
    result = build(home, zones=ZONES)
    assert rebuilt(result) == {"metrics.sync_health"}
    assert {check.check.model for check in result.checks if not check.is_reused} == {"lake.conversation_checks"}


def test_what_comes_out_the_same_is_not_stale_for_what_reads_it(home: Home) -> None:
    title = documents()[NEW] | {"analysis": (documents()[NEW]["analysis"] or {}) | {"call_summary_title": "Another"}}
    land(home, [title], UNTIL + timedelta(days=1))
    result = build_like_a_full_refresh(home)
    assert "marts.fct_conversations" in incremental(result)
    assert rebuilt(result).isdisjoint({"marts.fct_turns", "metrics.cost_daily", "metrics.anomalies"})
