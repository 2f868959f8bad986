"""Which removals count as expected, and when a run refuses to remove: retention that works is never refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.errors import RemovalsError
from pipelines.extract.deletion_policy import apply_policy
from pipelines.extract.removals import ids_to_confirm, is_confirmed, read_removals
from pipelines.settings import Settings
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.storage import lake, landing, parquet
from warehouse.storage.home import Home

FIRST_NIGHT = datetime(2026, 11, 1, 2, tzinfo=UTC)
DAY = timedelta(days=1)
PER_DAY = 12
RETENTION_DAYS = 14


@pytest.fixture(params=["redact", "erase"])
def settings(request, tmp_path):
    return Settings(home=tmp_path / "home", on_upstream_delete=request.param)


@pytest.fixture
def home(settings):
    home = Home(settings.home, settings.workspace).open()
    lake.ensure_schema_files(home)
    return home


def started(day):
    """Id and start of each conversation of a day, counted from the first night."""
    start = FIRST_NIGHT.replace(hour=9) + day * DAY
    return [(f"conv_{day}_{number}", start + timedelta(minutes=number)) for number in range(PER_DAY)]


def land(home, conversations, at, kind, agent_id="agent_a"):
    common = {"agent_id": agent_id, "status": "done", "kind": kind, "fetched_at": at}
    texts = {"payload": b'{"transcript": []}', "content_sha256": "00", "n_texts": 3} if kind == "document" else {}
    rows = [
        {"conversation_id": name, "start_date": start.date(), "start_time_at": start, "ended_at": start}
        | common
        | texts
        for name, start in conversations
    ]
    landing.land_documents(home, rows)


def announce(home, conversations, at):
    rows = [
        {"conversation_id": name, "start_date": start.date(), "deletion_settings_deletion_time_at": at}
        for name, start in conversations
    ]
    for (day,), of_day in parquet.frame(CONVERSATIONS, rows).group_by("start_date"):
        lake.overwrite_partition(home, CONVERSATIONS, day, of_day)


def removed_ids(home):
    """Conversations whose content is no longer landed."""
    snapshots = landing.snapshots(home)
    return set(snapshots.filter(pl.col("is_redacted") | (pl.col("kind") == landing.ERASED))["conversation_id"])


def keep_14_days(home, settings, n_nights, agent_id="agent_a", missed_night=None):
    """Nights of a workspace whose API keeps 14 days and announces nothing; returns the time of the last.

    Without a run in ``missed_night``, the two runs after it look at a day more, first and second.
    """
    at = FIRST_NIGHT
    for day in range(-RETENTION_DAYS, 0):
        land(home, started(day), at, "document", agent_id)
    for number in range(1, n_nights + 1):
        at = FIRST_NIGHT + number * DAY
        if number == missed_night:
            continue
        nights_after = number - (missed_night or number)
        if nights_after == 1:
            land(home, started(number - 2), at, "document", agent_id)
        land(home, started(number - 1), at, "document", agent_id)
        # the second look at yesterday's, the first at today's
        for days_ago in (2, 1, 0) if nights_after in {1, 2} else (1, 0):
            if number - days_ago > 0:
                land(home, started(number - days_ago - 1 - RETENTION_DAYS), at, "gone", agent_id)
        apply_policy(home, settings, at)
    return at


@pytest.mark.parametrize("missed_night", [None, 6])
def test_nightly_retention_that_nobody_announced_is_never_refused(home, settings, missed_night):
    keep_14_days(home, settings, n_nights=9, missed_night=missed_night)
    assert removed_ids(home) == {name for number in range(8) for name, _ in started(number - RETENTION_DAYS)}


def test_retention_of_days_without_a_conversation_is_never_refused(home, settings):
    days = [day for day in range(-RETENTION_DAYS, 8) if day not in {-9, -8}]  # such as a weekend
    for day in days:
        land(home, started(day), FIRST_NIGHT, "document")
    for number in range(1, 10):
        gone = {number - days_ago - 1 - RETENTION_DAYS for days_ago in (1, 0) if number > days_ago} & {*days}
        for day in sorted(gone):
            land(home, started(day), FIRST_NIGHT + number * DAY, "gone")
        apply_policy(home, settings, FIRST_NIGHT + number * DAY)
    assert removed_ids(home) == {name for day in days if day < 8 - RETENTION_DAYS for name, _ in started(day)}


def test_a_fault_is_refused_in_a_workspace_with_retention_too(home, settings):
    at = keep_14_days(home, settings, n_nights=5)
    removed = removed_ids(home)
    remaining = [pair for day in range(5 - RETENTION_DAYS, 5) for pair in started(day)]
    for later in (1, 2):
        land(home, remaining, at + later * DAY, "gone")
    with pytest.raises(RemovalsError):
        apply_policy(home, settings, at + 2 * DAY)
    assert removed_ids(home) == removed


@pytest.mark.parametrize("settings", ["redact"], indirect=True)
@pytest.mark.parametrize(("days_early", "is_refused"), [(1, False), (2, True)])
def test_a_rule_spares_what_goes_a_day_early_and_no_more(home, settings, days_early, is_refused):
    at = keep_14_days(home, settings, n_nights=6)
    early = started(5 - RETENTION_DAYS + days_early)
    land(home, early, at, "gone")
    land(home, started(5 - RETENTION_DAYS) + early, at + DAY, "gone")
    if is_refused:
        with pytest.raises(RemovalsError, match="12 of "):
            apply_policy(home, settings, at + DAY)
    else:
        apply_policy(home, settings, at + DAY)
    assert {name for name, _ in early}.isdisjoint(removed_ids(home)) is is_refused


def test_removals_night_after_night_are_no_rule_where_older_conversations_are_left(home, settings):
    for day in range(-40, 0):
        land(home, started(day), FIRST_NIGHT, "document")
    for number in (1, 2, 3):
        for day in range(-RETENTION_DAYS, number - RETENTION_DAYS):
            land(home, started(day) + started(day - 5), FIRST_NIGHT + number * DAY, "gone")
    with pytest.raises(RemovalsError, match="48 of 480 conversations"):
        apply_policy(home, settings, FIRST_NIGHT + 3 * DAY)
    assert removed_ids(home) == set()


@pytest.mark.parametrize("kind", ["gone", "blanked"])
@pytest.mark.parametrize("announced_for", [0, 3])
def test_what_the_document_announced_is_removed_and_never_counted(home, settings, kind, announced_for):
    conversations = started(-5) + started(-4)
    land(home, conversations, FIRST_NIGHT, "document")
    announce(home, conversations, FIRST_NIGHT + announced_for * DAY)
    for number in (1, 2):
        land(home, conversations, FIRST_NIGHT + number * DAY, kind)
    if announced_for == 0:
        apply_policy(home, settings, FIRST_NIGHT + 2 * DAY)
        assert removed_ids(home) == {name for name, _ in conversations}
        return
    with pytest.raises(RemovalsError):
        apply_policy(home, settings, FIRST_NIGHT + 2 * DAY)
    assert removed_ids(home) == set()


def test_nine_are_removed_and_ten_of_twelve_are_not(home, settings):
    conversations = started(-5)
    land(home, conversations, FIRST_NIGHT, "document")
    for number in (1, 2):
        land(home, conversations[:9], FIRST_NIGHT + number * DAY, "gone")
    apply_policy(home, settings, FIRST_NIGHT + 2 * DAY)
    assert len(removed_ids(home)) == 9
    others = started(-4)
    land(home, others, FIRST_NIGHT, "document")
    for number in (3, 4):
        land(home, others[:10], FIRST_NIGHT + number * DAY, "gone")
    with pytest.raises(RemovalsError):
        apply_policy(home, settings, FIRST_NIGHT + 4 * DAY)
    apply_policy(home, settings, FIRST_NIGHT + 4 * DAY, allow_removals=True)
    assert len(removed_ids(home)) == 19


@pytest.mark.parametrize(("n_removed", "is_refused"), [(12, False), (13, True)])
def test_a_share_is_of_all_conversations_that_are_kept(home, settings, n_removed, is_refused):
    """Of 240, 12 are 5 %, which may be removed at once."""
    conversations = [pair for day in range(-25, -5) for pair in started(day)]
    land(home, conversations, FIRST_NIGHT, "document")
    for number in (1, 2):
        land(home, conversations[-n_removed:], FIRST_NIGHT + number * DAY, "gone")
    if is_refused:
        with pytest.raises(RemovalsError, match="13 of 240 conversations"):
            apply_policy(home, settings, FIRST_NIGHT + 2 * DAY)
    else:
        apply_policy(home, settings, FIRST_NIGHT + 2 * DAY)
    assert len(removed_ids(home)) == (0 if is_refused else n_removed)


def test_a_document_between_two_404s_revokes_the_first(home):
    (conversation,) = started(-5)[:1]
    for number, kind in enumerate(("document", "gone", "unchanged", "gone")):
        land(home, [conversation], FIRST_NIGHT + number * DAY, kind)
    (row,) = read_removals(home).to_dicts()
    assert (row["n_observations"], row["noticed_at"]) == (1, FIRST_NIGHT + 3 * DAY)


HOUR = timedelta(hours=1)
CONFIRM_AFTER = 20 * HOUR


@pytest.fixture
def observed(tmp_path):
    """A workspace with a conversation for each way in which a removal is observed, confirmed or revoked.

    A run is at hour 0, 10, 20, ... after the first night; ``listed`` says after which run a listing shows it.
    """
    home = Home(tmp_path / "home").open()
    kinds = {
        "there": ("document", "document", "document"),
        "once": ("document", "document", "gone"),
        "twice, too soon": ("document", "gone", "gone"),
        "twice": ("gone", "unchanged", "blanked", "blanked", "blanked"),
        "listed after the last": ("document", "gone", "gone"),
        "listed in between": ("gone", "gone", "gone"),
        "blanked and listed": ("document", "document", "blanked"),
        "redacted": ("redacted", "gone", "gone", "gone"),
        "redacted and read since": ("redacted", "document", "gone", "gone"),
    }
    listed = {"listed after the last": 2, "listed in between": 0, "blanked and listed": 2}
    for number in range(5):
        at = FIRST_NIGHT + number * 10 * HOUR
        for name, kinds_of_one in kinds.items():
            if number < len(kinds_of_one):
                kind, row = kinds_of_one[number], {"conversation_id": name, "agent_id": "agent_a", "fetched_at": at}
                is_redacted = True if kind == "redacted" else None
                changes = {"kind": "document" if is_redacted else kind, "is_redacted": is_redacted}
                times = {"start_date": FIRST_NIGHT.date(), "start_time_at": FIRST_NIGHT}
                landing.land_documents(home, [row | changes | times | {"content_sha256": "00", "n_texts": 1}])
        names = [name for name, run in listed.items() if run == number]
        rows = [{"conversation_id": name, "listed_at": at, "payload": b"{}", "fingerprint": name} for name in names]
        if rows:
            landing.land_listing(home, landing.Listing(at, None, at), parquet.frame(LANDED_LISTINGS, rows))
    return home


def test_what_later_documents_and_listings_say_of_removals(observed):
    columns = ("conversation_id", "kind", "noticed_at", "observed_at", "n_observations", "is_redacted")
    rows = read_removals(observed).with_columns(is_confirmed=is_confirmed(CONFIRM_AFTER))
    hours = {FIRST_NIGHT + number * 10 * HOUR: number * 10 for number in range(5)}
    removals = {
        name: (kind, hours[noticed_at], hours[observed_at], *others)
        for name, kind, noticed_at, observed_at, *others in rows.select(*columns, "is_confirmed").rows()
    }
    assert removals == {
        "once": ("gone", 20, 20, 1, False, False),
        "twice, too soon": ("gone", 10, 20, 2, False, False),
        "twice": ("blanked", 20, 40, 3, False, True),
        "listed in between": ("gone", 10, 20, 2, False, False),
        "blanked and listed": ("blanked", 20, 20, 1, False, False),
        "redacted": ("gone", 10, 30, 3, True, True),
        "redacted and read since": ("gone", 20, 30, 2, False, False),
    }


@pytest.mark.parametrize(
    ("now", "names"),
    [
        (30, {"twice, too soon", "listed in between"}),
        (39, {"twice, too soon", "listed in between"}),
        (40, {"once", "twice, too soon", "listed in between", "blanked and listed", "redacted and read since"}),
    ],
)
def test_a_removal_is_looked_at_again_once_it_is_old_enough(observed, now, names):
    now_at = FIRST_NIGHT + now * HOUR
    assert ids_to_confirm(observed, now=now_at, confirm_after=CONFIRM_AFTER) == names
