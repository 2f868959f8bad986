"""Tools and prices from the emulator: what is copied, their history, and the warning after an API error."""

from __future__ import annotations

import asyncio
import copy
import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.api.client import ApiClient
from pipelines.emulator.data.agents import AGENTS
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.emulator.server.tools_endpoint import listed_tools
from pipelines.errors import ApiUnavailableError, CredentialsError
from pipelines.settings import Settings
from pipelines.transform.flatten import PARSER_VERSION
from pipelines.transform.refresh_lake import refresh_lake
from pipelines.transform.tools import refresh_tools
from pipelines.usecases import reference_data
from pipelines.usecases.context import Context
from pipelines.usecases.reference_data import (
    ToolsResult,
    ToolsSync,
    fetch_and_land_prices,
    fetch_and_land_tools,
    sync_prices,
)
from tests.helpers.disk_contents import contents
from tests.helpers.recording_app import Tap
from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS
from warehouse.schema.operations import UNKNOWN_FIELDS
from warehouse.schema.reference_data import LLM_PRICES, REFERENCE_TABLES, TOOL_PARAMETERS, TOOL_VERSIONS, TOOLS
from warehouse.schema.usage import LLM_USAGE
from warehouse.storage import lake, landing, parquet
from warehouse.storage.landing_reference_data import price_rows, tool_rows

pytestmark = pytest.mark.usefixtures("few_models")

NIGHT = datetime(2026, 11, 21, 2, tzinfo=UTC)
CHANGING = "tool_8801k8fr9bdx0s5k3n7wqe2mthyj"
FIRST, SECOND = AGENTS[0].agent_id, AGENTS[1].agent_id
UNPRICED = "Xq0BillingLineOldId4"


class Night:
    """A clock that a test moves on."""

    def __init__(self):
        self.now = NIGHT

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Night()


@pytest.fixture
def emulated(tmp_path, clock):
    """A context over an emulator; ``app`` may stand in front of the API."""
    with ExitStack() as servers:

        def open_context(app=None, **changes):
            base_url = servers.enter_context(running(app or api(clock)))
            context = Context(
                Settings(home=tmp_path / "home", base_url=base_url, api_key="demo", **changes), clock=clock
            )
            context.home.open()
            return context

        yield open_context


def api(clock, denied=()):
    return create_app(World(conversations=20, days=2, until=NIGHT), clock=clock, denied=denied)


def nightly(context):
    """Copy the reference data as a sync does; returns the warnings."""
    tools = ToolsSync(context)

    async def fetch():
        async with context.connect(context.settings) as client:
            await tools.fetch(client)

    asyncio.run(fetch())
    warnings = tools.land()
    refresh_tools(context.home)  # a sync flattens everything after the landing
    return (*warnings, *sync_prices(context))


def reference_rows(context):
    """All rows of every table of tools and prices."""
    return {table.name: lake.read(context.home, table).to_dicts() for table in REFERENCE_TABLES}


def tool(context, tool_id=CHANGING):
    return lake.read(context.home, TOOLS).row(by_predicate=pl.col("tool_id") == tool_id, named=True)


def test_tools_are_listed_flattened_and_counted(emulated):
    context = emulated()
    assert fetch_and_land_tools(context) == ToolsResult(n_listed=14, n_changed=14, n_gone=0)
    assert {key: tool(context)[key] for key in ("workspace", "name", "type", "api_schema_method", "first_seen_at")} == {
        "workspace": "main",
        "name": "book_slot",
        "type": "webhook",
        "api_schema_method": "POST",
        "first_seen_at": NIGHT,
    }
    assert lake.read(context.home, TOOLS)["extra"].drop_nulls().to_list() == []
    parameters = lake.read(context.home, TOOL_PARAMETERS).filter(tool_id=CHANGING)
    body = parameters.filter(location="body").select("name", "type", "is_required").rows()
    assert body == [
        ("$", "object", None),
        ("context", "object", False),
        ("context.attempt", "integer", False),
        ("context.channel", "string", True),
        ("day", "string", True),
        ("email", "string", True),
        ("notes", "array", False),
        ("notes[]", "string", None),
        ("time", "string", True),
    ]
    headers = parameters.filter(location="header").select("name", "secret_id", "dynamic_variable", "constant_value")
    assert headers.rows() == [
        ("Authorization", "secret_2201k8fq", None, None),
        ("X-Conversation", None, "system__conversation_id", None),
        ("X-Request-Source", None, None, None),
    ]


