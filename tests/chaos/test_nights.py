"""Sixty nights in which anything can happen end with a lake and a warehouse that equal the world: ``make chaos``."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.emulator.server.serve import running
from tests.chaos.house import FIRST_NIGHT, NIGHTS_PER_BUILD, House
from tests.chaos.troubles import TROUBLES

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600), pytest.mark.usefixtures("few_models")]

TROUBLE_SHARE = 0.6
"""Share of the nights in which something happens."""
QUIET_DAYS = 20
"""Days without calls before the end, so that late changes are fetched when they are due."""
LAST_NIGHTS = 3
"""Nights without trouble at the end, in which all of history is listed."""


def test_sixty_nights_of_trouble_end_with_the_lake_equal_to_the_world(
    pytestconfig: pytest.Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed, n_nights = pytestconfig.getoption("--seed"), pytestconfig.getoption("--nights")
    n_days, names = max(1, n_nights - QUIET_DAYS), pytestconfig.getoption("--troubles").split(",")
    house = House(tmp_path, seed, n_days=n_days)

    def say(line: str) -> None:
        with capsys.disabled():
            sys.stderr.write(f"{line}\n")

    say(f"\nseed {seed}, {n_nights} nights: repeat with --seed {seed}")
    with running(house) as house.url:
        for night in range(n_nights):
            house.now = FIRST_NIGHT + timedelta(days=night)
            is_quiet = house.random.random() >= TROUBLE_SHARE
            name = "" if is_quiet else house.random.choice(names)
            say(f"night {night:02} {name}")
            if name:
                TROUBLES[name](house)
            is_built = night % NIGHTS_PER_BUILD == 0
            assert house.sync(is_built=is_built).problems == (), f"seed {seed}, night {night}, {name}"
            house.assert_no_gap()
        last_night = max(n_nights, n_days + QUIET_DAYS)
        for night in range(last_night, last_night + LAST_NIGHTS):
            house.now = FIRST_NIGHT + timedelta(days=night)
            result = house.sync(is_built=True, since=FIRST_NIGHT - timedelta(days=9))
            assert result.problems == (), f"seed {seed}, night {night}"
        house.assert_equals_the_world()


@pytest.mark.parametrize("name", TROUBLES)
def test_each_trouble_alone_ends_with_the_lake_equal_to_the_world(name: str, tmp_path: Path) -> None:
    house = House(tmp_path, seed=7, n_days=4)
    with running(house) as house.url:
        for night in range(4):
            house.now = FIRST_NIGHT + timedelta(days=night)
            if night == 2:
                TROUBLES[name](house)
            assert house.sync(is_built=night != 1).problems == (), name
            house.assert_no_gap()
        for night in range(4 + QUIET_DAYS, 4 + QUIET_DAYS + LAST_NIGHTS):
            house.now = FIRST_NIGHT + timedelta(days=night)
            house.sync(is_built=night == 3 + QUIET_DAYS + LAST_NIGHTS, since=FIRST_NIGHT - timedelta(days=9))
        house.assert_equals_the_world()
