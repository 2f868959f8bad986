"""``unknown_fields``: fields outside the schema are counted, at every level of a document and over snapshots."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.extract import run_log
from pipelines.transform.refresh_lake import refresh_lake
from pipelines.transform.schema_drift import new_unknown
from tests.helpers.landed_files import snapshot_of
from tests.helpers.sample_documents import STARTED, detail
from warehouse.schema.account_data import LANDED_AGENTS, LANDED_BATCHES, LANDED_TAGS
from warehouse.schema.operations import UNKNOWN_FIELDS
from warehouse.schema.registry import BY_NAME
from warehouse.storage import lake, landing, landing_reference_data, parquet
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models")

AT = datetime(2026, 11, 2, 3, tzinfo=UTC)
DAY = timedelta(days=1)
START = {"start_time_unix_secs": STARTED}
CALLS, RESULTS = "transcript[].tool_calls[]", "transcript[].tool_results[]"


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").open()


def snapshot(conversation_id="conv_a", *, at=AT, kind="document", **document):
    return snapshot_of(detail(conversation_id=conversation_id, **document), at, kind)


def land(home, *snapshots):
    """Land snapshots and refresh the lake."""
    landing.land_documents(home, snapshots)
    refresh(home)


def refresh(home, *, full_refresh=False):
    refresh_lake(home, reread_days=(1, 7, 30), full_refresh=full_refresh)


def rows(home):
    return lake.read(home, UNKNOWN_FIELDS).drop("workspace").rows()


def row(path, value="", kind="key", *, n_rows=1, n=1, first=AT, last=AT, example="conv_a"):
    return path, value, kind, n_rows, n, first, last, example


def unknown(home):
    """Path, value and kind of the unknown fields."""
    return [row[:3] for row in rows(home)]


def values(home, table, *columns):
    return lake.read(home, BY_NAME[table], columns).rows()


def test_nothing_unknown_is_an_empty_table(home):
    land(home, snapshot(transcript=[{"role": "user", "message": "Hello."}]))
    assert rows(home) == []
    assert lake.read(home, UNKNOWN_FIELDS).schema == parquet.polars_schema(UNKNOWN_FIELDS)


NEW = {"brand_new": 1}
STEP = {"type": "nested_tools", "requests": [{"request_id": "r2"} | NEW], "results": [{"request_id": "r2"} | NEW]}
USAGE = {"model_usage": {"gpt-4.1": {"input": {"tokens": 1} | NEW}}}


def charged(**charging):
    return {"metadata": START | {"charging": charging}}


def turn(**entry):
    return {"transcript": [{"role": "agent"} | entry]}


def result(**members):
    return turn(tool_results=[{"result": members}])


NEW_KEYS = {
    "": NEW,
    "metadata.": {"metadata": START | NEW},
    "metadata.phone_call.": {"metadata": START | {"phone_call": {"type": "twilio"} | NEW}},
    "metadata.features_usage.": {"metadata": START | {"features_usage": NEW}},
    "metadata.features_usage.multivoice.": {"metadata": START | {"features_usage": {"multivoice": NEW}}},
    "metadata.charging.llm_usage.initiated_generation.model_usage{}{}.": charged(
        llm_usage={"initiated_generation": USAGE}
    ),
    "metadata.charging.llm_usage.irreversible_generation.model_usage{}{}.": charged(
        llm_usage={"irreversible_generation": USAGE}
    ),
    "metadata.charging.platform_usage.category_usage{}.": charged(platform_usage={"category_usage": {"asr": NEW}}),
    "metadata.charging.tts_usage.per_voice_usage[].": charged(tts_usage={"per_voice_usage": [NEW]}),
    "analysis.evaluation_criteria_results{}.": {"analysis": {"evaluation_criteria_results": {"c": NEW}}},
    "analysis.data_collection_results{}.": {"analysis": {"data_collection_results": {"c": NEW}}},
    "visited_agents[].": {"visited_agents": [NEW]},
    "transcript[].": turn(**NEW),
    "transcript[].multivoice_message.parts[].": turn(multivoice_message={"parts": [NEW]}),
    "transcript[].rag_retrieval_info.chunks[].": turn(rag_retrieval_info={"chunks": [NEW]}),
    "transcript[].conversation_turn_metrics.metrics{}.": turn(
        conversation_turn_metrics={"metrics": {"a.b": {"elapsed_time": 1.0} | NEW}}
    ),
    "transcript[].llm_usage.model_usage{}{}.": turn(llm_usage=USAGE),
    f"{CALLS}.": turn(tool_calls=[{"request_id": "r1"} | NEW]),
    f"{CALLS}.tool_details.": turn(tool_calls=[{"tool_details": {"type": "client"} | NEW}]),
    f"{RESULTS}.": turn(tool_results=[{"request_id": "r1"} | NEW]),
    f"{RESULTS}.dynamic_variable_updates[].": turn(tool_results=[{"dynamic_variable_updates": [NEW]}]),
    f"{RESULTS}.result.steps[].": result(steps=[{"type": "edge"} | NEW]),
}
"""Documents with an unknown key, by the path of the object that has it."""

OTHER_TYPES = {
    "metadata.cost": {"metadata": START | {"cost": "dear"}},
    "metadata.phone_call": {"metadata": START | {"phone_call": ["a", "list"]}},
    "analysis.evaluation_criteria_results{}": {"analysis": {"evaluation_criteria_results": {"a}b": 1}}},
    "tag_ids[]": {"tag_ids": ["tag", 7]},
    "transcript[]": {"transcript": ["a text"]},
    "transcript[].role": turn(role=["user"]),
    "transcript[].tool_calls": turn(tool_calls={"not": "a list"}),
    "transcript[].llm_usage.model_usage{}{}": turn(llm_usage={"model_usage": {"gpt-4.1": {"input": 7}}}),
    "transcript[].llm_usage.model_usage{}{}.tokens": turn(
        llm_usage={"model_usage": {"gpt-4.1": {"in}put": {"tokens": []}}}}
    ),
    f"{RESULTS}.result.steps[].requests": result(steps=[{"requests": 7}]),
}
"""Documents with a value of another type than its column's, by path."""


