"""The emulated world: the same for the same seed, right in its sums, moving with the clock."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.error_responses import ErrorResponse
from pipelines.emulator.server.list_endpoint import Query, page, read_cursor, read_query

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
LATER = UNTIL + 60 * DAY


@pytest.fixture(scope="module")
def world() -> World:
    return World(conversations=900, until=UNTIL)


@pytest.fixture(scope="module")
def finished(world: World) -> list[dict[str, Any]]:
    return [document for document in world.details(UNTIL) if document["status"] in ("done", "failed")]


def by_id(world: World, now: datetime) -> dict[str, dict[str, Any]]:
    return {document["conversation_id"]: document for document in world.details(now)}


def test_the_same_seed_gives_the_same_world_and_another_another() -> None:
    first, two, other = (World(seed=seed, conversations=40, days=2, until=UNTIL) for seed in (3, 3, 4))
    assert list(first.details(UNTIL)) == list(two.details(UNTIL))
    assert not by_id(first, UNTIL).keys() & by_id(other, UNTIL).keys()


def test_a_call_belongs_to_its_day_whatever_until_is() -> None:
    early = by_id(World(conversations=400, days=10, until=UNTIL - 3 * DAY), LATER)
    late = by_id(World(conversations=400, days=10, until=UNTIL), LATER)
    begin = (UNTIL - 10 * DAY).timestamp()
    end = (UNTIL - 3 * DAY).timestamp()

    def shared(documents: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {k: v for k, v in documents.items() if begin <= v["metadata"]["start_time_unix_secs"] < end}

    assert len(shared(late)) > 200
    assert shared(early) == shared(late)


def test_a_window_that_begins_within_a_day_holds_only_its_hours() -> None:
    noon = UNTIL - timedelta(hours=12)
    narrow = World(conversations=100, days=2, until=noon)
    starts = [document["metadata"]["start_time_unix_secs"] for document in narrow.details(noon)]
    assert min(starts) >= (noon - 2 * DAY).timestamp()
    assert max(starts) < noon.timestamp()


def test_ids_are_unique_and_look_like_the_vendors(world: World) -> None:
    ids = [document["conversation_id"] for document in world.details(UNTIL)]
    assert len(ids) == len(set(ids))
    assert [key for key in ids if not re.fullmatch(r"conv_[a-z0-9]{28}", key)] == []


def test_documents_have_a_realistic_size_and_rhythm(world: World, finished: list[dict[str, Any]]) -> None:
    starts = [datetime.fromtimestamp(document["metadata"]["start_time_unix_secs"], UTC) for document in finished]
    days = Counter(start.date() for start in starts)
    weekend = [number for day, number in days.items() if day.weekday() >= 5]
    week = [number for day, number in days.items() if day.weekday() < 5]
    entries = [len(document["transcript"]) for document in finished]
    assert 800 < len(finished) < 1000
    assert max(weekend) < min(week)
    assert sum(8 <= start.hour < 18 for start in starts) > 0.7 * len(starts)
    assert 10 < sum(entries) / len(entries) < 25
    assert max(entries) <= 60


def prices(block: dict[str, Any]) -> float:
    return sum(kind["price"] for kinds in block["model_usage"].values() for kind in kinds.values())


def tokens(block: dict[str, Any]) -> Counter[tuple[str, str]]:
    usage = block["model_usage"]
    return Counter({(model, kind): count["tokens"] for model, kinds in usage.items() for kind, count in kinds.items()})


def test_the_charges_add_up(finished: list[dict[str, Any]]) -> None:
    reported = 0
    for document in finished:
        metadata = document["metadata"]
        charging = metadata["charging"]
        if charging is None:  # nobody answered
            assert (document["status"], metadata["cost"]) == ("failed", 0)
            continue
        if "llm_usage" not in charging:  # an old document that reports the sum alone
            continue
        initiated = charging["llm_usage"]["initiated_generation"]
        irreversible = charging["llm_usage"]["irreversible_generation"]
        assert metadata["cost"] == charging["call_charge"] + charging["llm_charge"]
        assert charging["llm_price"] == pytest.approx(prices(initiated))
        assert tokens(irreversible) <= tokens(initiated)
        turns: Counter[tuple[str, str]] = Counter()
        for entry in document["transcript"]:
            turns.update(tokens(entry["llm_usage"] or {"model_usage": {}}))
        if document["status"] == "done" and document["transcript"]:
            assert turns == tokens(initiated)
        if metadata.get("cost_fiat") is not None:
            reported += 1
            categories = charging["platform_usage"]["category_usage"].values()
            assert metadata["cost_fiat"] == pytest.approx(charging["llm_price"] + charging["platform_price"])
            assert charging["platform_price"] == pytest.approx(sum(category["price"] for category in categories))
            assert (
                charging["platform_charge"]
                == sum(category["credits"] for category in categories)
                == charging["call_charge"]
            )
    assert reported > 200


def test_a_burst_doubles_and_a_developers_discount_halves_the_calls_part(finished: list[dict[str, Any]]) -> None:
    factors = set()
    for document in finished:
        metadata = document["metadata"]
        charging = metadata["charging"]
        if not metadata["text_only"] and metadata["call_duration_secs"] and "call_charge" in charging:
            factor = charging["call_charge"] / metadata["call_duration_secs"]
            factors.add((charging["is_burst"], charging["dev_discount"], factor))
    assert factors == {(False, False, 10.0), (True, False, 20.0), (False, True, 5.0)}


def test_results_stand_in_later_entries_than_their_calls_and_some_calls_stay_unanswered(
    finished: list[dict[str, Any]],
) -> None:
    unanswered = 0
    for document in finished:
        called: dict[str, int] = {}
        for position, entry in enumerate(document["transcript"]):
            assert not (entry["tool_calls"] and entry["tool_results"])
            for result in entry["tool_results"]:
                assert called.pop(result["request_id"]) < position
            called.update({call["request_id"]: position for call in entry["tool_calls"]})
        unanswered += len(called)
    assert unanswered > 0


def test_the_entry_of_a_call_repeats_the_metrics_of_the_spoken_entry_before_it(finished: list[dict[str, Any]]) -> None:
    repeated = 0
    for document in finished:
        spoken = None
        for entry in document["transcript"]:
            if entry["tool_calls"] and spoken is not None:
                assert entry["conversation_turn_metrics"] == spoken
                repeated += 1
            if entry["role"] == "agent" and entry["message"] and entry["llm_usage"]:
                spoken = entry["conversation_turn_metrics"]
    assert repeated > 500


def test_times_in_call_rise_and_stay_within_the_call(finished: list[dict[str, Any]]) -> None:
    for document in finished:
        times = [entry["time_in_call_secs"] for entry in document["transcript"]]
        assert times == sorted(times)
        assert all(time <= document["metadata"]["call_duration_secs"] for time in times)


def test_open_calls_stand_at_the_end_of_the_world(world: World) -> None:
    open_calls = [document for document in world.details(UNTIL) if document["status"] not in ("done", "failed")]
    assert [document["status"] for document in open_calls] == ["initiated", "in-progress", "processing"]
    for document in open_calls:
        row = world.row(document)
        assert (document["analysis"], document["metadata"]["cost"], row["call_successful"]) == (None, None, "unknown")
        if document["status"] != "processing":
            assert (row["call_duration_secs"], row["message_count"]) == (0, 0)


def test_a_call_goes_through_its_life(world: World) -> None:
    document = next(document for document in world.details(UNTIL) if document["status"] == "in-progress")
    start = datetime.fromtimestamp(document["metadata"]["start_time_unix_secs"], UTC)
    key = document["conversation_id"]
    moments = [start + timedelta(seconds=secs) for secs in (-1, 0, 5, 3600)]
    seen = [world.detail(key, moment) for moment in moments]
    assert [detail and detail["status"] for detail in seen] == [None, "initiated", "in-progress", "done"]


def test_late_changes_come_and_are_rare(world: World, finished: list[dict[str, Any]]) -> None:
    changes: Counter[str] = Counter()
    for document in finished:
        metadata = document["metadata"]
        end = metadata["start_time_unix_secs"] + metadata["call_duration_secs"]
        fresh = world.detail(document["conversation_id"], datetime.fromtimestamp(end + 300, UTC))
        final = world.detail(document["conversation_id"], LATER)
        assert fresh is not None
        if final is None:
            changes["deleted"] += 1
        elif fresh["transcript"] and not final["transcript"]:
            changes["blanked"] += 1
        elif fresh["analysis"] != final["analysis"]:
            changes["judged again"] += 1
            assert "unknown" in {
                result["result"] for result in fresh["analysis"]["evaluation_criteria_results"].values()
            }
        elif fresh["metadata"]["feedback"] != final["metadata"]["feedback"]:
            changes["rated"] += 1
            assert fresh["metadata"]["feedback"]["type"] is None
        else:
            assert fresh == final
    assert set(changes) == {"deleted", "blanked", "judged again", "rated"}
    assert max(changes.values()) < 0.03 * len(finished)


def test_retention_blanks_content_but_does_not_show_in_the_list(world: World) -> None:
    old, new = by_id(world, UNTIL), by_id(world, LATER)
    blanked = [key for key in new if key in old and old[key]["transcript"] and not new[key]["transcript"]]
    for key in blanked:
        document = new[key]
        assert document["has_audio"] is False
        assert document["metadata"]["deletion_settings"]["deleted_transcript_at_time_unix_secs"] is not None
        assert document["metadata"]["cost"] == old[key]["metadata"]["cost"]
        assert world.row(document) | {"transcript_summary": ""} == world.row(old[key]) | {"transcript_summary": ""}
    assert blanked


def test_writes_show_at_once() -> None:
    world = World(conversations=30, days=3, until=UNTIL)
    first, second = [document["conversation_id"] for document in world.details(UNTIL)][-2:]
    assert world.delete(first, UNTIL)
    assert not world.delete(first, UNTIL)
    assert world.feedback(second, "like", UNTIL)
    assert not world.feedback("conv_none", "like", UNTIL)
    document = world.detail(second, UNTIL)
    assert first not in by_id(world, UNTIL)
    assert document is not None
    assert document["metadata"]["feedback"]["overall_score"] == "like"


def query(**parameters: str) -> Query:
    return read_query(parameters)


def pages(world: World, clock: list[datetime], **parameters: str) -> list[list[dict[str, Any]]]:
    """All pages of a query; the clock moves on one step with every page."""
    answers, cursor = [], ""
    for now in clock:
        anchor = read_cursor(cursor) if cursor else None
        answer = page(world, query(**parameters), now, world.place(anchor) if anchor else None)
        answers.append(answer["conversations"])
        cursor = answer["next_cursor"]
        if cursor is None:
            assert answer["has_more"] is False
            return answers
    pytest.fail("the list did not end")


def test_paging_is_complete_while_new_calls_arrive(world: World) -> None:
    begin = UNTIL - 2 * DAY
    clock = [begin + timedelta(hours=hour) for hour in range(40)]
    ids = [row["conversation_id"] for rows in pages(world, clock, page_size="30") for row in rows]
    there = [document["conversation_id"] for document in world.details(begin)]
    assert len(list(world.details(clock[20]))) > len(there)
    assert ids == there


def test_filters_select_what_they_say() -> None:
    world = World(conversations=200, days=5, until=UNTIL)
    rows = {document["conversation_id"]: world.row(document) for document in world.details(UNTIL)}
    middle = sorted(row["start_time_unix_secs"] for row in rows.values())[len(rows) // 2]
    agent = next(iter(rows.values()))["agent_id"]
    user = next(document["user_id"] for document in world.details(UNTIL) if document["user_id"])
    users = {document["conversation_id"]: document["user_id"] for document in world.details(UNTIL)}
    filters = {
        ("agent_id", agent): lambda row: row["agent_id"] == agent,
        ("call_successful", "failure"): lambda row: row["call_successful"] == "failure",
        ("call_start_after_unix", str(middle)): lambda row: row["start_time_unix_secs"] >= middle,
        ("call_start_before_unix", str(middle)): lambda row: row["start_time_unix_secs"] < middle,
        ("user_id", user): lambda row: users[row["conversation_id"]] == user,
        ("search", "APPOINTMENT MOVED"): lambda row: row["call_summary_title"] == "Appointment moved",
    }
    for (name, value), keep in filters.items():
        matching = [row for rows in pages(world, [UNTIL] * 20, page_size="100", **{name: value}) for row in rows]
        expected = [row | {"transcript_summary": None} for row in rows.values() if keep(row)]
        assert expected, name
        assert matching == expected, name


def test_summaries_come_when_asked_for(world: World) -> None:
    rows = page(world, query(summary_mode="include", page_size="10"), UNTIL, None)["conversations"]
    analyses = [(world.detail(row["conversation_id"], UNTIL) or {})["analysis"] for row in rows]
    assert [row["transcript_summary"] is None for row in rows] == [analysis is None for analysis in analyses]
    assert any(row["transcript_summary"] for row in rows)


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"page_size": "0"}, "page_size"),
        ({"page_size": "101"}, "page_size"),
        ({"page_size": "ten"}, "page_size"),
        ({"call_successful": "maybe"}, "call_successful"),
        ({"summary_mode": "all"}, "summary_mode"),
        ({"call_start_after_unix": "2026-01-01"}, "call_start_after_unix"),
    ],
)
def test_wrong_parameters_are_named(parameters: dict[str, str], where: str) -> None:
    with pytest.raises(ErrorResponse) as error:
        read_query(parameters)
    assert (error.value.status, error.value.detail[0]["loc"]) == (422, ["query", where])
