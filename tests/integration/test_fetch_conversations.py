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
from warehouse.storage import landing, quarantine
from warehouse.storage.home import Home

START = datetime(2026, 11, 20, tzinfo=UTC)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
HTML = httpx.Response(200, html="<h1>nginx</h1>")
BUSY = httpx.Response(503)


class Api:
    """Answers each conversation with its own response; by default with a document.

    From the first request for ``breaks_at`` on, every request gets the ``outage``.
    """

    def __init__(self, breaks_at=None, outage=None, **responses):
        self.responses, self.requests = responses, []
        self.breaks_at, self.outage = breaks_at, outage

    def __call__(self, request):
        name = request.url.path.rsplit("/", 1)[1]
        self.requests.append(name)
        if self.breaks_at in self.requests:
            return httpx.Response(self.outage.status_code, headers=self.outage.headers, content=self.outage.content)
        if response := self.responses.get(name):
            return httpx.Response(response.status_code, headers=response.headers, content=response.content)
        return httpx.Response(200, json={"conversation_id": name, "metadata": {"start_time_unix_secs": 1}})


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").open()


def plan(names):
    row = {"start_time_at": START, "agent_id": "agent_1", "fingerprint": "f", "content_sha256": None, "reason": "new"}
    return pl.DataFrame(
        [{"conversation_id": name, "is_listed_again": False} | row for name in names],
        schema_overrides={"content_sha256": pl.Utf8},
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


def test_a_document_and_a_404_are_landed_and_conversations_without_either_are_quarantined(home):
    api = Api(b=vendor_error(404, "not_found"), c=HTML, d=BUSY)
    stats, reports = fetch(home, api, "abcde")
    assert landed(home) == {"a": "document", "b": "gone", "e": "document"}
    reasons = quarantine.current(home).select("conversation_id", "reason").rows()
    assert reasons == [("c", "unreadable"), ("d", "unfetchable")]
    assert sorted(stats.failed) == ["c", "d"]
    assert "instead of JSON" in stats.failed["c"]
    assert "answered 503" in stats.failed["d"]
    assert (stats.n_fetched, stats.n_landed, stats.n_gone, reports) == (3, 2, 1, [1, 2, 3])


def test_five_outages_in_a_row_end_the_fetching_and_all_before_is_landed(home):
    api = Api("c", BUSY)
    with pytest.raises(ApiUnavailableError):
        fetch(home, api, "abcdefghij")
    assert landed(home) == {"a": "document", "b": "document"}
    assert set(api.requests) == set("abcdefg")
    assert api.requests[-1] == "b"  # the probe: it was answered before


def test_an_outage_before_the_first_response_asks_some_others_of_the_plan_and_then_ends(home):
    names = [f"conv_{number:02}" for number in range(50)]
    api = Api(names[0], BUSY)
    with pytest.raises(ApiUnavailableError):
        fetch(home, api, names)
    assert set(api.requests) == {*names[:5], *names[9::10]}


def test_failures_in_a_row_are_no_outage_while_another_conversation_is_answered(home):
    api = Api(**dict.fromkeys("abcdefghijklmopqrstuvwxyz", BUSY) | {"y": None})
    stats, _ = fetch(home, api, "abcdefghijklmnopqrstuvwxyz"[:-1])
    assert landed(home) == {"n": "document", "y": "document"}
    assert sorted(stats.failed) == sorted("abcdefghijklmopqrstuvwx")


def test_four_outages_in_a_row_do_not(home):
    api = Api(**dict.fromkeys("bcdeghij", BUSY))
    stats, _ = fetch(home, api, "abcdefghij")
    assert landed(home) == {"a": "document", "f": "document"}
    assert sorted(stats.failed) == list("bcdeghij")


def test_a_rejected_key_ends_the_fetching_and_all_before_is_landed(home):
    api = Api("c", vendor_error(401, "invalid_api_key"))
    with pytest.raises(CredentialsError):
        fetch(home, api, "abcde")
    assert (landed(home), api.requests) == ({"a": "document", "b": "document"}, ["a", "b", "c", "b"])


@pytest.mark.parametrize(
    "refusal",
    [
        vendor_error(401, "invalid_api_key"),
        vendor_error(403, "missing_permissions"),
        vendor_error(422, "invalid"),
        httpx.Response(302, headers={"location": "https://login.example/"}),
        httpx.Response(404),
    ],
    ids=lambda refusal: str(refusal.status_code),
)
def test_a_conversation_that_is_refused_is_quarantined_and_the_others_are_landed(refusal, home):
    stats, _ = fetch(home, Api(a=refusal, c=refusal), "abcde")
    assert landed(home) == {"b": "document", "d": "document", "e": "document"}
    assert sorted(stats.failed) == ["a", "c"]
    assert all("answered" in error for error in stats.failed.values())


def test_failed_conversations_give_their_slots_back(home):
    names = [f"conv_{number}" for number in range(100)]
    api = Api(**dict.fromkeys(names[:90], HTML))
    stats, _ = fetch(home, api, names, n_workers=4)
    assert (len(stats.failed), stats.n_landed) == (90, 10)
