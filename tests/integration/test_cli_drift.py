"""``convohouse drift``: new unknown fields, for people and for programs; no key is needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.extract import run_log
from pipelines.transform.refresh_lake import refresh_lake
from tests.helpers.landed_files import snapshot_of
from tests.helpers.run_cli import run
from tests.helpers.sample_documents import STARTED, detail
from warehouse.storage import landing
from warehouse.storage.home import Home

AT = datetime(2026, 11, 2, 3, tzinfo=UTC)
NIGHTS = (AT, AT + timedelta(days=1))
OLD = {
    "workspace": "main",
    "path": "metadata.old\x1b[31m",
    "value": "",
    "kind": "key",
    "n_rows": 2,
    "n_conversations": 2,
    "first_seen_at": "2026-11-02T03:00:00+00:00",
    "last_seen_at": "2026-11-03T03:00:00+00:00",
    "example_id": "conv_1",
}
NEW = {
    "workspace": "main",
    "path": "status",
    "value": "melted",
    "kind": "word",
    "n_rows": 1,
    "n_conversations": 1,
    "first_seen_at": "2026-11-03T03:00:00+00:00",
    "last_seen_at": "2026-11-03T03:00:00+00:00",
    "example_id": "conv_1",
}


def sync_one(home, at, conversation_id, status):
    """A run that fetches one conversation."""
    metadata = {"start_time_unix_secs": STARTED, OLD["path"].removeprefix("metadata."): "what was said"}
    document = detail(conversation_id=conversation_id, status=status, metadata=metadata)
    run_log.start_run(home, conversation_id, at=at, window=None)
    landing.land_documents(home, [snapshot_of(document, at)])
    done = refresh_lake(home, reread_days=(1,))
    run_log.add_counts(home, conversation_id, at=at, n_fetched=1, n_flattened=done.n_flattened)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two nights: an unknown key in both, and an unknown value only in the second."""
    folder = tmp_path_factory.mktemp("drift")
    home = Home(folder / "data").open()
    for n, (at, status) in enumerate(zip(NIGHTS, ("done", "melted"), strict=True)):
        sync_one(home, at, f"conv_{n}", status)
    return folder


def test_fields_new_in_the_last_run_for_people(folder):
    ended = run(folder, "drift")
    assert ended.code == 0
    assert ended.text.splitlines() == [
        "path    kind  value   n_rows  first_seen_at     example_id",
        "status  word  melted       1  2026-11-03 03:00  conv_1",
    ]
    assert ended.err == "New: 1 unknown field; 1 seen before (`convohouse drift --since 2024-01-01` lists all).\n"


def test_fields_since_a_date_are_shown_without_control_characters_and_values(folder):
    ended = run(folder, "drift", "--since", "2024-01-01")
    assert (ended.code, ended.err) == (0, "New: 2 unknown fields.\n")
    assert [line.split()[:3] for line in ended.text.splitlines()] == [
        ["path", "kind", "value"],
        ["metadata.old\\u001b[31m", "key", "2"],
        ["status", "word", "melted"],
    ]
    assert "what was said" not in ended.text


def test_json_output(folder):
    ended = run(folder, "--json", "drift")
    assert (ended.code, ended.err) == (0, "")
    assert ended.data == {"new": [NEW], "n_seen_before": 1}
    assert run(folder, "drift", "--json", "--since", "2026-11-02T03:00").data == {"new": [OLD, NEW], "n_seen_before": 0}
    assert run(folder, "drift", "--json", "--since", "2026-11-03T03:00:01").data == {"new": [], "n_seen_before": 2}


def test_no_new_field_is_reported(folder):
    ended = run(folder, "drift", "--since", "2026-12-01")
    assert (ended.code, ended.out) == (0, b"")
    assert ended.err == "New: no unknown field; 2 seen before (`convohouse drift --since 2024-01-01` lists all).\n"


def test_an_empty_home_is_reported_and_not_created(tmp_path):
    ended = run(tmp_path, "drift")
    assert (ended.code, ended.out) == (0, b"")
    assert ended.err == (
        "data holds nothing yet. "
        "`convohouse sync` fills it, `convohouse demo` shows how; --home names another folder.\n"
    )
    assert run(tmp_path, "drift", "--json").data == {"new": [], "n_seen_before": 0}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("since", ["someday", "", "2026-02-30"])
def test_a_bad_date_is_refused(since, tmp_path):
    ended = run(tmp_path, "drift", "--since", since)
    assert (ended.code, ended.out) == (2, b"")
    assert ended.err.startswith(f"error: {since!r} is not a date.\n")