@pytest.mark.parametrize(
    ("documents", "key", "kind"), [(NEW_KEYS, "brand_new", "key"), (OTHER_TYPES, "", "type")], ids=["keys", "types"]
)
def test_an_unknown_field_is_counted_under_its_path_at_every_level(documents, key, kind, home):
    land(home, *(snapshot(f"conv {path}", **document) for path, document in documents.items()))
    assert rows(home) == sorted(row(path + key, kind=kind, example=f"conv {path}") for path in documents)


def test_calls_and_results_of_a_workflow_step_count_under_the_path_of_the_transcript(home):
    land(home, snapshot(**result(steps=[STEP, STEP])))
    assert rows(home) == [row(f"{CALLS}.brand_new", n_rows=2), row(f"{RESULTS}.brand_new", n_rows=2)]


def test_an_odd_key_is_a_key(home):
    keys = ["", "!", "a b", "cost-2", "cost.next", "cost[0]", "ключ"]
    land(home, snapshot(metadata=START | dict.fromkeys(keys, 1)))
    assert unknown(home) == [(f"metadata.{key}", "", "key") for key in [*keys[:5], "cost[]", "ключ"]]


def test_a_key_without_content_is_not_counted(home):
    land(home, snapshot(nothing=None, empty=[], metadata=START | {"bare": {}, "no": False, "zero": 0}))
    assert unknown(home) == [("metadata.no", "", "key"), ("metadata.zero", "", "key")]


def test_an_unknown_word_stays_in_its_column_and_is_counted(home):
    land(home, snapshot(status="melted", transcript=[{"role": "parrot"}, {"role": "parrot"}, {"role": "user"}]))
    assert rows(home) == [row("status", "melted", "word"), row("transcript[].role", "parrot", "word", n_rows=2)]
    assert values(home, "conversations", "status") == [("melted",)]


def test_an_unknown_kind_of_tool_keeps_what_it_shares_with_the_others(home):
    call = {"request_id": "r1", "tool_details": {"type": "teleport", "url": "https://example.com", "beam": "blue"}}
    jump = {"result_type": "time_travel_success", "status": "success", "to_year": 1955}
    land(home, snapshot(**turn(tool_calls=[call], tool_results=[{"request_id": "r1", "result": jump}])))
    assert values(home, "tool_calls", "tool_details_type", "tool_details_url", "extra") == [
        ("teleport", "https://example.com", '{"tool_details.beam":"blue"}')
    ]
    assert values(home, "tool_results", "result_type", "result_status", "extra") == [
        ("time_travel_success", "success", '{"result.to_year":1955}')
    ]
    assert rows(home) == [
        row(f"{CALLS}.tool_details.beam"),
        row(f"{CALLS}.tool_details.type", "teleport", "word"),
        row(f"{RESULTS}.result.result_type", "time_travel_success", "word"),
        row(f"{RESULTS}.result.to_year"),
    ]


