"""The runner of feedback and audio: each item once, its outcomes logged in files of a size, whatever ends the batch."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from pipelines.errors import ApiUnavailableError
from pipelines.settings import Settings
from pipelines.usecases.batch_runner import BatchRunner
from pipelines.usecases.context import Context
from warehouse.schema.activity import FEEDBACK_SENT
from warehouse.storage import activity_log, lake

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Client:
    """Counts how often it was opened and closed."""

    def __init__(self):
        self.n_opened = self.n_closed = 0

    async def __aenter__(self):
        self.n_opened += 1
        return self

    async def __aexit__(self, *_):
        self.n_closed += 1


class Batch:
    """A runner, what it reported, and a handler that logs each item as sent."""

    def __init__(self, folder, **options):
        self.client, self.handled, self.progress = Client(), [], []
        settings = Settings(home=folder / "data", api_key="demo")
        self.context = Context(settings, clock=lambda: NOW, connect=lambda _settings: self.client)
        self.runner = BatchRunner(
            self.context,
            FEEDBACK_SENT,
            stage="send",
            progress=lambda *report: self.progress.append(report),
            **{"n_workers": 3, "entries_per_file": 4, **options},
        )

    def run(self, items, handle=None):
        with self.context.write_lock("test"):
            self.runner.run(items, len(items), handle or self.handle)

    async def handle(self, client, item):
        assert client is self.client
        self.handled.append(item)
        await asyncio.sleep(0)
        self.log(item)

    def log(self, item, outcome="sent"):
        self.runner.log(
            {
                "conversation_id": item,
                "sent_at": NOW,
                "feedback": "like",
                "outcome": outcome,
                "status": None,
                "error": None,
            }
        )

    def logged(self):
        return sorted(activity_log.latest_entries(self.context.home, FEEDBACK_SENT)["conversation_id"])

    def shown(self):
        return sorted(lake.read(self.context.home, FEEDBACK_SENT)["conversation_id"])

    def n_files(self):
        return len(list((self.context.home.landing / "feedback_sent").glob("*.parquet")))


def test_each_item_is_handled_once_logged_and_shown_in_the_lake(tmp_path):
    batch, items = Batch(tmp_path), [f"conv_{number:02}" for number in range(10)]
    batch.run(items)
    assert batch.handled == items
    assert batch.logged() == batch.shown() == items
    assert batch.n_files() == 3
    assert batch.progress == [("send", number, 10) for number in range(11)]
    assert (batch.client.n_opened, batch.client.n_closed) == (1, 1)


def test_an_error_ends_the_batch_and_what_was_logged_before_is_written(tmp_path):
    batch = Batch(tmp_path, n_workers=1)

    async def handle(client, item):
        if item == "conv_6":
            batch.log(item, "failed")
            raise OSError("disk full")
        await batch.handle(client, item)

    with pytest.raises(OSError, match="disk full"):
        batch.run([f"conv_{number}" for number in range(10)], handle)
    expected = [f"conv_{number}" for number in range(7)]
    assert batch.logged() == batch.shown() == expected
    assert batch.progress[-1] == ("send", 6, 10)
    assert batch.client.n_closed == 1


def test_entries_are_written_while_the_batch_is_running(tmp_path):
    batch, seen = Batch(tmp_path, n_workers=1), []

    async def handle(client, item):
        seen.append(batch.n_files())
        await batch.handle(client, item)

    batch.run([f"conv_{number:02}" for number in range(9)], handle)
    assert seen == [0, 0, 0, 0, 1, 1, 1, 1, 2]


def test_entries_whose_write_failed_are_written_at_the_end(tmp_path, monkeypatch):
    batch, append, failures = Batch(tmp_path, n_workers=1), activity_log.append, [OSError("disk full")]

    def failing_once(*arguments):
        if failures:
            raise failures.pop()
        append(*arguments)

    monkeypatch.setattr(activity_log, "append", failing_once)
    with pytest.raises(OSError, match="disk full"):
        batch.run([f"conv_{number}" for number in range(9)])
    assert batch.logged() == ["conv_0", "conv_1", "conv_2", "conv_3"]


def test_the_breaker_counts_over_all_workers(tmp_path):
    batch = Batch(tmp_path)

    async def handle(_client, item):
        await asyncio.sleep(0)
        batch.handled.append(item)
        batch.log(item, "failed")
        batch.runner.breaker.on_error(ApiUnavailableError("no response"))

    with pytest.raises(ApiUnavailableError):
        batch.run([f"conv_{number}" for number in range(30)], handle)
    assert 5 <= len(batch.handled) < 5 + 3  # the other two workers were about to go on
    assert batch.logged() == sorted(batch.handled)


def test_an_empty_batch_writes_no_file(tmp_path):
    batch = Batch(tmp_path)
    batch.run([])
    assert (batch.handled, batch.n_files(), batch.progress) == ([], 0, [("send", 0, 0)])
