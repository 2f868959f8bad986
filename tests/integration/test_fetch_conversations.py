"""What becomes of each kind of response, and when the fetching stops."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx
import polars as pl
import pytest

from pipelines.errors import ApiUnavailableError, CredentialsError
from pipelines.extract.fetch_conversations import fetch_conversations
from pipelines.extract.landing_pipeline import FetchStats, LandingPipeline
from pipelines.transform.worker_pool import WorkerPool
from tests.helpers.fake_api import client, vendor_error
from warehouse.storage import landing
from warehouse.storage.home import Home

START = datetime(2026, 11, 20, tzinfo=UTC)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
HTML = httpx.Response(200, html="<h1>nginx</h1>")
BUSY = httpx.Response(503)


class Api:
    """Answers each conversation with its own response; by default with a document."""

    def __init__(self, **responses):
        self.responses, self.requests = responses, []

    def __call__(self, request):
        name = request.url.path.rsplit("/", 1)[1]
        self.requests.append(name)
        if response := self.responses.get(name):
            return httpx.Response(response.status_code, headers=response.headers, content=response.content)
        return httpx.Response(200, json={"conversation_id": name, "metadata": {"start_time_unix_secs": 1}})


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").open()


def plan(names):
    row = {"start_time_at": START, "agent_id": "agent_1", "fingerprint": "f", "content_sha256": None, "reason": "new"}
    return pl.DataFrame(
        [{"conversation_id": name} | row for name in names], schema_overrides={"content_sha256": pl.Utf8}
    )


def fetch(home, api, names, n_workers=1):
    """The counts, and the number of fetched conversations at each report; fails as the fetching does."""
    stats, reports = FetchStats(), []

    async def work():
        pipeline = LandingPipeline(home, stats, worker_pool=WorkerPool(0), monotonic=lambda: 0.0)
        async with client(api) as connected:
            await fetch_conversations(
                connected,
                plan(names),
                pipeline,
                n_workers=n_workers,
                clock=lambda: NOW,
                on_fetched=lambda stats: reports.append(stats.n_fetched),
            )

    asyncio.run(work())
    return stats, reports


def landed(home):
    return dict(landing.snapshots(home).select("conversation_id", "kind").rows())


def test_a_document_and_a_404_are_landed_a_malformed_one_is_quarantined_an_outage_is_named(home):
    api = Api(b=vendor_error(404, "not_found"), c=HTML, d=BUSY)
    stats, reports = fetch(home, api, "abcde")
    assert landed(home) == {"a": "document", "b": "gone", "e": "document"}
    assert landing.quarantined(home)["conversation_id"].to_list() == ["c"]
    assert sorted(stats.failed) == ["c", "d"]
    assert "instead of JSON" in stats.failed["c"]
    assert "answered 503" in stats.failed["d"]
    assert (stats.n_fetched, stats.n_landed, stats.n_gone, reports) == (3, 2, 1, [1, 2, 3])


def test_five_outages_in_a_row_end_the_fetching_and_all_before_is_landed(home):
    api = Api(**dict.fromkeys("cdefghij", BUSY))
    with pytest.raises(ApiUnavailableError):
        fetch(home, api, "abcdefghij")
    assert landed(home) == {"a": "document", "b": "document"}
    assert set(api.requests) == set("abcdefg")


def test_four_outages_in_a_row_do_not(home):
    api = Api(**dict.fromkeys("bcdeghij", BUSY))
    stats, _ = fetch(home, api, "abcdefghij")
    assert landed(home) == {"a": "document", "f": "document"}
    assert sorted(stats.failed) == list("bcdeghij")


def test_a_rejected_key_ends_the_fetching_and_all_before_is_landed(home):
    api = Api(c=vendor_error(401, "invalid_api_key"))
    with pytest.raises(CredentialsError):
        fetch(home, api, "abcde")
    assert (landed(home), api.requests) == ({"a": "document", "b": "document"}, ["a", "b", "c"])


def test_failed_conversations_give_their_slots_back(home):
    names = [f"conv_{number}" for number in range(100)]
    api = Api(**dict.fromkeys(names[:90], HTML))
    stats, _ = fetch(home, api, names, n_workers=4)
    assert (len(stats.failed), stats.n_landed) == (90, 10)
