"""Paging through the list: the requests, and when it ends."""

from collections.abc import AsyncIterator, Iterable

import httpx
import pytest

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import ListQuery, iterate_list
from pipelines.errors import ApiError
from tests.helpers.fake_api import LAST_PAGE, Server, ask, client, first_page


async def whole_list(api: ApiClient) -> list[str | None]:
    return [page.next_cursor async for page in iterate_list(api, ListQuery())]


def test_every_filter_goes_with_every_page() -> None:
    query = ListQuery(
        call_start_after_unix=1000,
        call_start_before_unix=2000,
        agent_id="agent_1",
        search="a & b",
    )
    server = Server(
        httpx.Response(200, json={"conversations": [], "next_cursor": "a+b/c==", "has_more": True}),
        httpx.Response(200, json=LAST_PAGE),
    )

    async def pages(api: ApiClient) -> list[str | None]:
        return [page.next_cursor async for page in iterate_list(api, query)]

    assert ask(client(server), pages) == ["a+b/c==", None]

    filters = {
        "page_size": "100",
        "call_start_after_unix": "1000",
        "call_start_before_unix": "2000",
        "agent_id": "agent_1",
        "search": "a & b",
    }
    assert [dict(request.url.params) for request in server.requests] == [filters, {**filters, "cursor": "a+b/c=="}]


def test_a_filter_that_is_not_given_is_not_sent() -> None:
    server = Server(httpx.Response(200, json=LAST_PAGE))

    ask(client(server), first_page)

    assert server.requests[0].url.query == b"page_size=100"


def test_a_list_whose_cursor_repeats_is_an_error() -> None:
    def answers() -> Iterable[httpx.Response]:
        for cursor in ("a", "b", "a"):
            yield httpx.Response(200, json={"conversations": [], "next_cursor": cursor, "has_more": True})

    server = Server(*answers())

    with pytest.raises(ApiError, match="loops"):
        ask(client(server), whole_list)

    assert len(server.requests) == 3


def test_a_list_that_returns_to_the_cursor_from_which_it_was_continued_is_an_error() -> None:
    server = Server(httpx.Response(200, json={"conversations": [], "next_cursor": "a", "has_more": True}))

    async def continued(api: ApiClient) -> list[str | None]:
        return [page.next_cursor async for page in iterate_list(api, ListQuery(), "a")]

    with pytest.raises(ApiError, match=r"^The list loops: the same cursor came twice in 2 pages\."):
        ask(client(server), continued)

    assert [request.url.params["cursor"] for request in server.requests] == ["a"]


@pytest.mark.parametrize("pages_of_one", [1, 2, 3])
def test_a_list_ends_when_pages_in_a_row_have_nothing_new(pages_of_one: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.api.endpoints.MAX_PAGES_WITHOUT_NEWS", 2)

    def page(number: int) -> httpx.Response:
        conversation_id = f"conv_{number // pages_of_one}"
        row = {"conversation_id": conversation_id, "start_time_unix_secs": 1, "agent_id": "a", "status": "done"}
        cursor = str(number) if number < 5 else None
        return httpx.Response(200, json={"conversations": [row], "next_cursor": cursor, "has_more": cursor is not None})

    server = Server(*map(page, range(6)))
    if pages_of_one < 3:
        assert ask(client(server), whole_list) == ["0", "1", "2", "3", "4", None]
    else:
        with pytest.raises(ApiError, match=r"^The list does not end: 2 pages in a row have nothing new\."):
            ask(client(server), whole_list)


def test_a_list_can_be_left_before_its_end() -> None:
    server = Server(httpx.Response(200, json={"conversations": [], "next_cursor": "a", "has_more": True}))

    async def one(api: ApiClient) -> None:
        pages: AsyncIterator[object] = iterate_list(api, ListQuery())
        await anext(pages)

    ask(client(server), one)

    assert len(server.requests) == 1
