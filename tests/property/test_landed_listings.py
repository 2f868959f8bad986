"""Landing only changes, merging, kills and erasures never change what the listings say of a conversation."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.examples import examples
from tests.helpers.landed_files import START, land_rows, merge_and_die, n_records
from warehouse.storage import erasure, landing, landing_merge
from warehouse.storage.home import Home

IDS = st.sampled_from(["a", "b", "c"])
LISTED = st.dictionaries(IDS, st.sampled_from(["A", "B"]))
STEPS = st.lists(st.one_of(LISTED, st.just("merge"), st.integers(1, 8), IDS), max_size=24)
"""A listing with the content of what it shows; a merge; a merge that dies at a step; an erasure."""


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_the_latest_row_and_the_first_and_last_sight_are_those_of_every_listing(steps):
    shown: dict[str, list] = {}
    windows, erased = [], set()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        home = Home(Path(folder) / "home").open()
        for number, step in enumerate(steps):
            at = START + timedelta(hours=number)
            if isinstance(step, dict):
                contents = {name: content for name, content in step.items() if name not in erased}
                land_rows(home, at, contents)
                windows.append(at)
                for name, content in contents.items():
                    shown.setdefault(name, []).append((at, content))
            elif step == "merge":
                landing_merge.merge(home)
            elif isinstance(step, int):
                merge_and_die(home, monkeypatch, step)
                assert_equals(home, shown, windows)  # what a reader sees before the next writer
                landing_merge.finish(home)
            else:
                erase(home, step, at)
                erased.add(step)
                shown.pop(step, None)
            assert_equals(home, shown, windows)
        assert n_records(home) == 0


def erase(home, conversation_id, at):
    erasure.write_tombstones(home, erasure.find_start_dates(home, [conversation_id]), at)
    erasure.purge(home)


def assert_equals(home, shown, windows):
    rows = landing.latest_list_rows(home, ("fingerprint", "agent_name", "start_date", "first_seen_at", "listed_at"))
    assert sorted(rows.rows()) == [
        (name, sights[-1][1], sights[-1][1], START.date(), sights[0][0], sights[-1][0])
        for name, sights in sorted(shown.items())
    ]
    assert [listing.listed_at for listing in landing.listings(home)] == windows
