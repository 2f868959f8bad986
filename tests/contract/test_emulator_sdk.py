"""The vendor's own Python SDK against the emulator: every call, and every document of a small world.

The SDK builds its objects without validation, so a wrong document would pass unseen. Here each JSON answer is checked
by the SDK's pydantic models as well (``model_validate``, every field and union), which can fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from pipelines.emulator.data.agents import AGENTS
from pipelines.emulator.generator.document import TAGS
from pipelines.emulator.generator.world import World
from pipelines.emulator.server import agents_endpoint
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.batches_endpoint import batches
from pipelines.emulator.server.serve import running
from tests.helpers.lazy_import import lazy_import

vendor, client_module = lazy_import("elevenlabs.types"), lazy_import("elevenlabs.client")
errors, api_error = lazy_import("elevenlabs.errors"), lazy_import("elevenlabs.core.api_error")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
AGENT = AGENTS[0].agent_id


@pytest.fixture(scope="module")
def world() -> World:
    return World(conversations=300, days=10, until=UNTIL)


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    with running(create_app(world, clock=lambda: UNTIL)) as url:
        yield url


@pytest.fixture(scope="module")
def sdk(url: str) -> Iterator[Any]:
    with httpx.Client() as client:
        yield client_module().ElevenLabs(api_key="demo", base_url=url, httpx_client=client).conversational_ai


def listed(sdk: Any) -> list[Any]:
    rows, cursor = [], None
    while True:
        page = sdk.conversations.list(page_size=100, cursor=cursor)
        rows += page.conversations
        cursor = page.next_cursor
        if not page.has_more:
            return rows


def checked(model: type[BaseModel], document: dict[str, Any]) -> BaseModel:
    return model.model_validate(document)


def test_reads_every_conversation_as_the_world_holds_it(sdk: Any, world: World) -> None:
    rows = listed(sdk)
    truth = {document["conversation_id"]: document for document in world.details(UNTIL)}
    assert [row.conversation_id for row in rows] == list(truth)
    for row in rows[::7]:
        document = truth[row.conversation_id]
        read = sdk.conversations.get(row.conversation_id)
        assert read.metadata.cost == document["metadata"]["cost"]
        assert [entry.message for entry in read.transcript] == [entry["message"] for entry in document["transcript"]]


def test_every_document_of_todays_form_is_valid(world: World) -> None:
    documents = [document for document in world.details(UNTIL) if "conversation_product" in document]
    assert len(documents) > 100
    for document in documents:
        checked(vendor().GetConversationResponseModel, document)
        checked(vendor().ConversationSummaryResponseModel, world.row(document))


def test_every_document_of_the_references_form_is_valid_except_for_the_key_required_since(world: World) -> None:
    documents = [document for document in world.details(UNTIL) if "conversation_product" not in document]
    assert len(documents) > 100
    for document in documents:
        checked(vendor().GetConversationResponseModel, document | {"has_auxiliary_audio": False})
        checked(vendor().ConversationSummaryResponseModel, world.row(document))


def test_the_check_can_fail(world: World) -> None:
    document = next(document for document in world.details(UNTIL) if "conversation_product" in document)
    with pytest.raises(ValueError, match="call_duration_secs"):
        checked(
            vendor().GetConversationResponseModel,
            document | {"metadata": document["metadata"] | {"call_duration_secs": "long"}},
        )


def test_no_key_of_todays_form_is_unknown_but_those_that_the_real_api_sends_unpublished(world: World) -> None:
    extra: set[str] = set()

    def collect(value: Any, path: str) -> None:
        if isinstance(value, BaseModel):
            extra.update(f"{path}.{key}" for key in value.model_extra or ())
            for name in type(value).model_fields:
                collect(getattr(value, name), f"{path}.{name}")
        elif isinstance(value, list):
            for item in value:
                collect(item, f"{path}[]")
        elif isinstance(value, dict):
            for item in value.values():
                collect(item, f"{path}.*")

    for document in world.details(UNTIL):
        if "conversation_product" in document:
            collect(checked(vendor().GetConversationResponseModel, document), "")
    assert extra == {
        ".analysis.sentiment_analysis",
        ".conversation_initiation_client_data.tool_mock_config",
        ".hiding_reason",
        ".metadata.error.error_type",
        ".realtime_config_snapshots",
        ".smb_metadata",
        ".transcript[].config_snapshot_id",
    }


def test_deletes_twice_with_a_404_the_second_time(sdk: Any) -> None:
    target = sdk.conversations.list(page_size=1).conversations[0].conversation_id
    sdk.conversations.delete(target)
    with pytest.raises(api_error().ApiError) as again:
        sdk.conversations.delete(target)
    with pytest.raises(api_error().ApiError) as gone:
        sdk.conversations.get(target)
    assert (again.value.status_code, gone.value.status_code) == (404, 404)


def test_feedback_shows_in_the_document(sdk: Any) -> None:
    target = sdk.conversations.list(page_size=5).conversations[4].conversation_id
    sdk.conversations.feedback.create(target, feedback="dislike")
    given = sdk.conversations.get(target).metadata.feedback
    assert (given.type, given.overall_score, given.likes, given.dislikes) == ("thumbs", "dislike", 0, 1)


def test_audio_is_mp3(sdk: Any, world: World) -> None:
    target = next(document["conversation_id"] for document in world.details(UNTIL) if document["has_audio"])
    sound = b"".join(sdk.conversations.audio.get(target))
    assert sound[:2] == b"\xff\xfb"
    assert len(sound) % 104 == 0


def test_tools_in_both_forms(sdk: Any, url: str) -> None:
    pages, cursor = [], None
    while True:
        page = sdk.tools.list(page_size=5, cursor=cursor)
        pages.append([tool.id for tool in page.tools])
        cursor = page.next_cursor
        if not page.has_more:
            break
    whole = httpx.get(f"{url}/v1/convai/tools", headers={"xi-api-key": "demo"}).json()
    assert [tool for page in pages for tool in page] == [tool["id"] for tool in whole["tools"]]
    assert {len(page) for page in pages[:-1]} == {5}
    assert set(whole) == {"tools"}
    for tool in whole["tools"]:
        if tool["tool_config"]["type"] != "api_integration_webhook":  # the SDK's union has lost this kind
            checked(vendor().ToolResponseModel, tool)


def test_prices_signed_url_and_token(sdk: Any) -> None:
    prices = sdk.agents.llm_usage.calculate(AGENT, prompt_length=1200, number_of_pages=3, rag_enabled=True).llm_prices
    signed = sdk.conversations.get_signed_url(agent_id=AGENT)
    token = sdk.conversations.get_webrtc_token(agent_id=AGENT)
    assert len(prices) > 10
    assert all(price.price_per_minute > price.price_per_message > 0 for price in prices)
    assert signed.signed_url.startswith("wss://")
    assert token.token
    assert token.conversation_id.startswith("conv_")


def test_agents_versions_and_branches(sdk: Any) -> None:
    listed_agents, cursor = [], None
    while True:
        page = sdk.agents.list(page_size=2, cursor=cursor)
        listed_agents += page.agents
        cursor = page.next_cursor
        if not page.has_more:
            break
    assert [agent.agent_id for agent in listed_agents] == [agent.agent_id for agent in AGENTS]
    for agent in AGENTS:
        checked(vendor().AgentSummaryResponseModel, agents_endpoint.summary(agent))
        for version in agent.versions:
            read = sdk.agents.get(agent.agent_id, version_id=version.version_id)
            assert (read.version_id, read.conversation_config.tts.voice_id) == (version.version_id, agent.voice_id)
            assert sdk.agents.versions.get(agent.agent_id, version.version_id).branch_id == agent.branch_id
            checked(vendor().GetAgentResponseModel, agents_endpoint.document(agent, version.version_id) or {})
            checked(vendor().AgentVersionMetadata, agents_endpoint.version(agent, version.version_id) or {})
        branches = sdk.agents.branches.list(agent.agent_id, include_archived=True).results
        assert agent.branch_id in [branch.id for branch in branches if not branch.is_archived]
        assert sum(branch.current_live_percentage for branch in branches) == 100
        for branch in agents_endpoint.branches(agent):
            checked(vendor().AgentBranchSummary, branch)


def test_tags_have_titles(sdk: Any) -> None:
    first = sdk.conversations.tags.list(page_size=2)
    second = sdk.conversations.tags.list(page_size=2, cursor=first.next_cursor)
    assert (first.has_more, second.has_more) == (True, False)
    listed = [*first.conversation_tags, *second.conversation_tags]
    assert {tag.tag_id: tag.title for tag in listed} == TAGS
    for tag in listed:
        checked(vendor().ConversationTagResponseModel, tag.model_dump())


def test_batches_and_their_recipients(sdk: Any, world: World) -> None:
    page = sdk.batch_calls.list(limit=1)
    following = sdk.batch_calls.list(limit=1, last_doc=page.next_doc)
    assert page.has_more
    assert page.batch_calls[0].id != following.batch_calls[0].id
    for batch_id, document in batches(world, UNTIL).items():
        checked(vendor().BatchCallDetailedResponse, document)
        batch = sdk.batch_calls.get(batch_id)
        called = [recipient for recipient in batch.recipients if recipient.conversation_id]
        assert len(called) == batch.total_calls_dispatched < len(batch.recipients)


def test_the_bill_of_a_workspace_in_credits(url: str, world: World) -> None:
    since = int((UNTIL - timedelta(days=3)).timestamp()) * 1000
    window = {"start_time": since, "end_time": since + 2 * 86_400_000 - 1, "interval_seconds": 86_400}
    with httpx.Client() as client:
        usage = client_module().ElevenLabs(api_key="demo", base_url=url, httpx_client=client).workspace.usage
        bill = usage.get_usage_by_product_over_time(**window, group_by=["product_type"])
        with pytest.raises(api_error().ApiError):
            usage.get_usage(**window, group_by=["product_type", "fiat_currency"])
        with pytest.raises(errors().UnprocessableEntityError):
            usage.get_usage(start_time=1, end_time=2, interval_seconds=86_400)
    checked(vendor().WorkspaceAnalyticsQueryResponseModel, bill.model_dump())
    assert (bill.columns, bill.column_units) == (["timestamp", "product_type", "credits_used"], [None, None, "credits"])
    costs = [(blueprint.start // 86_400, cost) for blueprint, cost, _ in world.billed(UNTIL)]
    first_day = since // 86_400_000
    expected = {
        ((UNTIL - timedelta(days=3 - n)).date().isoformat(), sum(cost for day, cost in costs if day == first_day + n))
        for n in (0, 1)
    }
    assert {(str(day)[:10], amount) for day, product, amount in bill.rows if product == "conversational-ai"} == expected
    assert {product for _, product, _ in bill.rows} == {"conversational-ai", "text-to-speech"}


def test_a_wrong_parameter_is_422_before_the_key_is_looked_at(url: str) -> None:
    with httpx.Client() as client:
        sdk = client_module().ElevenLabs(api_key="wrong", base_url=url, httpx_client=client).conversational_ai
        with pytest.raises(errors().UnprocessableEntityError):
            sdk.conversations.list(page_size=101)