def test_a_second_listing_with_a_changed_tool_gives_history(emulated, clock):
    context = emulated()
    fetch_and_land_tools(context)
    before = tool(context)
    clock.now += timedelta(days=1)
    assert fetch_and_land_tools(context) == ToolsResult(n_listed=14, n_changed=1, n_gone=0)

    after = tool(context)
    assert {before["response_timeout_secs"], after["response_timeout_secs"]} == {20, 30}
    assert (after["first_seen_at"], after["changed_at"], after["last_seen_at"]) == (NIGHT, clock.now, clock.now)
    assert after["usage_stats_n_calls"] == before["usage_stats_n_calls"] + 1
    versions = lake.read(context.home, TOOL_VERSIONS).filter(tool_id=CHANGING).select("valid_from_at", "changes")
    assert versions.rows() == [(NIGHT, None), (clock.now, '["response_timeout_secs"]')]
    others = lake.read(context.home, TOOLS).filter(pl.col("tool_id") != CHANGING)
    assert set(others["changed_at"]) == {NIGHT}
    assert tool_rows(context.home).filter(pl.col("payload").is_not_null()).height == 15


class Shrinking:
    """An API whose tools a test can remove and change."""

    def __init__(self, clock):
        self.clock, self.left_out, self.extra = clock, set(), {}

    async def __call__(self, scope, receive, send):
        tools = [copy.deepcopy(tool) | self.extra for tool in listed_tools(self.clock())]
        body = json.dumps({"tools": [tool for tool in tools if tool["id"] not in self.left_out]}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})


def test_a_tool_that_is_no_longer_listed_is_gone_until_it_is_again(emulated, clock):
    shrinking = Shrinking(clock)
    context = emulated(shrinking)
    fetch_and_land_tools(context)
    clock.now += timedelta(hours=1)
    shrinking.left_out = {CHANGING}
    assert fetch_and_land_tools(context) == ToolsResult(n_listed=13, n_changed=0, n_gone=1)
    assert (tool(context)["is_gone"], tool(context)["last_seen_at"]) == (True, NIGHT)
    clock.now += timedelta(hours=1)
    shrinking.left_out = set()
    assert fetch_and_land_tools(context) == ToolsResult(n_listed=14, n_changed=0, n_gone=0)
    assert (tool(context)["is_gone"], tool(context)["first_seen_at"], tool(context)["changed_at"]) == (
        False,
        NIGHT,
        NIGHT,
    )


def test_a_workspace_without_tools_has_none_and_all_that_were_are_gone(emulated, clock):
    shrinking = Shrinking(clock)
    context = emulated(shrinking)
    fetch_and_land_tools(context)
    clock.now += timedelta(hours=1)
    shrinking.left_out = {tool["id"] for tool in listed_tools(clock())}
    assert fetch_and_land_tools(context) == ToolsResult(n_listed=0, n_changed=0, n_gone=14)