@pytest.mark.parametrize("name", ["evaluation_criteria_results", "data_collection_results"])
def test_a_field_of_a_result_counts_under_the_path_of_its_scope(home, name):
    scopes = [{"scope": "agent", name: {"a": NEW}}, {"scope": "agent", name: {"a": NEW, "b": {"later": 1}}}]
    land(home, snapshot(analysis={name: {"a": NEW}, "scoped": scopes}))
    expected = [
        row(f"analysis.{name}{{}}.brand_new"),
        row(f"analysis.scoped[].{name}{{}}.brand_new", n_rows=2),
        row(f"analysis.scoped[].{name}{{}}.later"),
    ]
    assert sorted(rows(home)) == sorted(expected)


def test_names_of_models_are_no_words(home):
    override = {"agent": {"prompt": {"llm": "gpt-99"}}, "tts": {"model_id": "eleven_v99"}}
    client = {"conversation_config_override": override}
    land(home, snapshot(conversation_initiation_client_data=client, **turn(producing_llm="gpt-99")))
    assert rows(home) == []


def test_fields_are_counted_over_conversations_and_snapshots(home):
    land(home, snapshot("conv_a", **NEW), snapshot("conv_b", at=AT + DAY, **NEW, transcript=[{"role": "user"}]))
    land(home, snapshot("conv_c", at=AT + 2 * DAY, transcript=[{"role": "user"} | NEW, {"role": "agent"} | NEW]))
    land(home, snapshot("conv_a", at=AT + 3 * DAY, kind="unchanged"))
    assert rows(home) == [
        row("brand_new", n_rows=2, n=2, last=AT + DAY, example="conv_b"),
        row("transcript[].brand_new", n_rows=2, first=AT + 2 * DAY, last=AT + 2 * DAY, example="conv_c"),
    ]


def test_a_changed_conversation_counts_as_seen_when_its_new_content_was_fetched(home):
    land(home, snapshot(**NEW))
    land(home, snapshot(at=AT + DAY, **NEW, user_id="late"))
    assert rows(home) == [row("brand_new", first=AT + DAY, last=AT + DAY)]


def test_a_field_that_the_new_snapshot_does_not_have_disappears(home):
    land(home, snapshot(**NEW), snapshot("conv_b", status="melted"))
    land(home, snapshot(at=AT + DAY))
    assert rows(home) == [row("status", "melted", "word", example="conv_b")]


def test_the_count_is_rebuilt_from_the_landing(home):
    snapshots = [
        snapshot(f"conv_{n}", at=AT + n * DAY, status=f"state {n % 2}", **turn(llm_usage=USAGE), brand_new=n)
        for n in range(5)
    ]
    land(home, *snapshots[::2])
    land(home, *snapshots[1::2])
    before = lake.read(home, UNKNOWN_FIELDS)
    assert before["n_conversations"].to_list() == [5, 3, 2, 5]
    lake.overwrite_table(home, UNKNOWN_FIELDS, before.clear())
    refresh(home, full_refresh=True)
    assert lake.read(home, UNKNOWN_FIELDS).equals(before)


def record_run(home, at, *, fetched=1, flattened=1, outcome="complete"):
    """Write a run record."""
    run_log.start_run(home, str(at), at=at, window=None)
    counts = {"n_fetched": fetched, "n_flattened": flattened}
    run_log.finish_run(home, str(at), at=at + DAY / 24, outcome=outcome, **counts)


def new(home, since=None):
    fields, n_before = new_unknown(home, since)
    return fields["path"].to_list(), n_before


def test_nothing_is_new_in_an_empty_home(home):
    assert new(home) == ([], 0)
    assert new(Home(home.root / "nowhere")) == ([], 0)


def test_everything_is_new_to_the_first_run(home):
    record_run(home, AT)
    land(home, snapshot(**NEW))
    assert new(home) == (["brand_new"], 0)


