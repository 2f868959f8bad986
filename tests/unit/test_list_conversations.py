"""A window with many conversations is listed by several cursors: all of them, once each, or nothing."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import MAX_PAGES_WITHOUT_NEWS
from pipelines.errors import ApiError, CursorRefusedError
from pipelines.extract.landing_rows import list_row
from pipelines.extract.list_conversations import MAX_PARTS, MAX_RESTARTS, SECOND_PAGE_SIZE, list_rows
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
    cursor, ``refused_cursor`` one of them, by its number from 1.
    """

    def __init__(
        self, n_conversations=N_CONVERSATIONS, answers=None, *, n_new=0, is_refusing=False, refused_cursor=None
    ):
        self.is_refusing, self.refused_cursor, self.n_cursors = is_refusing, refused_cursor, 0
        step = (UNTIL - SINCE) / n_conversations
        self.starts = [int((UNTIL - step * number).timestamp()) - 1 for number in range(n_conversations)]
        self.answers, self.n_new, self.queries = answers or {}, n_new, []
        self.deleted: set[int] = set()

    def __call__(self, request):
        query = dict(request.url.params)
        self.queries.append(query)
        if (number := len(self.queries) - 1) in self.answers:
            return self.answers[number]
        self.n_cursors += "cursor" in query
        if "cursor" in query and (self.is_refusing or self.n_cursors == self.refused_cursor):
            return REFUSED
        for _ in range(self.n_new):  # they end up on the first page, and move every row to a later one
            self.starts.insert(0, int(UNTIL.timestamp()) - 1)
        return httpx.Response(200, content=json.dumps(self.page(query)))

    def page(self, query):
        first, last = int(query.get("call_start_after_unix", 0)), int(query.get("call_start_before_unix", 2**40))
        ids = [len(self.starts) - 1 - place for place in range(len(self.starts))]
        rows = [
            (name, start)
            for name, start in zip(ids, self.starts, strict=True)
            if first < start < last and name not in self.deleted
        ]
        begin, size = int(query.get("cursor", "0-0").split("-")[1]), int(query["page_size"])
        cursor = f"{first}-{begin + size}" if begin + size < len(rows) else None
        page = rows[begin : begin + size]
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


def listed(api, since=SINCE):
    result = list_all(api, since)
    assert result.malformed.is_empty()
    return result.rows["conversation_id"].to_list()


def list_all(api, since, *, listed_at=UNTIL, until=UNTIL, is_open=False):
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
    return asyncio.run(list_rows(client, Window(since, until, is_open=is_open), listed_at, lambda _n: None))


def all_ids(api):
    return {f"conv_{number}" for number in range(len(api.starts))}


def test_a_dense_window_is_listed_by_several_cursors_and_every_id_is_seen_once():
    api = ListApi()
    ids = listed(api)
    assert len(ids) == N_CONVERSATIONS
    assert set(ids) == all_ids(api)
    assert len({window for window in api.windows if int(window[1]) - int(window[0]) > PAGE}) == MAX_PARTS
    once, again = (N_CONVERSATIONS / size + MAX_PARTS for size in (PAGE, SECOND_PAGE_SIZE))
    assert len(api.queries) <= 1 + once + again + MAX_PARTS