def test_no_header_value_and_no_secret_is_on_the_disk(emulated, clock):
    planted = Shrinking(clock)
    schema = {
        "url": "https://example.com/v1?api_key=pl4nted00&limit=5",
        "request_headers": {
            "Authorization": "Bearer pl4nted01",
            "X-Plain": "pl4nted02",
            "X-Odd": {"value": "pl4nted03", "secret_id": "secret_kept"},
        },
        "query_params_schema": {"properties": {"client_secret": {"type": "string", "constant_value": "pl4nted04"}}},
        "path_params_schema": {"password": {"type": "string", "description": "kept", "constant_value": "pl4nted05"}},
    }
    variables = {"dynamic_variable_placeholders": {"access_token": "pl4nted06", "channel": "phone"}}
    transfers = [{"custom_sip_headers": [{"type": "static", "key": "X-Auth", "value": "pl4nted07"}]}]
    config = {"api_schema": schema, "dynamic_variables": variables, "params": {"transfers": transfers}}
    planted.extra = {"tool_config": {"type": "webhook", "name": "n"} | config}
    context = emulated(planted)
    fetch_and_land_tools(context)
    disk = contents(context.home.root)
    assert b"pl4nted" not in disk
    assert b"secret_kept" in disk
    parameters = lake.read(context.home, TOOL_PARAMETERS).filter(tool_id=CHANGING)
    assert parameters.select("location", "name", "constant_value").rows() == [
        ("dynamic_variable", "access_token", '"***"'),
        ("dynamic_variable", "channel", '"phone"'),
        ("header", "Authorization", None),
        ("header", "X-Odd", None),
        ("header", "X-Plain", None),
        ("path", "password", '"***"'),
        ("query", "$", None),
        ("query", "client_secret", '"***"'),
    ]


def test_who_made_a_tool_is_hidden_where_people_are(emulated):
    context = emulated(pii="hash", pii_key="0123456789abcdef")
    fetch_and_land_tools(context)
    assert b"robin.demo@example.com" not in contents(context.home.root)
    assert tool(context)["access_info_creator_email"] == "<email>"


def test_the_reference_s_form_without_pages_reads_the_same(emulated, clock):
    query_strings = []

    class OldForm:
        """The current API without pages, as in the reference of 2025."""

        def __init__(self):
            self.app = api(clock)

        async def __call__(self, scope, receive, send):
            query_strings.append(scope["query_string"])
            await self.app(scope | {"query_string": b""}, receive, send)

    context = emulated(OldForm())
    assert fetch_and_land_tools(context).n_listed == 14
    assert query_strings == [b"page_size=100"]


def test_many_pages_are_all_read(emulated, monkeypatch):
    monkeypatch.setattr("pipelines.api.endpoints.MAX_TOOLS_PER_PAGE", 4)
    context = emulated()
    assert fetch_and_land_tools(context).n_listed == 14


def call(context, conversation_id, agent_id, *, started=NIGHT, reads=(), rag=None):
    """Land a finished conversation of a minute, in the lake as well, with the tokens that its generations read."""
    day = started.date()
    landed = {"conversation_id": conversation_id, "start_date": day, "start_time_at": started, "agent_id": agent_id}
    landing.land_documents(context.home, [landed | {"kind": "document", "fetched_at": NIGHT, "content_sha256": "00"}])
    row = {"conversation_id": conversation_id, "start_date": day, "agent_id": agent_id, "status": "done"}
    times = {"start_time_at": started, "fetched_at": NIGHT, "is_deleted": False, "call_duration_secs": 60}
    conversations = parquet.frame(CONVERSATIONS, [row | times | {"rag_usage_usage_count": rag}])
    lake.upsert_partition(context.home, CONVERSATIONS, day, conversations, [conversation_id])
    check = {"conversation_id": conversation_id, "start_date": day, "checked_at": NIGHT, "content_sha256": "00"}
    checks = parquet.frame(CONVERSATION_CHECKS, [check | {"parser_version": PARSER_VERSION, "settle_state": "settled"}])
    lake.upsert_partition(context.home, CONVERSATION_CHECKS, day, checks, [conversation_id])
    usage = [
        {"turn_index": turn, "scope": "turn", "model": "m", "token_kind": kind, "tokens": tokens}
        for turn, kinds in enumerate(reads)
        for kind, tokens in kinds.items()
    ]
    rows = [{"conversation_id": conversation_id, "start_date": day} | row for row in usage]
    lake.upsert_partition(context.home, LLM_USAGE, day, parquet.frame(LLM_USAGE, rows), [conversation_id])


