"""The story of the emulated world: each of its elements can be measured in the documents, whatever the days."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import pairwise
from statistics import mean
from typing import Any

import pytest

from pipelines.cli.demo import DRAWN_UNTIL, DemoWorld
from pipelines.emulator.data.agents import BY_KEY
from pipelines.emulator.data.story import STORY
from pipelines.emulator.generator.world import World

Documents = list[dict[str, Any]]
DAY_SECS = 86_400
EPOCH = date(1970, 1, 1)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


# The demo on its own day and on others, and a world that is not moved and holds parts of two cycles.
@pytest.fixture(scope="module", params=["demo", "demo on a leap day", "demo weeks later", "not moved"])
def documents(request: pytest.FixtureRequest) -> Documents:
    first = {"demo on a leap day": date(2028, 2, 29)}.get(request.param, DRAWN_UNTIL)
    if request.param == "not moved":
        until = datetime(2026, 12, 9, tzinfo=UTC)
        return list(World(until=until).details(until))
    demo = DemoWorld.begin(7, 1200, STORY.cycle_days, first)
    if request.param != "demo weeks later":
        return list(demo.until(first).details(midnight(first)))
    later = date(2027, 1, 7)  # the last cycle of a demo that was run again and again
    begin = midnight(later).timestamp() - STORY.cycle_days * DAY_SECS
    return [document for document in demo.until(later).details(midnight(later)) if start(document) >= begin]


@pytest.fixture
def finished(documents: Documents) -> Documents:
    return [document for document in documents if document["status"] in ("done", "failed")]


def start(document: dict[str, Any]) -> int:
    secs: int = document["metadata"]["start_time_unix_secs"]
    return secs


def hour(document: dict[str, Any]) -> int:
    return start(document) % DAY_SECS // 3600


def of_agent(documents: Documents, key: str) -> Documents:
    return [document for document in documents if document["agent_id"] == BY_KEY[key].agent_id]


def results(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return iter(((document["analysis"] or {}).get("evaluation_criteria_results") or {}).items())


def tool_results(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [result for entry in document["transcript"] for result in entry["tool_results"]]


def test_the_window_of_the_demo_is_one_cycle() -> None:
    assert STORY.day_of_cycle((DRAWN_UNTIL - EPOCH).days) == 0
    assert STORY.cycle_days == 42


def test_the_newer_version_of_an_agent_fails_more_and_costs_less(finished: Documents) -> None:
    old, new = (version.version_id for version in BY_KEY[STORY.new_version.agent].versions)
    by_version = defaultdict(list)
    for document in of_agent(finished, STORY.new_version.agent):
        if "version_id" in document and document["analysis"]:
            by_version[document["version_id"]].append(document)
    assert by_version.keys() == {old, new}

    def failures(version: str) -> float:
        return mean(document["analysis"]["call_successful"] == "failure" for document in by_version[version])

    def cost(version: str) -> float:
        return mean(document["metadata"]["cost"] for document in by_version[version])

    assert min(map(len, by_version.values())) > 40
    assert failures(new) > 1.5 * failures(old)
    assert cost(new) < 0.95 * cost(old)


def test_a_branch_answers_half_of_an_agents_callers_and_costs_less(finished: Documents) -> None:
    branches = defaultdict(list)
    for document in of_agent(finished, STORY.branch.agent):
        branches[document["branch_id"]].append(document)
    main, other = BY_KEY[STORY.branch.agent].branch_id, STORY.branch.branch_id
    assert branches.keys() == {main, other}
    assert min(map(len, branches.values())) > 40
    phones = [{(d["metadata"]["phone_call"] or {}).get("external_number") for d in of} for of in branches.values()]
    assert phones[0] & phones[1] <= {None}
    costs = {name: mean(document["metadata"]["cost"] for document in of) for name, of in branches.items()}
    assert costs[other] < 0.85 * costs[main]


def test_a_tool_times_out_in_the_evening_alone(finished: Documents) -> None:
    evening = STORY.evening_timeouts
    calls: Counter[bool] = Counter()
    timeouts: Counter[bool] = Counter()
    for document in finished:
        is_evening = evening.from_hour <= hour(document) <= evening.until_hour
        for result in tool_results(document):
            if result["tool_name"] == evening.tool:
                calls[is_evening] += 1
                is_timeout = result["is_error"] and "timed out" in result["result_value"]
                timeouts[is_evening] += is_timeout
                assert not is_timeout or result["tool_latency_secs"] >= evening.latency_secs
                assert not is_timeout or result.get("error_type", "timeout") == "timeout"
    assert timeouts[True] >= 10
    assert timeouts[True] / calls[True] > 0.3
    assert timeouts[False] == 0
    assert calls[False] > 50


def test_a_criterion_breaks_on_one_language(finished: Documents) -> None:
    broken = STORY.broken_criterion
    verdicts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for document in finished:
        for name, result in results(document):
            if name == broken.criterion and document["metadata"]["main_language"]:
                verdicts[document["metadata"]["main_language"]][result["result"]] += 1
    shares = {language: counts["success"] / counts.total() for language, counts in verdicts.items()}
    assert shares.keys() == {"en", "de", "es"}
    assert verdicts[broken.language].total() >= 30
    assert shares.pop(broken.language) < 0.35
    assert min(shares.values()) > 0.7


def test_batches_reach_some_machines_and_do_not_reach_others(finished: Documents) -> None:
    batches: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for document in finished:
        metadata = document["metadata"]
        if metadata["batch_call"] is None:
            continue
        if not document["transcript"] and metadata["termination_reason"] == "":
            kind = "no_answer"
        elif metadata["termination_reason"] == "voicemail_detection tool was called.":
            kind = "voicemail"
        else:
            kind = "answered"
        batches[metadata["batch_call"]["batch_call_id"]][kind] += 1
    assert 6 <= len(batches) <= 7  # one a week
    largest = max(batches.values(), key=lambda counts: counts.total())
    assert largest.total() >= 25
    assert min(largest["no_answer"], largest["voicemail"]) >= 2
    total = sum(batches.values(), Counter[str]())
    assert total["no_answer"] / total.total() > 0.08
    assert total["voicemail"] / total.total() > 0.05


def test_unanswered_conversations_look_like_the_real_ones(finished: Documents) -> None:
    unanswered = [
        document
        for document in finished
        if document["metadata"]["error"] and document["metadata"]["error"]["code"] == 1011
    ]
    unanswered = [document for document in unanswered if document["metadata"]["error"]["reason"] == "request timed out"]
    call_results: Counter[str | None] = Counter()
    for document in unanswered:
        metadata = document["metadata"]
        assert (document["status"], document["transcript"], document["has_audio"]) == ("failed", [], True)
        assert (metadata["accepted_time_unix_secs"], metadata["call_duration_secs"], metadata["cost"]) == (None, 0, 0)
        assert (metadata["phone_call"]["call_sid"], metadata["phone_call"]["direction"]) == ("", "outbound")
        assert metadata["termination_reason"] == ""
        assert document["analysis"]["call_successful"] == "unknown"
        assert document["analysis"]["transcript_summary"] == "Summary couldn't be generated for this call."
        assert document["analysis"]["call_summary_title"] is None
        assert document["analysis"]["evaluation_criteria_results"] == {}
        error_type = {"error_type": "no_answer"} if "conversation_product" in document else {}  # the form of 2026
        assert metadata["error"] == {"code": 1011, "reason": "request timed out", **error_type}
        if "conversation_product" in document:
            assert metadata["charging"] is None
            call_results[metadata["phone_call"].get("call_result")] += 1
    assert len(unanswered) >= 10
    assert set(call_results) <= {"no_answer", None}


def test_callers_come_back_about_the_same_topic_within_days(finished: Documents) -> None:
    within = STORY.callbacks.within_days + 1
    earlier: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    names: defaultdict[str, set[str]] = defaultdict(set)
    said = 0
    came_back = 0
    for document in sorted(finished, key=start):
        variables = document["conversation_initiation_client_data"]["dynamic_variables"]
        phone = document["metadata"]["phone_call"]
        caller = phone["external_number"] if phone else document["user_id"]
        if not caller or not document["analysis"] or not document["transcript"]:
            continue
        if phone and variables:
            names[caller].add(variables["customer_name"])
        key = (caller, document["agent_id"], document["analysis"]["call_summary_title"])
        came_back += any(start(document) - before <= within * DAY_SECS for before in earlier[key])
        earlier[key].append(start(document))
        text = " ".join(entry["message"] or "" for entry in document["transcript"])
        said += "a few days ago about this" in text or "calling about the same thing" in text
    assert came_back >= 25
    assert said >= 10
    assert {len(of_caller) for of_caller in names.values()} == {1}  # a number is a person


def test_some_turns_let_the_caller_wait_longer_than_three_seconds(finished: Documents) -> None:
    waits = []
    for document in finished:
        for entry in document["transcript"]:
            metrics = entry["conversation_turn_metrics"] or {}
            times = metrics.get("metrics", metrics)
            if entry["message"] and "convai_ttf_audio_since_silence" in times:
                waits.append(times["convai_ttf_audio_since_silence"]["elapsed_time"])
    slow = sum(wait > 3 for wait in waits)
    assert len(waits) > 3000
    assert 0.01 < slow / len(waits) < 0.05


def test_the_price_of_a_model_jumps(finished: Documents) -> None:
    jump = STORY.price_jump
    by_day: defaultdict[int, list[float]] = defaultdict(list)
    for document in finished:
        usage = (document["metadata"]["charging"] or {}).get("llm_usage")
        kinds = usage and usage["initiated_generation"]["model_usage"].get(jump.model)
        if kinds and kinds["input"]["tokens"]:
            by_day[start(document) // DAY_SECS].append(kinds["input"]["price"] / kinds["input"]["tokens"] * 1e6)
    days = sorted(by_day)
    levels = {day: {round(price, 6) for price in by_day[day]} for day in days}
    assert {len(prices) for prices in levels.values()} == {1}  # within a day one price
    low, high = sorted({max(prices) for prices in levels.values()})
    assert high == pytest.approx(low * jump.factor)
    raises = [day for before, day in pairwise(days) if max(levels[before]) < max(levels[day])]
    assert len(raises) == 1


def test_failures_have_different_rationales(finished: Documents) -> None:
    by_criterion: defaultdict[str, set[str]] = defaultdict(set)
    for document in finished:
        for name, result in results(document):
            if result["result"] == "failure":
                by_criterion[name].add(result["rationale"])
    assert len(by_criterion) == 4
    assert min(map(len, by_criterion.values())) >= 5


def test_searches_find_different_sentences(finished: Documents) -> None:
    sentences = Counter(
        entry["message"]
        for document in finished
        for entry in document["transcript"]
        if entry["message"] and len(entry["message"]) > 20
    )
    assert len(sentences) > 2000
    for word in ("refund", "appointment", "breakfast", "car", "bill"):
        assert len({sentence for sentence in sentences if word in sentence.lower()}) >= 3, word


def test_starts_are_spread_over_the_day(documents: Documents) -> None:
    buckets = Counter(start(document) % DAY_SECS // 300 for document in documents)
    hours = Counter(map(hour, documents))
    assert max(buckets.values()) < 0.03 * len(documents)
    assert hours[23] < 0.04 * len(documents)
    last_minutes = sum(count for bucket, count in buckets.items() if bucket >= 286)
    assert last_minutes < 0.03 * len(documents)


def test_both_forms_are_served_as_before(documents: Documents) -> None:
    assert 0.48 < mean("conversation_product" in document for document in documents) < 0.59


def test_a_few_conversations_are_open_on_the_nights_of_the_demo() -> None:
    for ago in (0, 7):
        now = datetime.fromtimestamp(midnight(DRAWN_UNTIL).timestamp() - ago * DAY_SECS, UTC)
        world = DemoWorld.begin(7, 1200, STORY.cycle_days, DRAWN_UNTIL).until(DRAWN_UNTIL)
        statuses = sorted(document["status"] for document in world.details(now))
        assert [status for status in statuses if status not in ("done", "failed")] == [
            "in-progress",
            "initiated",
            "processing",
        ]