def test_fields_that_the_last_run_saw_first_are_new(home):
    for n, key in enumerate(("old", "newer")):
        record_run(home, AT + n * DAY)
        land(home, snapshot(f"conv_{n}", at=AT + n * DAY, **{"old": 1, key: 1}))
    assert new(home) == (["newer"], 1)
    record_run(home, AT + 2 * DAY, fetched=0)  # flattened again, from the landing
    record_run(home, AT + 3 * DAY, flattened=0)  # still fetching
    assert new(home) == (["newer"], 1)
    record_run(home, AT + 4 * DAY)
    assert new(home) == ([], 2)


def test_fields_that_an_interrupted_run_landed_are_new_to_the_next_run(home):
    record_run(home, AT)
    record_run(home, AT + DAY, fetched=0, flattened=0)  # killed
    land(home, snapshot(at=AT + DAY, **NEW))
    record_run(home, AT + 2 * DAY)
    assert new(home) == (["brand_new"], 0)


def test_fields_that_a_failed_run_has_in_the_lake_are_new_to_it_and_to_the_next_run(home):
    record_run(home, AT)
    record_run(home, AT + DAY, outcome="failed")  # the key was revoked while it fetched
    land(home, snapshot(at=AT + DAY, **NEW))
    assert new(home) == (["brand_new"], 0)
    record_run(home, AT + 2 * DAY, outcome="incomplete")
    assert new(home) == (["brand_new"], 0)
    record_run(home, AT + 3 * DAY)
    assert new(home) == ([], 1)


def test_new_since_a_time_includes_that_moment(home):
    land(home, snapshot("conv_0", old=1), snapshot("conv_1", at=AT + DAY, newer=1))
    assert new(home, AT) == (["newer", "old"], 0)
    assert new(home, AT + DAY) == (["newer"], 1)
    assert new(home, AT + 2 * DAY) == ([], 2)


RECORDS = {
    "agent": (LANDED_AGENTS, "agent_1", {"name": "A", "conversation_config": {"tts": {"speed": 1, "brand_new": 1}}}),
    "branches[]": (LANDED_AGENTS, "agent_1/branches/b", {"id": "b", "calls_7d": 3, "brand_new": 1}),
    "version": (
        LANDED_AGENTS,
        "agent_1/versions/v",
        {"agent": {"tags": ["x"], "vad": 1}, "metadata": {"brand_new": 1}},
    ),
    "batch_calls[]": (LANDED_BATCHES, "btcal_1", {"name": "B", "brand_new": 1}),
    "conversation_tags[]": (LANDED_TAGS, "tag_1", {"title": "T", "brand_new": 1}),
}
RECORD_KEYS = {
    "agent": ["agent.conversation_config.tts.brand_new"],
    "branches[]": ["branches[].brand_new"],
    "version": ["version.agent.vad", "version.metadata.brand_new"],
    "batch_calls[]": ["batch_calls[].brand_new"],
    "conversation_tags[]": ["conversation_tags[].brand_new"],
}


@pytest.mark.parametrize("kind", RECORDS)
def test_a_new_key_of_agents_batches_and_tags_counts_from_its_first_listing(home, kind):
    table, item_id, document = RECORDS[kind]
    for n in range(2):  # the second listing shows the same, so it has no payload
        payload = None if n else json.dumps(document).encode()
        at = AT + n * DAY
        listed = {"item_id": item_id, "listed_at": at, "content_sha256": "sha", "payload": payload}
        landing_reference_data.land_items(home, table, at, [listed])
    refresh(home)
    example = item_id.partition("/")[0]
    assert rows(home) == [row(path, n=0, example=example) for path in RECORD_KEYS[kind]]


def test_a_new_key_or_column_of_the_bill_counts(home):
    bill = {
        "columns": ["timestamp", "product_type", "fiat_currency", "total_cost", "brand_new"],
        "column_types": ["DateTime", "String", "String", "Float", "Int"],
        "rows": [["2026-11-01", "agents", "USD", 1.5, 7]],
        "note": "new",
    }
    landed = {"basis": "cost", "since_date": AT.date() - DAY, "until_date": AT.date(), "asked_at": AT}
    landing_reference_data.land_bills(home, [landed | {"payload": json.dumps(bill).encode()}])
    refresh(home)
    assert rows(home) == [row(f"usage.{key}", n=0, example="cost") for key in ("columns.brand_new", "note")]
