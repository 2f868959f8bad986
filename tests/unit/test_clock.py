"""Where the time comes from: the settings, else the real clock, which no other test looks at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.clock import MovingClock, utc_now
from pipelines.errors import SettingsError
from pipelines.settings import load_settings
from pipelines.usecases.context import Context
from tests.helpers.run_cli import run


def test_by_default_it_is_the_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONVOHOUSE_NOW")
    settings = load_settings()
    before = datetime.now(UTC)  # noqa: TID251 - the one test that is about it
    times = [settings.clock()(), Context(settings).clock()]
    assert settings.clock() is utc_now
    assert before <= times[0] <= times[1] <= datetime.now(UTC)  # noqa: TID251 - the one test that is about it


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("2028-02-29", datetime(2028, 2, 29, tzinfo=UTC)),
        ("2026-12-31T23:30", datetime(2026, 12, 31, 23, 30, tzinfo=UTC)),
        ("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2026-03-29T12:00:00Z", datetime(2026, 3, 29, 12, tzinfo=UTC)),
    ],
)
def test_it_begins_where_the_setting_says_and_goes_on(
    text: str, begin: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVOHOUSE_NOW", text)
    settings = load_settings()
    first = Context(settings).clock()
    second = Context(settings).clock()  # of another context: they share one clock
    assert (settings.now, settings.clock() is load_settings().clock()) == (begin, True)
    assert begin <= first < second < begin + timedelta(minutes=2)


def test_a_clock_that_is_passed_in_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVOHOUSE_NOW", "2028-02-29")
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert Context(load_settings(), clock=lambda: now).clock() == now


def test_a_moment_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVOHOUSE_NOW", "tomorrow")
    with pytest.raises(SettingsError, match="now: "):
        load_settings()


def test_a_clock_can_be_set_again() -> None:
    begin = datetime(2026, 11, 22, tzinfo=UTC)
    clock = MovingClock(begin)
    clock.set(begin + timedelta(days=1))
    assert begin + timedelta(days=1) <= clock() < begin + timedelta(days=1, minutes=1)


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("soon", "--until 'soon' is not a date"),
        ("2026-02-30", "--until '2026-02-30' is not a date"),
        ("0001-01-01", "--until '0001-01-01' is not in the years 2000 to 2099"),
    ],
)
def test_the_demo_refuses_an_odd_last_night(until: str, said: str, tmp_path: Path) -> None:
    ended = run(tmp_path, "demo", "--until", until)
    assert (ended.code, ended.out, list(tmp_path.iterdir())) == (2, b"", [])
    assert said in ended.err