def test_prices_are_asked_with_what_the_agents_calls_read_on_average(emulated):
    context = emulated()
    call(context, "c1", FIRST, reads=[{"input": 100, "input_cache_read": 50, "output_total": 999}, {"input": 250}])
    call(context, "c2", SECOND, rag=3, reads=[{"input": 10}])
    call(context, "old", "agent_old", started=NIGHT - timedelta(days=30))
    result = fetch_and_land_prices(context)
    queries = [(query.agent_id, query.prompt_length, query.is_rag_enabled, query.basis) for query in result.queries]
    assert queries == [(SECOND, 40, True, "measured"), (FIRST, 800, False, "measured")]
    prices = lake.read(context.home, LLM_PRICES).filter(agent_id=FIRST).sort("price_per_minute_usd", "llm")
    assert prices.row(0, named=True) == {
        "workspace": "main",
        "agent_id": FIRST,
        "llm": "gemini-2.0-flash",
        "asked_at": NIGHT,
        "price_per_minute_usd": 0.00042,
        "price_per_message_usd": pytest.approx(0.000084),
        "prompt_length": 800,
        "number_of_pages": None,
        "is_rag_enabled": False,
        "prompt_basis": "measured",
        "extra": None,
    }
    assert price_rows(context.home)["agent_id"].to_list() == [SECOND, FIRST]


def test_what_is_given_goes_before_the_settings_and_those_before_what_is_measured(emulated):
    context = emulated(prices_prompt_length=700, prices_pages=2)
    call(context, "c1", FIRST, reads=[{"input": 100}])
    (by_setting,) = fetch_and_land_prices(context).queries
    (given,) = fetch_and_land_prices(context, [FIRST], prompt_length=0, number_of_pages=5, is_rag_enabled=True).queries
    (unknown,) = fetch_and_land_prices(replace(context, settings=emulated().settings), [SECOND]).queries
    queries = [
        (query.prompt_length, query.number_of_pages, query.is_rag_enabled, query.basis) for query in (by_setting, given)
    ]
    assert queries == [(700, 2, False, "setting"), (0, 5, True, "given")]
    assert (unknown.prompt_length, unknown.number_of_pages, unknown.is_rag_enabled, unknown.basis) == (
        *(None, None, None),
        "none",
    )


def test_agents_without_prices_are_named_and_the_others_have_theirs(emulated):
    context = emulated()
    result = fetch_and_land_prices(context, [FIRST, UNPRICED, "agent_none", ".."])
    assert result.unpriced_agents[UNPRICED] == "The API returned no prices for it."
    assert result.unpriced_agents["agent_none"].startswith(
        "POST /v1/convai/agent/agent_none/llm-usage/calculate answered 404"
    )
    assert result.unpriced_agents[".."] == "'..' is no agent id."
    assert set(lake.read(context.home, LLM_PRICES)["agent_id"]) == {FIRST}


def test_prices_are_due_every_week_and_never_where_the_setting_says_so(emulated, clock):
    tap = Tap(api(clock))
    context = emulated(tap)
    call(context, "c1", FIRST)

    def nights(context, *hours):
        for hour in hours:
            clock.now = NIGHT + timedelta(hours=hour)
            assert nightly(context) == ()

    nights(context, 0, 24, 6 * 24, 7 * 24 - 1, 8 * 24)
    n_price_requests = sum(number for path, number in tap.asked.items() if path.endswith("calculate"))
    assert (n_price_requests, tap.asked["/v1/convai/tools"]) == (2, 5)
    never = replace(context, settings=context.settings.model_copy(update={"prices_every_days": 0}))
    nights(never, 40 * 24)
    assert sum(number for path, number in tap.asked.items() if path.endswith("calculate")) == n_price_requests


def test_what_was_asked_without_a_length_is_asked_again_once_it_can_be_measured(emulated, clock):
    context = emulated()
    call(context, "c1", FIRST)
    nightly(context)
    clock.now += timedelta(days=1)
    call(context, "c2", FIRST, reads=[{"input": 30}])
    nightly(context)
    clock.now += timedelta(days=1)
    nightly(context)
    assert price_rows(context.home).select("asked_at", "prompt_basis", "prompt_length").rows() == [
        (NIGHT, "none", None),
        (NIGHT + timedelta(days=1), "measured", 120),
    ]


