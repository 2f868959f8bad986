"""What can happen to a home folder in a night: one function each, with the effect that it must have.

After each, the sync of that night must succeed without a gap, and the end must equal the world. ``TROUBLES`` has all of
them by name. A trouble that finds nothing to act on yet does nothing.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import polars as pl
import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.errors import ApiError
from pipelines.usecases.erasure import erase
from tests.chaos.house import FIRST_NIGHT, House
from warehouse.build.runner import build
from warehouse.errors import ConvohouseError
from warehouse.storage import landing, parquet

Trouble = Callable[[House], None]

MIN_KNOWN = 20
"""Known conversations with which another workspace is told apart."""

KILL_POINTS = {"pathlib:Path.replace": 40, "pathlib:Path.unlink": 12, "pathlib:Path.mkdir": 30, "os:fsync": 40}
"""Functions before a call of which a process is killed, with the highest number of the call."""


def kill(house: House) -> None:
    """SIGKILL of a sync: the next one completes what it left."""
    function = house.random.choice(sorted(KILL_POINTS))
    code = house.sync_and_die(function, house.random.randint(1, KILL_POINTS[function]))
    assert code in (-9, 0), f"the sync that was to be killed in {function} ended with {code}"


def faults(house: House) -> None:
    """An API that fails often: what it answers lands, and a run that ends green has all."""
    with house.api(house.faulty_app()), suppress(ApiError):
        if house.sync().problems == ():
            house.assert_no_gap()


def outage(house: House) -> None:
    """An API that is down: the run fails, and nothing is taken for deleted."""
    with house.api(house.answers("", 503)), pytest.raises(ApiError):
        house.sync()


def wrong_key(house: House) -> None:
    """A key that is rejected: the run fails, and nothing changes."""
    with pytest.raises(ApiError):
        house.sync(house.context(key="another"))


def clock_ahead(house: House) -> None:
    """A clock that is a year ahead for one run: later runs list and fetch all as if it had not been."""
    house.sync(house.context(clock=lambda: house.clock() + timedelta(days=365)))


def clock_behind(house: House) -> None:
    """A clock that is two days behind for one run: what it misses, the next run brings."""
    house.sync(house.context(clock=lambda: house.clock() - timedelta(days=2)))


def deletion(house: House) -> None:
    """Conversations deleted at the API: they leave the lake."""
    for conversation_id in house.draw_recent(2):
        house.world.delete(conversation_id, house.now)


def late_feedback(house: House) -> None:
    """Feedback days after a conversation: it arrives."""
    for conversation_id in house.draw_recent(3):
        house.world.feedback(conversation_id, house.random.choice(("like", "dislike")), house.now)


def erasure(house: House) -> None:
    """Conversations erased here: no sync brings them back."""
    for conversation_id in house.draw_recent(1):
        result = erase(house.context(), [conversation_id])
        house.erased |= {receipt.conversation_id for receipt in result.receipts}


def copied_home(house: House) -> None:
    """A home folder that was copied, its original removed: the copy goes on."""
    if house.root.exists():
        copy = house.folder / f"copy-{house.n_runs}"
        shutil.copytree(house.root, copy)
        shutil.rmtree(house.root)
        house.root = copy


def full_disk(house: House) -> None:
    """A disk that is full from some write on: the run fails, and the next one completes it."""
    real, n_left = parquet._write_parquet, house.random.randint(0, 12)

    def write(*arguments: object, **options: object) -> None:
        nonlocal n_left
        n_left -= 1
        if n_left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(*arguments, **options)  # type: ignore[arg-type]

    parquet._write_parquet = write
    try:
        house.sync()
    except (OSError, ConvohouseError):
        pass
    finally:
        parquet._write_parquet = real


def lost_warehouse(house: House) -> None:
    """``warehouse.duckdb`` is gone: the next build makes it again."""
    (house.root / "warehouse.duckdb").unlink(missing_ok=True)


def foreign_log(house: House) -> None:
    """A write-ahead log that is not ours lies beside the warehouse: the next build drops it."""
    log = house.root / "warehouse.duckdb.wal"
    if log.parent.exists():
        log.write_bytes(house.random.randbytes(500))
        build(house.context().home)
        assert not log.exists()


def damaged_warehouse(house: House) -> None:
    """Bits rot in ``warehouse.duckdb``: the next build finds out, or overwrites them."""
    file = house.root / "warehouse.duckdb"
    if file.exists():
        content = bytearray(file.read_bytes())
        begin = house.random.randrange(12_288, len(content))
        content[begin : begin + 4096] = house.random.randbytes(min(4096, len(content) - begin))
        file.write_bytes(content)


def damaged_lake_file(house: House) -> None:
    """A file of the lake is cut: it is named, and rebuilt from the landing."""
    if file := house.draw_file("lake/*/day=*/main*.parquet"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def lost_lake_day(house: House) -> None:
    """A day of a table of the lake is gone: it is noticed, and rebuilt from the landing."""
    if file := house.draw_file("lake/*/day=*/main*.parquet"):
        file.unlink()


def edited_lake_file(house: House) -> None:
    """Somebody removes rows of a file of the lake: it is noticed, and rebuilt from the landing."""
    if file := house.draw_file("lake/*/day=*/main.parquet"):
        rows = pl.read_parquet(file, glob=False)
        file.unlink()
        rows.head(rows.height // 2).write_parquet(file)


def earlier_counter(house: House) -> None:
    """A backup with an earlier counter of the landing, or with none: what lands next still counts as the latest."""
    counter = house.root / ".sequence"
    if counter.exists():
        number = int(counter.read_text())
        counter.unlink()
        if house.random.random() < 0.5:
            counter.write_text(f"{house.random.randint(0, number):020d}")


def damaged_landing_file(house: House) -> None:
    """A segment of the landing is cut: it is named, and its conversations are fetched again."""
    if file := house.draw_file("landing/*=*/main*.parquet"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def one_404(house: House) -> None:
    """One 404 for a conversation that the list has: it is not taken for deleted."""
    for conversation_id in house.draw_recent(1):
        with house.api(house.answers(conversation_id, 404)):
            house.sync()


def one_refused(house: House) -> None:
    """One conversation that answers 403: it is quarantined and named, and all others arrive."""
    for conversation_id in house.draw_recent(1):
        with house.api(house.answers(conversation_id, 403)):
            result = house.sync()
        assert any(conversation_id in problem for problem in result.problems)


def other_workspace(house: House) -> None:
    """The API of another workspace, behind the same host: it is refused before anything of it lands.

    With few known conversations that could be looked up it is not told apart (``workspace_identity``).
    """
    other = World(seed=1, conversations=20, days=10, until=FIRST_NIGHT)
    home = house.context().home
    snapshots, listings = landing.snapshots(home), landing.listings(home)
    if snapshots.filter(pl.col("kind") == "document")["conversation_id"].n_unique() < MIN_KNOWN:
        return
    with house.api(create_app(other, clock=lambda: house.now)), pytest.raises(ConvohouseError):
        house.sync()
    assert landing.snapshots(home).sort(pl.all()).equals(snapshots.sort(pl.all()))
    assert landing.listings(home) == listings


TROUBLES: dict[str, Trouble] = {
    trouble.__name__: trouble
    for trouble in (
        kill,
        faults,
        outage,
        wrong_key,
        clock_ahead,
        clock_behind,
        deletion,
        late_feedback,
        erasure,
        copied_home,
        full_disk,
        lost_warehouse,
        foreign_log,
        damaged_warehouse,
        damaged_lake_file,
        lost_lake_day,
        edited_lake_file,
        earlier_counter,
        damaged_landing_file,
        one_404,
        one_refused,
        other_workspace,
    )
}
