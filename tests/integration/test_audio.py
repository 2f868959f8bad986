"""Recordings are saved once, complete, and within the budget; erasing a conversation erases its recording."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta

import click
import polars as pl
import pytest

from pipelines.api.circuit_breaker import MAX_CONSECUTIVE_FAILURES
from pipelines.api.endpoints import get_audio
from pipelines.cli.audio import Bytes
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.errors import CredentialsError
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.audio import download_audio
from pipelines.usecases.context import Context
from pipelines.usecases.erasure import erase
from tests.helpers import kill_at
from tests.helpers.editing_app import Answer, intercept
from tests.helpers.kept_home import KeptHome
from tests.helpers.run_cli import run
from warehouse.schema.activity import AUDIO_FILES
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.serve.query import query
from warehouse.storage import lake
from warehouse.storage.audio import AudioSelection
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
PLENTY = 10**9


class Recordings:
    """The API, the number of requests by recording, and the responses that replace some."""

    def __init__(self, conversations):
        self.now = UNTIL
        self.world = World(seed=21, conversations=conversations, days=3, until=UNTIL)
        self.app = intercept(create_app(self.world, clock=lambda: self.now), self._answer)
        self.requests, self.instead = Counter(), {}

    def _answer(self, scope):
        *_, conversation_id, last = scope["path"].split("/")
        if last != "audio":
            return None
        self.requests[conversation_id] += 1
        replacement = self.instead.get(conversation_id)
        return Answer(*replacement) if replacement else None

    def with_audio(self):
        return [document["conversation_id"] for document in self.world.details(self.now) if document["has_audio"]]

    def context(self, folder, url, **more):
        settings = Settings(home=folder / "data", base_url=url, api_key="demo", reread_days=(), **more)
        return Context(settings, clock=lambda: self.now)


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory):
    return KeptHome(tmp_path_factory.mktemp("audio") / "data")


@pytest.fixture
def copied(kept_home):
    api = Recordings(40)
    with running(api.app) as url:
        context = api.context(kept_home.root.parent, url)
        kept_home.put(lambda: sync.sync(context, run_id="1"))
        yield api, context


def files(home):
    return {file.stem: file for file in (home.root / "audio").glob("start_date=*/*.mp3")}


def logged(home):
    return {row["conversation_id"]: row for row in lake.read(home, AUDIO_FILES).to_dicts()}


def test_every_recording_is_saved_and_logged_with_size_and_hash(copied):
    api, context = copied
    done = download_audio(context, AudioSelection(), budget_bytes=PLENTY)
    saved = files(context.home)
    assert set(saved) == set(api.with_audio()) == set(logged(context.home))
    assert (done.n_saved, done.n_before, done.n_missing, done.n_left, done.failed) == (len(saved), 0, 0, 0, {})
    assert set(api.requests) == set(saved)
    for conversation_id, row in logged(context.home).items():
        content = saved[conversation_id].read_bytes()
        assert (row["outcome"], row["file_bytes"], row["sha256"]) == (
            "saved",
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
        assert context.home.root / row["path"] == saved[conversation_id]
        assert content.startswith(b"\xff\xfb")
        assert row["path"].startswith(f"audio/start_date={row['start_date']}/")
    assert list(context.home.temporary.glob("*.mp3")) == []
    api.requests.clear()
    again = download_audio(context, AudioSelection(), budget_bytes=PLENTY)
    assert (again.n_saved, again.n_before, api.requests) == (0, len(saved), {})


def test_a_recording_that_was_cut_or_deleted_is_downloaded_again(copied):
    _, context = copied
    total_bytes = download_audio(context, AudioSelection(), budget_bytes=PLENTY).total_bytes
    (cut, deleted, *others), hashes = (
        files(context.home).values(),
        {row["sha256"] for row in logged(context.home).values()},
    )
    cut.write_bytes(cut.read_bytes()[:-1])
    deleted.unlink()
    done = download_audio(context, AudioSelection(), budget_bytes=PLENTY)
    assert (done.n_saved, done.n_before, done.total_bytes) == (2, len(others), total_bytes)
    assert {hashlib.sha256(file.read_bytes()).hexdigest() for file in files(context.home).values()} == hashes


def test_a_recording_that_was_missing_twice_is_not_requested_again_and_the_others_are_saved(copied):
    api, context = copied
    first, second, third, *rest = api.with_audio()
    api.instead = {
        first: (404, b'{"detail": "There is no audio for this conversation."}'),
        second: (422, b'{"detail": [{"loc": ["path"], "msg": "no audio"}]}'),
        third: (200, b"<html>no MP3</html>"),
    }
    done = download_audio(context, AudioSelection(), budget_bytes=PLENTY)
    assert (done.n_saved, done.n_missing, list(done.failed)) == (len(rest), 2, [third])
    assert "it is not an MP3" in done.failed[third]
    rows = logged(context.home)
    assert [rows[key]["outcome"] for key in (first, second)] == ["not_found", "not_found"]
    assert third not in rows
    assert set(files(context.home)) == set(rest)
    assert list(context.home.temporary.glob("*.mp3")) == []
    for later, outcome in ((timedelta(hours=23), "not_found"), (timedelta(hours=1), "missing")):
        api.now += later
        assert download_audio(context, AudioSelection(), budget_bytes=PLENTY).n_missing == 2
        assert [logged(context.home)[key]["outcome"] for key in (first, second)] == [outcome, outcome]
    api.instead.clear()
    api.requests.clear()
    assert download_audio(context, AudioSelection(), budget_bytes=PLENTY).n_saved == 1
    assert api.requests == {third: 1}


def test_a_recording_that_was_missing_once_is_saved_once_it_is_there(copied):
    api, context = copied
    first, *_ = api.with_audio()
    api.instead = {first: (404, b"{}")}
    download_audio(context, AudioSelection(), budget_bytes=PLENTY)
    api.instead.clear()
    api.now += timedelta(days=1)
    assert download_audio(context, AudioSelection(), budget_bytes=PLENTY).n_saved == 1
    assert logged(context.home)[first]["outcome"] == "saved"


REFUSED = b'{"detail": {"status": "%b", "message": "no"}}'


@pytest.mark.parametrize("status", [401, 402, 403])
@pytest.mark.parametrize("code", [b"missing_permissions", b"quota_exceeded", b"invalid_api_key", b"a_new_word"])
def test_one_recording_that_the_key_may_not_have_costs_only_itself(copied, status, code):
    api, context = copied
    refused = api.with_audio()[3]
    api.instead = {refused: (status, REFUSED % code)}
    done = download_audio(context, AudioSelection(), budget_bytes=PLENTY)
    assert (set(done.failed), set(files(context.home))) == ({refused}, set(api.with_audio()) - {refused})


def test_a_key_that_may_have_no_recording_ends_the_download_after_a_few(copied):
    api, context = copied
    api.instead = dict.fromkeys(api.with_audio(), (403, REFUSED % b"missing_permissions"))
    with pytest.raises(CredentialsError):
        download_audio(context, AudioSelection(), budget_bytes=PLENTY)
    assert MAX_CONSECUTIVE_FAILURES <= api.requests.total() < len(api.with_audio())


def test_the_budget_holds_for_all_recordings_together(copied):
    api, context = copied
    whole = download_audio(context, AudioSelection(), budget_bytes=100_000)
    kept = sum(file.stat().st_size for file in files(context.home).values())
    assert whole.n_left > 0
    assert list(context.home.temporary.glob("*.mp3")) == []
    assert (whole.total_bytes, kept <= 100_000) == (kept, True)
    assert whole.n_saved + whole.n_left == len(api.with_audio())
    ended = run(context.home.root.parent, "audio", "--budget", "100kB", **_key(context))
    assert (ended.code, "did not fit: raise --budget" in ended.err) == (1, True)
    assert run(context.home.root.parent, "audio", "--budget", "a lot", **_key(context)).code == 2


def test_a_recording_is_not_read_beyond_the_budget(copied, monkeypatch):
    api, context = copied
    endless = api.with_audio()[0]
    api.instead = {endless: (200, b"ID3\x04" + bytes(20_000_000))}
    sizes = []

    async def measured(client, conversation_id, into, **options):
        try:
            await get_audio(client, conversation_id, into, **options)
        finally:
            sizes.append(into.tell())

    monkeypatch.setattr("pipelines.usecases.audio.get_audio", measured)
    done = download_audio(context, AudioSelection(), budget_bytes=1_000_000)
    assert (api.requests[endless], done.n_left > 0, done.failed) == (1, True, {})
    assert max(sizes) < 2_000_000  # the budget, and a piece
    assert done.total_bytes == sum(file.stat().st_size for file in files(context.home).values()) <= 1_000_000


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [("5GB", 5 * 10**9), ("100kB", 10**5), ("1.5 tb", 15 * 10**11), ("20m", 2 * 10**7), ("1000", 1000), ("10b", 10)],
)
def test_a_budget_is_written_in_powers_of_a_thousand(text, n_bytes):
    assert Bytes().convert(text, None, None) == n_bytes


@pytest.mark.parametrize("text", ["a lot", "5XB", "-1GB", "GB", "1e9", "5 GBs"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(click.BadParameter, match="is not a size on disk"):
        Bytes().convert(text, None, None)


def _key(context):
    return {"ELEVENLABS_API_KEY": "demo", "ELEVENLABS_BASE_URL": context.settings.base_url}


def test_agent_window_and_sample_select_and_a_sample_is_the_same_each_time(copied):
    api, context = copied
    documents = [document for document in api.world.details(UNTIL) if document["has_audio"]]
    agent_id = documents[0]["agent_id"]
    middle = UNTIL - timedelta(days=1)
    download_audio(context, AudioSelection(since=middle, agent_id=agent_id), budget_bytes=PLENTY)
    assert set(files(context.home)) == {
        document["conversation_id"]
        for document in documents
        if document["agent_id"] == agent_id and document["metadata"]["start_time_unix_secs"] >= middle.timestamp()
    }
    before = set(files(context.home))
    done = download_audio(context, AudioSelection(sample=5), budget_bytes=PLENTY)
    assert done.n_saved + done.n_before == 5
    after = set(files(context.home))
    assert len(after - before) == done.n_saved
    assert download_audio(context, AudioSelection(sample=5), budget_bytes=PLENTY).n_before == 5
    assert set(files(context.home)) == after


def test_erasing_and_redacting_remove_the_recording_and_its_log_entry(copied):
    api, context = copied
    first, second, *rest = api.with_audio()
    download_audio(context, AudioSelection(), budget_bytes=PLENTY)
    api.now += timedelta(minutes=1)
    done = erase(context, [first])
    assert done.receipts[0].landing["n_recordings"] == 1
    assert set(files(context.home)) == {second, *rest} == set(logged(context.home))
    api.world.delete(second, api.now)
    for run_id in ("2", "3"):
        assert second in files(context.home)
        api.now += timedelta(days=1)
        sync.sync(context, run_id=run_id, since=UNTIL - timedelta(days=9))
    assert set(files(context.home)) == set(rest) == set(logged(context.home))
    assert query(context.home, "select count(*) from lake.audio_files").item() == len(rest)


def test_an_odd_id_stays_one_name_below_the_folder(copied):
    _, context = copied
    odd = "../../../odd"
    rows = lake.read(context.home, CONVERSATIONS).with_columns(
        conversation_id=pl.lit(odd), has_audio=pl.lit(value=True)
    )
    day = rows["start_date"][0]
    lake.upsert_partition(context.home, CONVERSATIONS, day, rows.head(1), [])
    download_audio(context, AudioSelection(), budget_bytes=PLENTY)
    assert odd not in files(context.home)
    assert [file for file in context.home.root.parent.rglob("*odd*") if "audio" not in file.parts] == []


def test_of_two_hundred_recordings_none_is_fetched_twice_after_kills(tmp_path):
    api = Recordings(320)
    with running(api.app) as url:
        context = api.context(tmp_path, url)
        sync.sync(context, run_id="1")
        settings = _key(context) | {"CONVOHOUSE_HOME": str(context.home.root)}
        for point in (
            ("warehouse.storage.activity_log:append", 1, "audio_files"),
            ("pathlib:Path.replace", 40, "/audio/"),
        ):
            kill_at.die(point, "audio", folder=tmp_path, **settings)
        saved = set(files(context.home))
        assert len(saved) > 40
        api.requests.clear()
        done = download_audio(context, AudioSelection(), budget_bytes=PLENTY)
    assert set(api.requests) == set(api.with_audio()) - saved
    assert set(api.requests.values()) == {1}
    assert (done.n_before, done.failed) == (len(saved), {})
    assert len(files(context.home)) >= 200
    assert set(files(Home(context.home.root))) == set(api.with_audio()) == set(logged(context.home))
    assert list(context.home.temporary.glob("*.mp3")) == []
