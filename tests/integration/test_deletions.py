"""Nightly syncs of a world with deletions: they are noticed, never guessed, and treated as the policy says."""

from __future__ import annotations

import json
from datetime import timedelta

import polars as pl
import pytest

from pipelines.emulator.server.serve import running
from pipelines.errors import ApiUnavailableError
from pipelines.usecases import sync, sync_steps
from tests.helpers.disk_contents import contents, words_in
from tests.helpers.nights import NIGHT, UNTIL, Nights
from warehouse.connection import open_warehouse
from warehouse.models.data_quality import check_complete
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.schema.transcript import TURNS
from warehouse.storage import lake, landing, parquet
from warehouse.storage.freshness import last_full_listing_at

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

OF_CONTENT = {
    *(("data_collection_fill", name) for name in ("n_typed", "n_of_declared_type", "of_declared_type_rate")),
    *(("data_collection_fill", name) for name in ("n_values", "top_values")),
    *(("repeat_callers", name) for name in ("n_known_calls", "caller_coverage", "n_callers")),
}
"""Measures of content and persons, which a redaction removes; all others stay."""
MOMENT = timedelta(milliseconds=1)
"""Too short for any conversation of the world to change."""


@pytest.fixture
def nights(synced_nights):
    """After the first sync."""
    return synced_nights.begin()


def unique_texts(nights, conversation_id, *, words_only):
    """Texts of a conversation that no other has: those of content and persons, or all of them."""
    documents = nights.documents()
    document = documents.pop(conversation_id)
    others = json.dumps(list(documents.values()), ensure_ascii=False)
    holders = [entry.get("message") for entry in document["transcript"]]
    if words_only:
        holders += [document["user_id"], *(document["analysis"] or {}).values()]
        holders += [document["metadata"]["phone_call"], document["conversation_initiation_client_data"]["user_id"]]
        holders += [call["params_as_json"] for entry in document["transcript"] for call in entry["tool_calls"] or []]
    else:
        holders = [document]
    candidates = {
        text for text in texts(holders) if len(text) > 8 and json.dumps(text, ensure_ascii=False)[1:-1] not in others
    }
    return {text for text in candidates if text not in conversation_id and text != document["agent_id"]}


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in {"phone_number_id", "agent_number"}:
                yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def metrics(home):
    """Rows of every metric of conversations; sync_health is about runs and changes with a deletion."""
    with open_warehouse(home) as connection:
        tables = connection.sql("select table_name from information_schema.tables where table_schema = 'metrics'")
        names = {name for (name,) in tables.fetchall()} - {"sync_health"}
        return {name: connection.sql(f"from metrics.{name} order by all").pl().to_dicts() for name in sorted(names)}


@pytest.mark.usefixtures("every_model")
def test_a_deletion_is_noticed_by_the_next_run_and_confirmed_it_removes_content_but_no_number(tmp_path):
    nights = Nights(tmp_path / "home [1]")
    deleted_id = nights.finished()
    words = unique_texts(nights, deleted_id, words_only=True)
    with running(nights.app) as url:
        context = nights.context(url, confirm_deletion_hours=0)
        sync.sync(context, run_id="1")
        before, numbers = contents(context.home.root), metrics(context.home)
        assert words_in(before, words) == words != set()
        roles = lake.read(context.home, TURNS).filter(conversation_id=deleted_id)["role"].to_list()

        nights.world.delete(deleted_id, nights.now)
        for run_id in ("2", "3"):
            kept = contents(context.home.root)
            assert words_in(kept, words) == words
            nights.now += MOMENT
            result = sync.sync(context, run_id=run_id)
            assert (result.problems, result.run["n_missing"], result.run["n_gone"]) == ((), 1, 1)
            assert nights.recorded(context) == [(deleted_id, nights.now, "not_found", "deleted")]
    row = lake.read(context.home, CONVERSATIONS).filter(conversation_id=deleted_id).row(0, named=True)
    assert (row["is_deleted"], row["deletion_reason"], row["user_id"]) == (True, "deleted", None)
    turns = lake.read(context.home, TURNS).filter(conversation_id=deleted_id)
    assert turns["role"].to_list() == roles
    assert set(turns["message"].drop_nulls()) <= {"<redacted>", "..."}
    metrics_after = metrics(context.home)
    changed = {
        (name, key)
        for name, rows in numbers.items()
        for row, row_after in zip(rows, metrics_after[name], strict=True)
        for key in row
        if row[key] != row_after[key]
    }
    counted = {(name, "n_deleted") for name in ("agent_daily", "agent_scorecard", "version_comparison")}
    assert counted <= changed <= counted | OF_CONTENT
    after = contents(context.home.root)
    assert words_in(after, words) == set()


