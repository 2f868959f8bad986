"""The lists of tools, agents, batches and tags, and the price calculator: requests, responses and errors."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from datetime import date
from functools import partial
from typing import Any

import httpx
import pytest

from pipelines.api.account_endpoints import (
    get_agent,
    get_agent_version,
    get_batch,
    get_bill,
    list_agents,
    list_batches,
    list_branches,
    list_tags,
    list_tools,
)
from pipelines.api.client import ApiClient
from pipelines.api.endpoints import calculate_llm_usage
from pipelines.errors import ApiError, CredentialsError, MalformedResponseError, NotFoundError, UsageError

Call = Callable[[ApiClient], Coroutine[Any, Any, Any]]


def ask(call: Call, *answers: Any, status: int = 200) -> tuple[Any, list[httpx.Request]]:
    """The result of a call for some responses, the last one repeated, and the requests that it sent."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        body = answers[min(len(requests), len(answers)) - 1]
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.Response(status, content=content, headers={"content-type": "application/json"})

    async def at_once(_secs: float) -> None:
        return None

    async def asking() -> Any:
        transport = httpx.MockTransport(answer)
        async with ApiClient("https://api.example.com", "k", transport=transport, sleep=at_once) as client:
            return await call(client)

    return asyncio.run(asking()), requests


LISTS = [
    (list_tools, ("tools", "id", "next_cursor", "cursor")),
    (list_agents, ("agents", "agent_id", "next_cursor", "cursor")),
    (list_batches, ("batch_calls", "id", "next_doc", "last_doc")),
    (list_tags, ("conversation_tags", "tag_id", "next_cursor", "cursor")),
]
LIST_NAMES = ["tools", "agents", "batches", "tags"]
NAMES = {"tools": "tool", "agents": "agent", "batch_calls": "batch", "results": "branch", "conversation_tags": "tag"}
"""How the name of an entry without an id begins, by the key of its list."""


@pytest.mark.parametrize(("call", "names"), LISTS, ids=LIST_NAMES)
@pytest.mark.parametrize("has_more", [{}, {"has_more": None}, {"has_more": True}])
def test_pages_are_followed_to_the_last_whatever_a_page_says_of_more(call, names, has_more):
    key, id_key, next_key, cursor_key = names
    first = {key: [{id_key: "a"}], next_key: "c1"} | has_more
    for end in ({next_key: None}, {next_key: ""}, {next_key: "c2", "has_more": False}, {}):
        listed, requests = ask(call, first, {key: [{id_key: "b"}]} | end)
        assert (list(listed.entries), listed.errors) == (["a", "b"], {})
        assert [request.url.params.get(cursor_key) for request in requests] == [None, "c1"]


BRANCHES = (partial(list_branches, agent_id="agent_1"), ("results", "id", "", ""))


@pytest.mark.parametrize(("call", "names"), [*LISTS, BRANCHES], ids=[*LIST_NAMES, "branches"])
@pytest.mark.parametrize(
    "entry",
    [
        None,
        "a",
        7,
        ["a"],
        {"name": "without an id"},
        {"id": 7, "agent_id": "", "tag_id": 7},
        {"id": "", "agent_id": "\ud800", "tag_id": ""},
    ],
)
def test_an_entry_that_cannot_be_used_is_named_and_costs_no_other(call, names, entry):
    key, id_key, *_ = names
    listed, _ = ask(call, {key: [{id_key: "a"}, entry, {id_key: "b"}]})
    assert list(listed.entries) == ["a", "b"]
    ((name, error),) = listed.errors.items()
    assert re.fullmatch(f"{NAMES[key]}_[0-9a-f]{{12}}", name)
    assert error == f"an entry of the list has no {id_key}"


def test_of_an_entry_that_repeats_the_last_counts():
    pages = [{"tools": [{"id": "a"}], "next_cursor": "c"}, {"tools": [{"id": "a", "x": 2}, {"id": "b"}]}]
    listing, requests = ask(list_tools, *pages)
    assert listing.entries == {"a": {"id": "a", "x": 2}, "b": {"id": "b"}}
    assert [str(request.url) for request in requests] == [
        f"https://api.example.com/v1/convai/tools?page_size=100{cursor}" for cursor in ("", "&cursor=c")
    ]


@pytest.mark.parametrize(("call", "names"), LISTS, ids=LIST_NAMES)
def test_a_page_that_hides_rows_is_malformed_and_one_that_repeats_is_an_error(call, names):
    key, id_key, next_key, _ = names
    for page in (
        {key: [], "has_more": True},
        {key: [], next_key: 7},
        {key: [], next_key: "c", "has_more": "yes"},
        {key: {id_key: "a"}},
        {},
        [],
        f'{{"{key}": ['.encode(),
        b"[" * 100_000,
    ):
        with pytest.raises(MalformedResponseError):
            ask(call, page)
    with pytest.raises(ApiError, match="the same cursor came twice"):
        ask(call, {key: [{id_key: "a"}], next_key: "c"})


