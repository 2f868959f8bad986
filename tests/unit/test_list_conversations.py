"""A window with many conversations is listed by several cursors: all of them, once each, or nothing."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from pipelines.api.client import ApiClient
from pipelines.errors import ApiError, CursorRefusedError
from pipelines.extract.list_conversations import MAX_PARTS, MAX_RESTARTS, list_rows
from pipelines.extract.time_window import Window

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=4)
PAGE = 100
N_CONVERSATIONS = 40 * PAGE
REFUSED = httpx.Response(400, json={"detail": {"status": "invalid_cursor", "message": "no"}})
DOWN = httpx.Response(403, json={"detail": {"status": "missing_permissions", "message": "no"}})


class ListApi:
    """The list of conversations, newest first; ``n_new`` conversations start with each request.

    ``answers`` has, by number of the request from 0, a response in place of the page. ``is_refusing`` refuses every
    cursor.
    """

    def __init__(self, n_conversations=N_CONVERSATIONS, answers=None, *, n_new=0, is_refusing=False):
        self.is_refusing = is_refusing
        step = (UNTIL - SINCE) / n_conversations
        self.starts = [int((UNTIL - step * number).timestamp()) - 1 for number in range(n_conversations)]
        self.answers, self.n_new, self.queries = answers or {}, n_new, []

    def __call__(self, request):
        query = dict(request.url.params)
        self.queries.append(query)
        if (number := len(self.queries) - 1) in self.answers:
            return self.answers[number]
        if self.is_refusing and "cursor" in query:
            return REFUSED
        for _ in range(self.n_new):  # they end up on the first page, and move every row to a later one
            self.starts.insert(0, int(UNTIL.timestamp()) - 1)
        return httpx.Response(200, content=json.dumps(self.page(query)))

    def page(self, query):
        first, last = int(query["call_start_after_unix"]), int(query["call_start_before_unix"])
        ids = [len(self.starts) - 1 - place for place in range(len(self.starts))]
        rows = [(name, start) for name, start in zip(ids, self.starts, strict=True) if first < start < last]
        begin = int(query.get("cursor", "0-0").split("-")[1])
        cursor = f"{first}-{begin + PAGE}" if begin + PAGE < len(rows) else None
        page = rows[begin : begin + PAGE]
        return {
            "conversations": [
                {"conversation_id": f"conv_{name}", "start_time_unix_secs": start, "agent_id": "a", "status": "done"}
                for name, start in page
            ],
            "next_cursor": cursor,
            "has_more": cursor is not None,
        }

    @property
    def windows(self):
        """The windows requested after the first page."""
        return {(query["call_start_after_unix"], query["call_start_before_unix"]) for query in self.queries[1:]}


def listed(api):
    client = ApiClient(
        "https://api.example",
        "sk_0123456789abcdef",
        transport=httpx.MockTransport(api),
        sleep=lambda _secs: asyncio.sleep(0),
        random=lambda: 1.0,
        clock=lambda: UNTIL,
        monotonic=lambda: 0.0,
        concurrency=8,
    )
    listed = asyncio.run(list_rows(client, Window(SINCE, UNTIL), UNTIL, lambda _n: None))
    assert listed.malformed.is_empty()
    return listed.rows["conversation_id"].to_list()


def all_ids(api):
    return {f"conv_{number}" for number in range(len(api.starts))}


def test_a_dense_window_is_listed_by_several_cursors_and_every_id_is_seen_once():
    api = ListApi()
    ids = listed(api)
    assert len(ids) == N_CONVERSATIONS
    assert set(ids) == all_ids(api)
    assert len(api.windows) == MAX_PARTS
    assert len(api.queries) <= N_CONVERSATIONS / PAGE + 1 + MAX_PARTS


@pytest.mark.parametrize("n_conversations", [0, 1, PAGE, PAGE + 1, 5 * PAGE])
def test_a_window_of_few_pages_is_listed_by_the_cursor_of_its_first(n_conversations):
    api = ListApi(n_conversations) if n_conversations else ListApi(1)
    if not n_conversations:
        api.starts = []
    assert sorted(listed(api)) == sorted(all_ids(api))
    assert len(api.queries) == max(1, -(-n_conversations // PAGE))


def test_pages_in_another_order_are_listed_completely():
    """The order is only a promise: without it, the first page looks like the whole window."""
    api = ListApi(20 * PAGE)
    api.starts = api.starts[::7] + [start for place, start in enumerate(api.starts) if place % 7]
    ids = listed(api)
    assert len(ids) == len(set(ids))
    assert set(ids) == all_ids(api)


def test_conversations_that_start_during_the_listing_hide_no_other():
    api = ListApi(n_new=3)
    before = all_ids(api)
    ids = listed(api)
    assert len(ids) == len(set(ids))
    assert before <= set(ids)


@pytest.mark.parametrize("number", [MAX_PARTS + 1, MAX_PARTS + 5])
def test_a_part_whose_cursor_is_refused_is_listed_again_and_no_other(number):
    api = ListApi(answers={number: REFUSED})
    ids = listed(api)
    assert (len(ids), set(ids)) == (N_CONVERSATIONS, all_ids(api))
    n_repeated = len(api.queries) - len({json.dumps(query, sort_keys=True) for query in api.queries})
    assert 0 < n_repeated <= N_CONVERSATIONS / PAGE / MAX_PARTS


def test_a_cursor_that_is_refused_every_time_ends_the_listing_without_rows():
    api = ListApi(is_refusing=True)
    with pytest.raises(CursorRefusedError):
        listed(api)
    assert len(api.queries) <= 1 + MAX_PARTS * 2 * (MAX_RESTARTS + 1)


@pytest.mark.parametrize("number", [0, 3, MAX_PARTS + 2])
def test_a_part_that_fails_ends_the_listing_without_rows(number):
    with pytest.raises(ApiError):
        listed(ListApi(answers={number: DOWN}))


@pytest.mark.parametrize("number", [0, 2, 9, 20])
def test_a_request_that_is_repeated_after_an_error_loses_no_row(number):
    api = ListApi(answers={number: httpx.Response(503)})
    ids = listed(api)
    assert (len(ids), set(ids)) == (N_CONVERSATIONS, all_ids(api))