def test_a_gap_in_a_list_is_no_deletion_and_is_fetched(nights):
    hidden = nights.finished()
    context = nights.context(nights.url, reread_days=())
    nights.world.hidden = {hidden}
    for run_id, n_missing in (("2", 1), ("3", 1)):
        nights.now += MOMENT
        result = sync.sync(context, run_id=run_id)
        assert (result.run["n_missing"], result.run["n_gone"]) == (n_missing, 0)
        assert [problem.split()[0] for problem in result.problems] == ["listing_is_complete"]
        assert f"Failing rows: 1, such as {hidden}." in result.problems[0]
    landed = landing.snapshots(context.home).filter(conversation_id=hidden)
    assert nights.recorded(context) == []
    assert landed["kind"].to_list() == ["document", "unchanged", "unchanged"]


def test_a_list_that_shows_nothing_of_what_there_is_leaves_the_run_incomplete_and_stale(nights):
    """A key that may not see the agents, or a broken list: that it answers 200 proves nothing."""
    context = nights.context(nights.url)
    fresh = last_full_listing_at(context.home, now=nights.now)
    nights.world.hidden = set(nights.documents())
    for run_id in ("2", "3"):
        nights.now += NIGHT
        result = sync.sync(context, run_id=run_id)
        assert (result.run["n_listed"], result.run["n_gone"], result.run["outcome"]) == (0, 0, "incomplete")
        assert [problem.split()[0] for problem in result.problems] == ["listing_is_complete"]
        assert last_full_listing_at(context.home, now=nights.now) == fresh
        assert [check.check.name for check in check_complete(context.home.all_workspaces) if not check.is_passed] == [
            "listing_is_complete"
        ]
    nights.world.hidden = set()
    nights.now += NIGHT
    assert sync.sync(context, run_id="4").problems == ()
    assert last_full_listing_at(context.home, now=nights.now) == nights.now


def test_a_gap_that_is_longer_than_the_look_back_is_copied_once_the_list_shows_it(nights, monkeypatch):
    """An agent that the list does not show for five nights; the first of them is before the window of the sixth."""
    now, agent_id = nights.now, nights.documents()[nights.finished()]["agent_id"]
    nights.now -= 6 * NIGHT
    nights.home /= "of a gap"
    context = nights.context(nights.url, lookback_days=1)
    sync.sync(context, run_id="before")
    while nights.now < now - NIGHT:
        nights.now += NIGHT
        nights.world.hidden = {i for i, document in nights.documents().items() if document["agent_id"] == agent_id}
        sync.sync(context, run_id=f"hidden {nights.now}")
    unlisted = nights.documents().keys() - set(lake.read(context.home, CONVERSATIONS)["conversation_id"])
    nights.world.hidden = set()
    nights.now = now

    land, landed = landing.land_listing, []

    def break_off_at_the_second(home, listing, rows):
        if landed:
            raise OSError("broken off")
        landed.append(listing)
        land(home, listing, rows)

    with monkeypatch.context() as patch:
        patch.setattr(landing, "land_listing", break_off_at_the_second)
        with pytest.raises(OSError, match="broken off"):
            sync.sync(context, run_id="killed")
    result = sync.sync(context, run_id="after")
    assert (result.problems, result.run["n_skipped"] >= len(unlisted) > 5) == ((), True)
    assert set(lake.read(context.home, CONVERSATIONS)["conversation_id"]) == set(nights.documents())


def test_a_conversation_that_is_left_out_and_gone_leaves_the_run_complete(nights):
    context = nights.context(nights.url, reread_days=())
    nights.world.delete(nights.finished(), nights.now)
    nights.now += MOMENT
    result = sync.sync(context, run_id="2")
    assert (result.problems, result.run["n_gone"]) == ((), 1)