@pytest.mark.parametrize("n_conversations", [0, 1, PAGE, PAGE + 1, 5 * PAGE])
def test_a_window_of_few_pages_is_listed_by_the_cursor_of_its_first(n_conversations):
    """And, where there are several, in pages of another size; the last request is for what may be older."""
    api = ListApi(n_conversations) if n_conversations else ListApi(1)
    if not n_conversations:
        api.starts = []
    assert sorted(listed(api)) == sorted(all_ids(api))
    once, again = (-(-n_conversations // size) for size in (PAGE, SECOND_PAGE_SIZE))
    assert len(api.queries) == max(1, once) + (again if once > 1 else 0) + (n_conversations > 0)


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


@pytest.mark.parametrize("number", [1, 5, 30])
def test_a_part_whose_cursor_is_refused_is_listed_again_and_no_other(number):
    api = ListApi(refused_cursor=number)
    ids = listed(api)
    assert (len(ids), set(ids)) == (N_CONVERSATIONS, all_ids(api))
    n_repeated = len(api.queries) - len({json.dumps(query, sort_keys=True) for query in api.queries})
    assert 0 < n_repeated <= N_CONVERSATIONS / SECOND_PAGE_SIZE / MAX_PARTS + 1


def test_a_cursor_that_is_refused_every_time_ends_the_listing_without_rows():
    api = ListApi(is_refusing=True)
    with pytest.raises(CursorRefusedError):
        listed(api)
    two_lists = 2 * MAX_PARTS
    assert len(api.queries) <= 1 + two_lists * 2 * (MAX_RESTARTS + 1)


@pytest.mark.parametrize("number", [0, 3, MAX_PARTS + 2])
def test_a_part_that_fails_ends_the_listing_without_rows(number):
    with pytest.raises(ApiError):
        listed(ListApi(answers={number: DOWN}))


@pytest.mark.parametrize("number", [0, 2, 9, 20])
def test_a_request_that_is_repeated_after_an_error_loses_no_row(number):
    api = ListApi(answers={number: httpx.Response(503)})
    ids = listed(api)
    assert (len(ids), set(ids)) == (N_CONVERSATIONS, all_ids(api))


class CutShort(ListApi):
    """An API that lists at most two pages, and then says that there is nothing more, beside a cursor."""

    def page(self, query):
        page = super().page(query)
        if int(query.get("cursor", "0-0").split("-")[1]) >= PAGE:
            page["has_more"] = False
        return page


@pytest.mark.parametrize("since", [SINCE, None])
def test_a_list_that_ends_too_early_is_continued_at_its_oldest_conversation(since):
    api = CutShort(7 * PAGE + 20)
    result = list_all(api, since)
    assert set(result.rows["conversation_id"]) == all_ids(api)
    assert result.skipped_ids
    assert result.skipped_ids < all_ids(api)


class Deleting(ListApi):
    """An API that counts rows: a conversation of a page already sent is deleted before each of the first requests."""

    def page(self, query):
        if len(self.queries) <= 8:
            self.deleted.add(len(self.starts) - len(self.queries))
        return super().page(query)


def test_conversations_that_move_up_when_others_are_deleted_are_not_skipped():
    api = Deleting(7 * PAGE)
    result = list_all(api, None)
    assert all_ids(api) - {f"conv_{name}" for name in api.deleted} <= set(result.rows["conversation_id"])
    assert result.skipped_ids


class Endless(ListApi):
    """An API whose last page has a new cursor each time."""

    def page(self, query):
        page = super().page(query)
        return {**page, "next_cursor": page["next_cursor"] or f"0-{len(self.queries)}00000", "has_more": True}


def test_a_list_whose_new_cursors_bring_nothing_new_is_an_error():
    api = Endless(2 * PAGE)
    with pytest.raises(ApiError, match="does not end"):
        listed(api)
    assert len(api.queries) <= 1 + 2 * (2 + MAX_PAGES_WITHOUT_NEWS)


@pytest.mark.parametrize("n_conversations", [5, 40 * PAGE])
def test_an_open_window_is_listed_to_its_newest_conversation_by_whatever_clock(n_conversations):
    """Our clock is half a day behind that of the API."""
    api = ListApi(n_conversations)
    behind = timedelta(hours=12)
    result = list_all(api, SINCE, listed_at=UNTIL - behind, until=UNTIL - behind, is_open=True)
    assert set(result.rows["conversation_id"]) == all_ids(api)
    assert (result.malformed.height, result.rows.height) == (0, n_conversations)


class WithOddRows(ListApi):
    """A list whose first row started with the end of the window, and whose second one no table can hold."""

    def page(self, query):
        page = super().page(query)
        if "cursor" not in query and len(page["conversations"]) > 1:
            page["conversations"][0] |= {
                "conversation_id": "at_the_edge",
                "start_time_unix_secs": int(UNTIL.timestamp()),
            }
            page["conversations"][1] |= {"conversation_id": "odd"}
        return page


def test_what_is_outside_of_the_window_or_quarantined_was_not_skipped(monkeypatch):
    def fail(row, *rest):
        if row.conversation_id == "odd":
            raise RecursionError
        return list_row(row, *rest)

    monkeypatch.setattr("pipelines.extract.list_conversations.list_row", fail)
    api = WithOddRows(3 * PAGE)
    result = list_all(api, SINCE, listed_at=UNTIL + timedelta(days=1))
    assert {query["page_size"] for query in api.queries} == {str(PAGE), str(SECOND_PAGE_SIZE)}
    assert set(result.rows["conversation_id"]) == all_ids(api) - {f"conv_{3 * PAGE - 1}", f"conv_{3 * PAGE - 2}"}
    assert result.malformed["conversation_id"].to_list() == ["odd"]
    assert result.skipped_ids == frozenset()
