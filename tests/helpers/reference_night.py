"""What the tests of tools and prices share: the API, a night of a sync, and conversations in the lake."""

from __future__ import annotations

import copy

import polars as pl

from pipelines.emulator.data.agents import AGENTS
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.tools_endpoint import listed_tools
from pipelines.transform.flatten import PARSER_VERSION
from pipelines.transform.tools import refresh_tools
from pipelines.usecases.context import run_with_client
from pipelines.usecases.reference_data import PricesCopy, ToolsCopy, are_prices_due
from pipelines.usecases.sync_reference_data import OptionalCopy
from tests.helpers.account_night import NIGHT
from tests.helpers.editing_app import Answer, respond
from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS
from warehouse.schema.reference_data import TOOLS
from warehouse.schema.usage import LLM_USAGE
from warehouse.storage import lake, landing, parquet

CHANGING = "tool_8801k8fr9bdx0s5k3n7wqe2mthyj"
FIRST, SECOND = AGENTS[0].agent_id, AGENTS[1].agent_id
UNPRICED = "Xq0BillingLineOldId4"


def api(clock, denied=()):
    return create_app(World(conversations=20, days=2, until=NIGHT), clock=clock, denied=denied)


def nightly(context):
    """Copy the tools and prices as a sync does; returns the warnings."""
    tools = OptionalCopy("tools", ToolsCopy(context))
    run_with_client(context, tools.fetch)
    warnings = tools.land()
    refresh_tools(context.home)  # a sync flattens everything after the landing
    if not are_prices_due(context):
        return warnings
    prices = OptionalCopy("prices of language models", PricesCopy(context))
    run_with_client(context, prices.fetch)
    return (*warnings, *prices.land())


def tool(context, tool_id=CHANGING):
    return lake.read(context.home, TOOLS).row(by_predicate=pl.col("tool_id") == tool_id, named=True)


class Shrinking:
    """An API whose tools a test can remove and change."""

    def __init__(self, clock):
        self.clock, self.left_out, self.extra = clock, set(), {}

    async def __call__(self, scope, receive, send):
        tools = [copy.deepcopy(tool) | self.extra for tool in listed_tools(self.clock())]
        await respond(send, Answer(body={"tools": [tool for tool in tools if tool["id"] not in self.left_out]}))


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
