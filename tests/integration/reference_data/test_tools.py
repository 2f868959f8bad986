"""Tools from the emulator: what is copied, their history, and what is hidden."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from pipelines.emulator.server.tools_endpoint import listed_tools
from pipelines.transform.refresh_lake import refresh_lake
from pipelines.usecases.reference_data import (
    ToolsCopy,
    ToolsResult,
)
from tests.helpers.account_night import NIGHT
from tests.helpers.disk_contents import contents
from tests.helpers.reference_night import CHANGING, Shrinking, api, tool
from warehouse.schema.operations import UNKNOWN_FIELDS
from warehouse.schema.reference_data import LANDED_TOOLS, TOOL_PARAMETERS, TOOL_VERSIONS, TOOLS
from warehouse.storage import lake
from warehouse.storage.landing_reference_data import item_rows

pytestmark = pytest.mark.usefixtures("few_models")


def test_tools_are_listed_flattened_and_counted(emulated):
    context = emulated()
    assert ToolsCopy(context).fetch_and_land() == ToolsResult(n_listed=14, errors={}, n_changed=14, n_gone=0)
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
    ToolsCopy(context).fetch_and_land()
    before = tool(context)
    clock.now += timedelta(days=1)
    assert ToolsCopy(context).fetch_and_land() == ToolsResult(n_listed=14, errors={}, n_changed=1, n_gone=0)

    after = tool(context)
    assert {before["response_timeout_secs"], after["response_timeout_secs"]} == {20, 30}
    assert (after["first_seen_at"], after["changed_at"], after["last_seen_at"]) == (NIGHT, clock.now, clock.now)
    assert after["usage_stats_n_calls"] == before["usage_stats_n_calls"] + 1
    versions = lake.read(context.home, TOOL_VERSIONS).filter(tool_id=CHANGING).select("valid_from_at", "changes")
    assert versions.rows() == [(NIGHT, None), (clock.now, '["response_timeout_secs"]')]
    others = lake.read(context.home, TOOLS).filter(pl.col("tool_id") != CHANGING)
    assert set(others["changed_at"]) == {NIGHT}
    assert item_rows(context.home, LANDED_TOOLS).filter(pl.col("payload").is_not_null()).height == 15


def test_a_tool_that_is_no_longer_listed_is_gone_until_it_is_again(emulated, clock):
    shrinking = Shrinking(clock)
    context = emulated(shrinking)
    ToolsCopy(context).fetch_and_land()
    clock.now += timedelta(hours=1)
    shrinking.left_out = {CHANGING}
    assert ToolsCopy(context).fetch_and_land() == ToolsResult(n_listed=13, errors={}, n_changed=0, n_gone=1)
    assert (tool(context)["is_gone"], tool(context)["last_seen_at"]) == (True, NIGHT)
    clock.now += timedelta(hours=1)
    shrinking.left_out = set()
    assert ToolsCopy(context).fetch_and_land() == ToolsResult(n_listed=14, errors={}, n_changed=0, n_gone=0)
    assert (tool(context)["is_gone"], tool(context)["first_seen_at"], tool(context)["changed_at"]) == (
        False,
        NIGHT,
        NIGHT,
    )


def test_a_workspace_without_tools_has_none_and_all_that_were_are_gone(emulated, clock):
    shrinking = Shrinking(clock)
    context = emulated(shrinking)
    ToolsCopy(context).fetch_and_land()
    clock.now += timedelta(hours=1)
    shrinking.left_out = {tool["id"] for tool in listed_tools(clock())}
    assert ToolsCopy(context).fetch_and_land() == ToolsResult(n_listed=0, errors={}, n_changed=0, n_gone=14)


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
    ToolsCopy(context).fetch_and_land()
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
    ToolsCopy(context).fetch_and_land()
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
    assert ToolsCopy(context).fetch_and_land().n_listed == 14
    assert query_strings == [b"page_size=100"]


def test_many_pages_are_all_read(emulated, monkeypatch):
    monkeypatch.setattr("pipelines.api.account_endpoints.PAGE_SIZE", 4)
    context = emulated()
    assert ToolsCopy(context).fetch_and_land().n_listed == 14


def test_unknown_keys_are_kept_and_counted(emulated, clock):
    odd = Shrinking(clock)
    schema = {"properties": {"a": {"type": "string", "brand_new": 1, "is_omitted": "perhaps"}, "b": 7}}
    odd.extra = {
        "colour": "red",
        "tool_config": {"type": "client", "name": "n", "parameters": schema, "deep": {"x": 1}},
    }
    odd.left_out = {tool["id"] for tool in listed_tools(clock())[1:]}
    context = emulated(odd)
    ToolsCopy(context).fetch_and_land()
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
