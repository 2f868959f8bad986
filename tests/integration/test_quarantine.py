"""One wrong item costs only itself: it is quarantined by name, and the same night has everything else."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from pipelines.emulator.generator.world import World
from pipelines.errors import ApiError, ApiUnavailableError, CredentialsError
from pipelines.extract.fetch_conversations import SECS_IF_QUARANTINED
from pipelines.usecases.reference_data import PricesCopy, ToolsCopy
from pipelines.webhook.batch_writer import BatchWriter
from pipelines.webhook.events import read_event
from tests.helpers.editing_app import Answer, vendor
from tests.helpers.kept_home import KeptHome
from tests.helpers.recording_app import assert_equals
from tests.helpers.spoilt_nights import NIGHT, UNTIL, SpoiltNights, spoiling
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import QUARANTINE, UNKNOWN_FIELDS
from warehouse.schema.reference_data import LLM_PRICES, TOOLS
from warehouse.storage import lake

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
HTML = Answer(200, b"<h1>Welcome to nginx</h1>", ((b"content-type", b"text/html"),))


@pytest.fixture(scope="module")
def world():
    return World(seed=11, conversations=60, days=3, until=UNTIL)


@pytest.fixture(scope="module")
def documents(world):
    """By id, oldest first."""
    return by_id(world)


def by_id(world):
    details = sorted(world.details(UNTIL), key=lambda document: document["metadata"]["start_time_unix_secs"])
    return {document["conversation_id"]: document for document in details}


@pytest.fixture
def nights(tmp_path, world):
    return SpoiltNights(tmp_path, {"main": spoiling(world)})


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory):
    return KeptHome(tmp_path_factory.mktemp("outage") / "home")


def changed(document, **metadata):
    return Answer(200, document | {"metadata": document["metadata"] | metadata})


def post(context, document):
    """Receive a webhook with a document, as the receiver does; what it says of it."""
    event = {"type": "post_call_transcription", "event_timestamp": UNTIL.timestamp(), "data": document}
    landing = read_event(json.dumps(event).encode(), UNTIL, None)
    asyncio.run(BatchWriter(context.home.open()).land(landing.conversation_id, landing.rows))
    return landing.message


def assert_named(names, problems):
    assert [name for name in names if not any(name in problem for problem in problems)] == []


def test_one_403_one_absurd_start_one_null_list_row_and_one_wrong_webhook_cost_only_themselves_for_three_nights(
    nights, documents
):
    refused, absurd, wrong = list(documents)[5], list(documents)[20], list(documents)[40]
    nights.api.details = {
        refused: vendor(403, "missing_permissions"),
        absurd: changed(documents[absurd], start_time_unix_secs=1e300),
        wrong: changed(documents[wrong], start_time_unix_secs=0),
    }
    nights.api.rows = lambda rows: [None, *rows]
    message = post(nights.context(), json.loads(nights.api.details[wrong].content))
    assert message.startswith("quarantined")
    rest = [document for name, document in documents.items() if name not in {refused, absurd, wrong}]

    for _ in range(3):
        result = nights.run()
        quarantined = nights.quarantined()
        assert_equals(nights.context(), rest)
        (null_row,) = [name for name in quarantined if name.startswith("list_row_")]
        assert quarantined == {
            refused: "unfetchable",
            absurd: "unreadable",
            wrong: "unreadable",
            null_row: "malformed_row",
        }
        assert not result.is_complete
        assert_named(quarantined, result.problems)
        assert result.build_result.is_swapped
        assert (result.run["n_quarantined"], result.run["outcome"]) == (4, "incomplete")

    nights.api.details, nights.api.rows = {}, list
    assert nights.run(since=BEGINNING).problems == ()
    assert nights.quarantined() == {}
    assert_equals(nights.context(), list(documents.values()))


@pytest.mark.parametrize(("years", "problems"), [(5, []), (70, ["ten years in the future, or our clock behind"])])
def test_a_document_of_another_decade_is_set_aside(nights, documents, years, problems):
    """Of every period that ends with the newest day, it would be all there is; a clock may be years behind."""
    odd = list(documents)[20]
    start = int((nights.now + timedelta(days=365 * years)).timestamp())
    nights.api.details = {odd: changed(documents[odd], start_time_unix_secs=start)}
    assert [problem.rsplit(" more than ", 1)[1] for problem in nights.run().problems] == problems
    is_copied = odd in lake.read(nights.context().home, CONVERSATIONS)["conversation_id"]
    assert (is_copied, nights.quarantined()) == (not problems, {odd: "unreadable"} if problems else {})


@pytest.mark.parametrize("duration", [1e300, -1e300, 10**400, 10**18, float("nan"), "soon", [12]])
def test_a_duration_that_is_none_costs_nothing_but_itself(nights, documents, duration):
    odd = list(documents)[20]
    nights.api.details = {odd: changed(documents[odd], call_duration_secs=duration)}
    assert nights.run().problems == ()
    (row,) = lake.read(nights.context().home, CONVERSATIONS).filter(conversation_id=odd).to_dicts()
    assert (row["call_duration_secs"], list(json.loads(row["extra"]))) == (None, ["metadata.call_duration_secs"])
    assert row["cost_credits"] == documents[odd]["metadata"]["cost"]


def test_a_conversation_that_fails_for_ever_takes_its_full_time_in_the_first_night_only(nights, documents):
    nights.api.details = {list(documents)[5]: Answer(500, b"")}
    waits = []
    for _ in range(3):
        before = nights.time.secs
        nights.run()
        waits.append(nights.time.secs - before)
    assert waits[0] > 100  # CONVOHOUSE_REQUEST_DEADLINE_SECS is 180
    assert waits[1] <= SECS_IF_QUARANTINED
    assert waits[2] <= SECS_IF_QUARANTINED
    nights.api.details = {}
    assert nights.run().problems == ()


def test_what_a_listing_missed_and_could_not_be_read_is_read_when_it_is_listed_again(nights, documents):
    """Nothing else makes it wanted by then: its list row is as it was, and no re-read is due."""
    assert nights.run().problems == ()
    hidden = [name for name, document in documents.items() if document["status"] == "done"][-3]
    nights.api.rows = lambda rows: [row for row in rows if row["conversation_id"] != hidden]
    nights.api.details = {hidden: vendor(403, "missing_permissions")}
    assert_named([hidden], nights.run().problems)
    nights.api.rows, nights.api.details = list, {}
    assert nights.run().problems == ()
    assert nights.quarantined() == {}


ANSWERS = {
    "400": vendor(400),
    "401": vendor(401, "invalid_api_key"),
    "402": vendor(402, "quota_exceeded"),
    "403": vendor(403, "missing_permissions"),
    "422": vendor(422),
    "500": vendor(500),
    "redirect": Answer(307, b"", ((b"location", b"https://login.example/"),)),
    "404_of_another_server": Answer(404, b"<h1>no such context</h1>"),
    "null": Answer(200, b"null"),
    "html": HTML,
}


@pytest.mark.timeout(400)  # ten workspaces
def test_conversations_that_fail_with_any_answer_are_quarantined_wherever_they_are_in_the_queue(tmp_path, monkeypatch):
    """Each answer is that of the API of a workspace of its own; one sync copies all."""
    monkeypatch.setenv("ELEVENLABS_API_KEY", "demo")
    apis, documents, bad = {}, {}, {}
    for seed, (name, answer) in enumerate(ANSWERS.items(), 100):
        world = World(seed=seed, conversations=60, days=3, until=UNTIL)
        documents[name] = by_id(world)
        ids = list(documents[name])
        bad[name] = [*ids[:6], ids[30], *ids[-6:-1]]
        apis[name] = spoiling(world, dict.fromkeys(bad[name], answer))
    nights = SpoiltNights(tmp_path, apis)
    result = nights.run()

    good = {name: documents[name].keys() - set(bad[name]) for name in ANSWERS}
    rest = [documents[name][conversation_id] for name, ids in good.items() for conversation_id in ids]
    homes = {name: nights.context().home.for_workspace(name) for name in ANSWERS}
    assert {name: set(lake.read(home, CONVERSATIONS)["conversation_id"]) for name, home in homes.items()} == good
    assert_equals(SimpleNamespace(home=nights.context().home.all_workspaces), rest)
    for name, home in homes.items():
        assert set(lake.read(home, QUARANTINE)["conversation_id"]) == set(bad[name]), name
        assert_named(bad[name], result.problems)


def test_a_night_with_nothing_but_failing_conversations_is_no_outage(nights, documents):
    bad = list(documents)[-6:]
    nights.api.details = dict.fromkeys(bad, vendor(500))
    nights.run()
    for _ in range(2):
        problems = nights.run().problems
        assert_named(bad, problems)
        assert set(nights.quarantined()) == set(bad)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (vendor(503), ApiUnavailableError),
        (vendor(401, "invalid_api_key"), CredentialsError),
        (vendor(403, "missing_permissions"), CredentialsError),
        (Answer(302, b"", ((b"location", b"https://login.example/"),)), ApiError),
    ],
    ids=["503", "401", "403", "302"],
)
def test_an_outage_ends_the_run_soon_and_what_is_landed_is_built(answer, error, kept_home, world, documents):
    names = list(documents)
    landed, later = names[:30], names[30:]
    nights = SpoiltNights(kept_home.root.parent, {"main": spoiling(world)})

    def make():
        nights.api.rows = lambda rows: [row for row in rows if row["conversation_id"] in landed]
        assert nights.run().problems == ()

    kept_home.put(make)
    nights.n_runs, nights.now = 1, UNTIL + timedelta(hours=2) + NIGHT
    nights.api.rows, nights.api.details = list, dict.fromkeys(names, answer)
    post(nights.context(), documents[later[0]])
    nights.api.requests.clear()
    with pytest.raises(error):
        nights.run()
    assert sum(n > 0 for path, n in nights.api.requests.items() if "/conversations/" in path) < 20
    assert_equals(nights.context(), [documents[name] for name in names[:31]])
    assert nights.last_run()["outcome"] == "failed"


BAD_ROWS = {
    "null start": {"start_time_unix_secs": None},
    "negative start": {"start_time_unix_secs": -5},
    "millisecond start": {"start_time_unix_secs": 1_790_000_000_000},
    "start in the future": {"start_time_unix_secs": 4_000_000_000},
    "text start": {"start_time_unix_secs": "soon"},
    "null status": {"status": None},
    "status of another type": {"status": ["done"]},
}


def test_conversations_with_malformed_list_rows_are_named_and_read_by_their_ids(nights, documents):
    recent = list(documents)[-10 - len(BAD_ROWS) : -10]  # which the second night lists as well
    bad = dict(zip(recent, BAD_ROWS.values(), strict=True))
    nights.api.rows = lambda rows: [row | bad.get(row["conversation_id"], {}) for row in rows]
    for _ in range(2):
        result = nights.run()
        assert_equals(nights.context(), list(documents.values()))
        assert nights.quarantined() == dict.fromkeys(bad, "malformed_row")
        assert_named(bad, result.problems)
    nights.api.rows = list
    assert nights.run().problems == ()


ROWS_WITHOUT_ID = (None, 5, [], {}, {"conversation_id": 17}, {"conversation_id": ".."})


def test_list_rows_without_an_id_are_named_until_a_listing_as_long_shows_them_no_more(nights, documents):
    nights.api.rows = lambda rows: [*rows, *ROWS_WITHOUT_ID]
    result = nights.run()
    names = nights.quarantined()
    assert len(names) == len(ROWS_WITHOUT_ID)
    assert_named(names, result.problems)
    assert_equals(nights.context(), list(documents.values()))
    nights.api.rows = list
    problems = nights.run().problems  # it lists only the last days
    assert_named(names, problems)
    assert nights.run(since=BEGINNING).problems == ()


def test_a_start_with_a_fraction_is_rounded_down_in_the_list_and_in_the_document(nights, documents):
    odd = list(documents)[10]
    start = documents[odd]["metadata"]["start_time_unix_secs"]
    nights.api.rows = lambda rows: [
        row | ({"start_time_unix_secs": start + 0.73} if row["conversation_id"] == odd else {}) for row in rows
    ]
    nights.api.details = {odd: changed(documents[odd], start_time_unix_secs=start + 0.73)}
    assert nights.run().problems == ()
    assert_equals(nights.context(), list(documents.values()))
    unknown = lake.read(nights.context().home, UNKNOWN_FIELDS, ["path", "example_id"])
    assert ("metadata.start_time_unix_secs", odd) in unknown.rows()


def test_a_tool_without_an_id_and_a_tool_that_no_table_can_hold_are_named_and_the_others_are_updated(
    nights, monkeypatch
):
    assert nights.run().problems == ()
    before = lake.read(nights.context().home, TOOLS).sort("tool_id")
    bad, good, without_id = before["tool_id"][:3]

    def spoil(tools):
        by_id = {tool["id"]: tool for tool in tools}
        by_id[bad]["tool_config"]["name"] = "too deep"
        by_id[good]["tool_config"]["description"] = "another"
        del by_id[without_id]["id"]
        return [None, *by_id.values()]

    def fail(_tool_id, document):
        if document["tool_config"]["name"] == "too deep":
            raise RecursionError

    monkeypatch.setattr(ToolsCopy, "kind", replace(ToolsCopy.kind, check=fail))
    nights.api.tools = spoil
    for _ in range(2):
        result = nights.run()
        quarantined = nights.quarantined()
        assert len(quarantined) == 3
        assert quarantined == {bad: "tool_unreadable"} | dict.fromkeys(quarantined, "tool_unreadable")
        assert_named(quarantined, result.problems)
        after = lake.read(nights.context().home, TOOLS).sort("tool_id")
        assert not after["is_gone"].any()  # also not the one that is listed without its id
        changed = after.filter(after["content_sha256"] != before["content_sha256"])
        assert changed["tool_id"].to_list() == [good]
    nights.api.tools = list
    assert nights.run().problems == ()


@pytest.mark.usefixtures("reference_data")
def test_agents_whose_prices_fail_are_named_and_asked_again_the_next_night(nights, documents):
    nights.settings = nights.settings.model_copy(update={"prices_every_days": 7})
    agents = sorted({document["agent_id"] for document in documents.values()})
    answers = (vendor(403, "missing_permissions"), vendor(422), vendor(500), HTML)
    *bad, good = agents
    nights.api.prices = dict(zip(bad, answers, strict=True))
    for _ in range(2):
        result = nights.run()
        assert nights.quarantined() == dict.fromkeys(bad, "price_unavailable")
        assert_named(bad, result.problems)
        assert set(lake.read(nights.context().home, LLM_PRICES)["agent_id"]) >= {good}
    nights.api.prices = {}
    assert nights.run().problems == ()
    assert nights.quarantined() == {}

    nights.api.prices = dict(zip(bad, answers, strict=True))
    progress = []

    def ask(context, *, run_id):
        del run_id
        return PricesCopy(context, agents, progress=lambda *amount: progress.append(amount)).fetch_and_land()

    assert nights.run(ask).unpriced_agents.keys() == set(bad)
    assert progress == [("prices", number, len(agents)) for number in range(1, len(agents) + 1)]
    assert nights.quarantined() == {}  # whoever names agents sees it