def test_a_host_without_such_a_list_is_an_error_and_not_an_empty_list():
    with pytest.raises(ApiError, match="answered 404") as raised:
        ask(list_tools, {"detail": {"status": "not_found", "message": "no"}}, status=404)
    assert not isinstance(raised.value, NotFoundError)
    assert "ELEVENLABS_BASE_URL" in raised.value.hint


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_scope_says_which(status):
    refusal = {"detail": {"status": "missing_permissions", "message": "no"}}
    for call in (list_tools, lambda client: calculate_llm_usage(client, "agent_a")):
        with pytest.raises(CredentialsError, match="the key lacks a scope") as raised:
            ask(call, refusal, status=status)
        assert "convai_read" in raised.value.hint


def test_the_calculator_gets_only_the_parameters_that_are_given():
    body = {"llm_prices": [{"llm": "m", "price_per_minute": 0.1}]}
    raw, (bare,) = ask(lambda client: calculate_llm_usage(client, "agent_a"), body)
    _, (whole,) = ask(
        lambda client: calculate_llm_usage(client, "a/b", prompt_length=0, number_of_pages=2, rag_enabled=False), body
    )
    assert json.loads(raw) == body
    assert (bare.method, bare.url.path, json.loads(bare.content)) == (
        *("POST", "/v1/convai/agent/agent_a/llm-usage/calculate", {}),
    )
    assert whole.url.raw_path == b"/v1/convai/agent/a%2Fb/llm-usage/calculate"
    assert json.loads(whole.content) == {"prompt_length": 0, "number_of_pages": 2, "rag_enabled": False}


def test_an_agent_without_prices_has_an_empty_list_and_an_unknown_one_is_gone():
    raw, _ = ask(lambda client: calculate_llm_usage(client, "agent_a"), {"llm_prices": []})
    assert raw == b'{"llm_prices": []}'
    with pytest.raises(NotFoundError):
        ask(
            lambda client: calculate_llm_usage(client, "agent_a"),
            {"detail": {"status": "x", "message": "n"}},
            status=404,
        )


@pytest.mark.parametrize("body", [{"llm_prices": None}, {"llm_prices": {}}, {"prices": []}, []])
def test_a_body_without_prices_is_malformed(body):
    with pytest.raises(MalformedResponseError):
        ask(lambda client: calculate_llm_usage(client, "agent_a"), body)


@pytest.mark.parametrize("agent_id", ["", ".", ".."])
def test_an_id_that_a_path_would_drop_is_rejected_before_any_request(agent_id):
    with pytest.raises(UsageError, match="is not a valid agent id"):
        ask(lambda client: calculate_llm_usage(client, agent_id), {})


@pytest.mark.parametrize("basis", ["cost", "credits"])
def test_a_host_without_an_endpoint_for_the_bill_is_no_deletion(basis):
    with pytest.raises(ApiError, match="answered 404") as raised:
        ask(
            lambda client: get_bill(client, basis, date(2026, 11, 1), date(2026, 11, 2)),
            {"detail": {"status": "not_found", "message": "no"}},
            status=404,
        )
    assert (isinstance(raised.value, NotFoundError), "ELEVENLABS_BASE_URL" in raised.value.hint) == (False, True)


@pytest.mark.parametrize(
    ("call", "answer", "url"),
    [
        (list_agents, {"agents": []}, "agents?page_size=100"),
        (list_batches, {"batch_calls": []}, "batch-calling/workspace?limit=100"),
        (list_tags, {"conversation_tags": []}, "tags?page_size=100"),
        (BRANCHES[0], {"results": []}, "agents/agent_1/branches?include_archived=true&limit=100"),
        (partial(get_agent, agent_id="a"), {}, "agents/a"),
        (partial(get_agent, agent_id="a", version_id="v"), {}, "agents/a?version_id=v"),
        (partial(get_agent_version, agent_id="a", version_id="v/1"), {}, "agents/a/versions/v%2F1"),
        (partial(get_batch, batch_id="b"), {"recipients": []}, "batch-calling/b"),
    ],
)
def test_what_is_requested(call, answer, url):
    _, (request,) = ask(call, answer)
    assert (request.method, str(request.url)) == ("GET", f"https://api.example.com/v1/convai/{url}")


BILL = {"columns": ["timestamp", "credits"], "rows": [["2026-11-01", 1]]}


@pytest.mark.parametrize(
    ("basis", "path", "group_by"),
    [
        ("cost", "usage", ["product_type", "fiat_currency"]),
        ("credits", "query/usage-by-product-over-time", ["product_type"]),
    ],
)
def test_a_bill_is_requested_by_day_up_to_the_last_millisecond(basis, path, group_by):
    bill, (request,) = ask(lambda client: get_bill(client, basis, date(2026, 11, 1), date(2026, 11, 3)), BILL)
    assert bill == BILL
    assert (request.method, request.url.path) == ("POST", f"/v1/workspace/analytics/{path}")
    assert json.loads(request.content) == {
        "start_time": 1_793_491_200_000,
        "end_time": 1_793_663_999_999,
        "interval_seconds": 86_400,
        "group_by": group_by,
    }


@pytest.mark.parametrize(
    "bill", [{}, {"columns": ["a"]}, {"columns": ["a"], "rows": [["b", "c"]]}, {"columns": ["a", "b"], "rows": [["c"]]}]
)
def test_a_bill_that_is_no_table_is_malformed(bill):
    with pytest.raises(MalformedResponseError):
        ask(lambda client: get_bill(client, "credits", date(2026, 11, 1), date(2026, 11, 2)), bill)
