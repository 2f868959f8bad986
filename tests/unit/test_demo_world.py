"""The demo's world: the same calls whatever the day of its first run, moved to end with it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli.demo import DRAWN_UNTIL, DemoWorld
from pipelines.emulator.data.agents import AGENTS
from pipelines.emulator.generator.world import World
from pipelines.emulator.server import agents_endpoint

DAYS = [date(2028, 2, 29), date(2026, 12, 31), date(2027, 1, 1), date(2026, 3, 29), date(2026, 10, 25)]


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def moved(value: Any, by: timedelta) -> Any:
    """A document with every time moved; without the one that is written in words."""
    if isinstance(value, dict):
        return {
            key: (datetime.fromisoformat(part) + by).isoformat() if key == "system__time_utc" else moved(part, by)
            for key, part in value.items()
            if key != "system__time"
        }
    if isinstance(value, list):
        return [moved(part, by) for part in value]
    if isinstance(value, int | float) and value > 1e9:
        return value + by.total_seconds() * (1000 if value > 1e12 else 1)
    return value


@cache
def documents(first_until: date, nights: int) -> list[dict[str, Any]]:
    """What a demo that began on a day shows some nights later."""
    until = first_until + timedelta(days=nights)
    return list(DemoWorld.begin(7, 200, 7, first_until).until(until).details(midnight(until)))


@cache
def expected_documents(nights: int) -> list[Any]:
    return [moved(document, timedelta()) for document in documents(DRAWN_UNTIL, nights)]


@pytest.mark.parametrize("first_until", DAYS)
def test_the_same_documents_on_any_day_except_for_their_times(first_until: date) -> None:
    by = first_until - DRAWN_UNTIL
    for nights in (0, 9):  # on the first night, and when the world has grown and late changes came
        actual = documents(first_until, nights)
        assert len(actual) > 150
        assert [moved(document, -by) for document in actual] == expected_documents(nights)


def test_the_day_that_the_calls_are_drawn_for_is_the_world_that_is_not_moved() -> None:
    until = midnight(DRAWN_UNTIL)
    demo = DemoWorld.begin(7, 40, 3, DRAWN_UNTIL).until(DRAWN_UNTIL)
    assert list(demo.details(until)) == list(World(conversations=40, days=3, until=until).details(until))


@pytest.mark.parametrize("day", DAYS)
def test_a_version_is_published_on_the_day_from_which_it_answers(day: date) -> None:
    world = DemoWorld.begin(7, 1200, 42, day).until(day)
    starts: dict[str, float] = {}
    for document in world.details(midnight(day)):
        start = document["metadata"]["start_time_unix_secs"]
        version_id = document.get("version_id")
        starts[version_id] = min(start, starts.get(version_id, start))
    is_published = {}
    for agent in AGENTS:
        for number, version in enumerate(agent.versions):
            about = agents_endpoint.version(agent, version.version_id, world.shift) or {}
            days = (starts[version.version_id] - about["time_committed_secs"]) / 86400
            is_published[agent.key, number] = 0 <= days < 3
    assert is_published == dict.fromkeys(is_published, True)
    assert len(is_published) > 5


def test_a_call_stays_as_it_is_when_the_world_grows() -> None:
    first, later = date(2028, 2, 29), date(2028, 3, 12)
    world = DemoWorld.begin(7, 40, 3, first)
    now = midnight(first)
    before = {document["conversation_id"]: document for document in world.until(first).details(now)}
    after = {document["conversation_id"]: document for document in world.until(later).details(now)}
    assert len(before) > 30
    assert {conversation_id: after[conversation_id] for conversation_id in before} == before


def test_a_note_keeps_the_world_and_one_of_an_earlier_version_moves_nothing(tmp_path: Path) -> None:
    note = tmp_path / "demo.json"
    world = DemoWorld.begin(1, 20, 2, date(2026, 12, 31))
    world.write(note)
    assert DemoWorld.read(note) == world == DemoWorld(1, 20, 2, date(2026, 12, 31), shift_days=35)
    note.write_text(json.dumps({"seed": 1, "conversations": 20, "days": 2, "first_until": "2026-12-31"}))
    assert DemoWorld.read(note) == DemoWorld(1, 20, 2, date(2026, 12, 31), shift_days=0)