def test_before_there_is_any_call_no_price_is_asked_for(emulated, clock):
    tap = Tap(api(clock))
    context = emulated(tap)
    assert nightly(context) == ()
    assert set(tap.asked) == {"/v1/convai/tools"}
    call(context, "c1", FIRST)
    assert nightly(context) == ()
    assert lake.read(context.home, LLM_PRICES).height > 0


@pytest.mark.parametrize(
    ("denied", "message", "table"),
    [
        ("/tools", "The tools could not be fetched: ", LLM_PRICES),
        ("/calculate", "The prices of language models could not be fetched: ", TOOLS),
    ],
)
def test_a_scope_that_the_key_lacks_is_a_warning_that_names_it_and_the_rest_works(
    emulated, clock, denied, message, table
):
    context = emulated(api(clock, denied=[denied]))
    call(context, "c1", FIRST)
    (warning,) = nightly(context)
    assert warning.startswith(message)
    assert "403: the key lacks a scope" in warning
    assert "convai_read" in warning
    assert lake.read(context.home, table).height > 0
    with pytest.raises(CredentialsError):
        (fetch_and_land_tools if denied == "/tools" else fetch_and_land_prices)(context)


def test_an_api_that_is_down_is_a_warning(emulated):
    async def no_sleep(_secs):
        return None

    context = replace(emulated(), connect=lambda _settings: ApiClient("http://127.0.0.1:1", "demo", sleep=no_sleep))
    (warning,) = nightly(context)
    assert warning.startswith("The tools could not be fetched: GET /v1/convai/tools got no answer from 127.0.0.1")


def test_the_lake_is_made_again_from_the_landing_without_the_api(emulated, clock):
    context = emulated()
    call(context, "c1", FIRST, reads=[{"input": 100}])
    nightly(context)
    clock.now += timedelta(days=7)
    nightly(context)
    before = reference_rows(context)
    assert all(before.values())
    for table in REFERENCE_TABLES:
        for file in context.home.files(context.home.table(table)):
            file.unlink()
    refresh_lake(context.home, reread_days=(1,))
    assert reference_rows(context) == before


def test_unknown_keys_are_kept_and_counted(emulated, clock):
    odd = Shrinking(clock)
    schema = {"properties": {"a": {"type": "string", "brand_new": 1, "is_omitted": "perhaps"}, "b": 7}}
    odd.extra = {
        "colour": "red",
        "tool_config": {"type": "client", "name": "n", "parameters": schema, "deep": {"x": 1}},
    }
    odd.left_out = {tool["id"] for tool in listed_tools(clock())[1:]}
    context = emulated(odd)
    fetch_and_land_tools(context)
    refresh_lake(context.home, reread_days=(1,))
    unknown = lake.read(context.home, UNKNOWN_FIELDS).sort("path")
    assert unknown.select("path", "kind", "n_rows", "n_conversations").rows() == [
        ("tools[].colour", "key", 1, 0),
        ("tools[].parameters{}", "type", 1, 0),
        ("tools[].parameters{}.brand_new", "key", 1, 0),
        ("tools[].parameters{}.is_omitted", "type", 1, 0),
        ("tools[].tool_config.deep", "key", 1, 0),
    ]
    assert set(unknown["example_id"]) == {listed_tools(clock())[0]["id"]}
    assert set(unknown["first_seen_at"]) == {NIGHT}


def test_reference_says_what_it_does_not_land_when_the_api_breaks_off(emulated, clock, monkeypatch):
    context = emulated()
    call(context, "c1", FIRST)

    async def raise_unavailable(*_arguments, **_options):
        raise ApiUnavailableError("no answer")

    monkeypatch.setattr(reference_data, "calculate_llm_usage", raise_unavailable)
    with pytest.raises(ApiUnavailableError):
        fetch_and_land_prices(context)
    assert price_rows(context.home).is_empty()
    assert context.home.files(context.home.prices) == []
