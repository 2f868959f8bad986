"""The record of publications: two files, so that what somebody removes from one is not forgotten."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from warehouse.errors import HomeError
from warehouse.publish import record
from warehouse.publish.record import RecordedTarget
from warehouse.publish.target import CSV, DELTA, PARQUET, Target
from warehouse.storage import landing
from warehouse.storage.home import Home

AT = datetime(2026, 11, 22, tzinfo=UTC)
URL = "file:///srv/a"


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").open()


def target(format_=DELTA, url=URL, **changes):
    return RecordedTarget(url, format_, ("marts",), **changes)


def test_a_target_is_added_replaced_and_forgotten(home):
    assert record.read_targets(home) == record.lost_targets(home) == ()
    record.put_target(home, target())
    record.put_target(home, target(CSV))
    record.put_target(home, target(tables=("marts.a",), published_at=AT))
    assert record.read_targets(home) == (target(tables=("marts.a",), published_at=AT), target(CSV))
    record.put_problem(home, URL, CSV, "full", AT)
    record.put_problem(home, "file:///srv/b", CSV, "not in the record", AT)
    assert record.read_targets(home)[1:] == (target(CSV, problem="full", failed_at=AT),)
    assert (record.forget_target(home, URL, DELTA), record.forget_target(home, URL, DELTA)) == (True, False)
    assert [recorded.identity for recorded in record.read_targets(home)] == [(URL, CSV)]
    assert record.lost_targets(home) == ()


def test_a_target_that_somebody_removed_is_lost_until_it_is_forgotten_or_published_again(home):
    record.put_target(home, target())
    record.put_target(home, target(CSV))
    (home.root / "published.json").unlink()
    assert (record.read_targets(home), record.lost_targets(home)) == ((), (target(), target(CSV)))
    assert record.find_target(home, URL, CSV) == target(CSV)
    assert record.find_target(home, URL, PARQUET) is None
    record.put_target(home, target())
    assert (record.read_targets(home), record.lost_targets(home)) == ((target(),), (target(CSV),))
    assert record.forget_target(home, URL, CSV)
    assert record.lost_targets(home) == ()


def test_without_a_format_a_target_has_the_one_in_which_it_was_published(home):
    assert record.named_target(home, "/srv/a", None) == Target(URL, DELTA)
    record.put_target(home, target(CSV))
    record.put_target(home, target(PARQUET, "file:///srv/b"))
    assert record.named_target(home, "/srv/a", None) == Target(URL, CSV)
    assert record.named_target(home, "/srv/a", PARQUET) == Target(URL, PARQUET)
    record.put_target(home, target(PARQUET))
    assert record.named_target(home, "/srv/a", None) == Target(URL, DELTA)


def test_targets_are_pending_from_an_erasure_on(home):
    erased = {"conversation_id": "a", "start_date": date(2026, 11, 22), "kind": landing.ERASED, "fetched_at": AT}
    current = target(removed=record.removed_fingerprint(home))
    record.put_target(home, current)
    record.put_target(home, target(CSV))
    assert record.pending_targets(home) == (target(CSV),)
    landing.land_documents(home, [erased])
    assert record.pending_targets(home) == (current, target(CSV))
    assert record.pending_lost_targets(home) == ()
    (home.root / "published.json").unlink()
    assert (record.pending_targets(home), record.pending_lost_targets(home)) == ((), (current, target(CSV)))


def test_a_damaged_record_is_named(home):
    file = home.root / "published.json"
    file.write_text("{")
    with pytest.raises(HomeError, match=f"^{file} cannot be read: .*") as error:
        record.read_targets(home)
    assert error.value.hint == "Correct it: it has the targets of `publish`."