def test_an_incomplete_listing_makes_no_deletion(nights):
    deleted_id = nights.finished()
    context = nights.context(nights.url, reread_days=())
    nights.world.delete(deleted_id, nights.now)
    nights.now += MOMENT
    api, n_pages = nights.app.app, 0

    async def breaks_off(scope, receive, send):
        nonlocal n_pages
        if scope["type"] == "http" and scope["path"].endswith("/conversations"):
            n_pages += 1
            if n_pages > 1:
                raise ConnectionError
        await api(scope, receive, send)

    nights.app.app = breaks_off
    with pytest.raises(ApiUnavailableError):
        sync.sync(context, run_id="2", since=UNTIL - 9 * NIGHT)  # of two pages
    nights.app.app = api
    nights.app.requests.clear()
    sync_steps.build_models(context)
    assert nights.recorded(context) == []
    assert nights.app.details.total() == 0
    nights.now += MOMENT
    assert sync.sync(context, run_id="3").run["n_gone"] == 1


@pytest.mark.parametrize("policy", ["keep", "redact", "erase"])
def test_content_that_upstream_retention_removed_is_treated_by_the_policy(nights, policy):
    later = UNTIL + 17 * NIGHT
    context = nights.context(nights.url, on_upstream_delete=policy)
    before = lake.read(context.home, TURNS)
    full = nights.documents()
    nights.now = later
    blanked = {
        conversation_id
        for conversation_id, document in nights.documents().items()
        if full[conversation_id]["transcript"]
        and not document["transcript"]
        and document["status"] in ("done", "failed")
    }
    assert sync.sync(context, run_id="2").problems == ()
    after_one = lake.read(context.home, TURNS)
    of_blanked = pl.col("conversation_id").is_in(list(blanked))
    assert after_one.filter(of_blanked)["message"].equals(before.filter(of_blanked)["message"])
    nights.now += NIGHT
    result = sync.sync(context, run_id="3")
    words = {
        entry["message"]
        for conversation_id in blanked
        for entry in full[conversation_id]["transcript"]
        if entry["message"]
    }
    assert (result.problems, blanked != set()) == ((), True)
    reason = "erased" if policy == "erase" else "retention"
    assert {conversation_id for conversation_id, _, _, why in nights.recorded(context) if why == reason} >= blanked
    rows = lake.read(context.home, CONVERSATIONS).filter(pl.col("conversation_id").is_in(list(blanked)))
    turns = lake.read(context.home, TURNS).filter(pl.col("conversation_id").is_in(list(blanked)))
    if policy == "erase":
        assert (rows.height, turns.height) == (0, 0)
        return
    assert set(rows.select("is_deleted", "deletion_reason").rows()) == {(False, "retention")}
    assert turns.drop("message", "extra").height == before.filter(pl.col("conversation_id").is_in(list(blanked))).height
    list_rows = parquet.read_files(LANDED_LISTINGS, sorted(context.home.listings.glob("*.parquet")))
    # a listing that showed the same row again landed without it
    payloads = set(list_rows.filter(pl.col("conversation_id").is_in(list(blanked)))["payload"].drop_nulls())
    assert (payloads == {b"{}"}) == (policy == "redact")
    messages = set(turns["message"].drop_nulls())
    assert messages == words if policy == "keep" else messages <= {"<redacted>", "..."}


def test_a_policy_that_is_changed_later_reaches_what_was_deleted_before(nights):
    deleted_id = nights.finished()
    keeping = nights.context(nights.url, on_upstream_delete="keep")
    nights.world.delete(deleted_id, nights.now)
    for run_id in ("2", "3"):
        nights.now += NIGHT
        sync.sync(keeping, run_id=run_id)
    messages = set(lake.read(keeping.home, TURNS).filter(conversation_id=deleted_id)["message"].drop_nulls())
    assert nights.recorded(keeping) == [(deleted_id, nights.now, "not_found", "deleted")]
    sync.sync(nights.context(nights.url), run_id="4")
    redacted = set(lake.read(keeping.home, TURNS).filter(conversation_id=deleted_id)["message"].drop_nulls())
    assert (len(messages) > 2, redacted <= {"<redacted>", "..."}) == (True, True)
    nights.now += MOMENT
    erasing = nights.context(nights.url, on_upstream_delete="erase")
    assert sync.sync(erasing, run_id="5").problems == ()
    assert nights.recorded(erasing) == [(deleted_id, nights.now, "erased", "erased")]
    assert lake.read(erasing.home, TURNS).filter(conversation_id=deleted_id).is_empty()
