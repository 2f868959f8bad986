"""What a month will cost. 2 November 2026 is a Monday; the newest day is mostly Wednesday the 18th, and is over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import sqrt
from typing import Any

import pytest

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
WEEK = ("monday_usd", "tuesday_usd", "wednesday_usd", "thursday_usd", "friday_usd", "saturday_usd", "sunday_usd")
ENDS = ("expected_low_usd", "expected_high_usd")
T = {1: 12.7062047, 2: 4.3026527, 3: 3.1824463, 21: 2.0796138}
"""97.5 % quantiles of Student's distribution by degrees of freedom, as statistical tables have them."""


def spent(rows: Any, day: date, usd: float | None, agent: str | None = "a1", **row: object) -> None:
    call = f"{agent}-{day}-{len(rows.rows['conversations'])}"
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    rows.call(call, agent_id=agent, start_date=day, start_time_at=at, cost_fiat_usd=usd, **row)


def newest(rows: Any, day: date) -> None:
    """An open call that says how far the data goes, and costs nothing."""
    spent(rows, day, 9.0, "later", status="in-progress")


def forecast(rows: Any, *columns: str) -> dict[tuple[str | None, date], Any]:
    """Columns by agent and month."""
    actual = rows.model("metrics.spend_forecast", "agent_id", "month_start_date", *columns)
    return {(row.pop("agent_id"), row.pop("month_start_date")): row for row in actual}


def test_spend_forecast(rows: Any) -> None:
    rows.seed("budgets", "2026-10-01,a1,10", "2026-11-01,*,100", "2026-11-01,a1,0")
    rows.seed("excluded_callers", "user_id,bot,load test")
    spent(rows, date(2026, 10, 1), 5.0)  # not of the last 28 days, which begin on 22 October
    spent(rows, date(2026, 10, 26), 4.0)  # Monday
    spent(rows, date(2026, 11, 2), 6.0)  # Monday
    spent(rows, date(2026, 11, 2), 2.0)
    spent(rows, date(2026, 11, 3), 2.0)  # Tuesday
    spent(rows, date(2026, 10, 25), 6.0)  # Sunday
    spent(rows, date(2026, 11, 16), 9.0, user_id="bot")
    spent(rows, date(2026, 11, 16), 9.0, status="processing")
    spent(rows, date(2026, 11, 18), None, "a2")
    spent(rows, date(2026, 11, 19), 1.0, "a9", workspace="other")

    actual = rows.model("metrics.spend_forecast")

    # Each weekday was seen 4 times: Mondays cost (4 + 8) ÷ 4 = 3, Tuesdays 2 ÷ 4, Sundays 6 ÷ 4. Left are Tuesday and
    # Wednesday once and the other weekdays twice: 2 * 3 + 1 * 0.5 + 2 * 1.5 = 9.5.
    # Squares about the means: Mondays 16 + 64 - 4 * 9 = 44, Tuesdays 4 - 4 * 0.25 = 3, Sundays 36 - 4 * 2.25 = 27: 74,
    # over 28 - 7 = 21. Σ k + k² ÷ n = 5 * (2 + 4 ÷ 4) + 2 * (1 + 1 ÷ 4) = 17.5. The margin is 16.33 > 9.5.
    margin = T[21] * sqrt(74 / 21 * 17.5)
    november = {
        "workspace": "main",
        "month_start_date": NOVEMBER,
        "agent_id": "a1",
        "agent_name": None,
        "as_of_date": date(2026, 11, 18),
        "n_days_left": 12,
        "n_calls": 3,
        "cost_usd": 10.0,
        "cost_usd_coverage": 1.0,
        "n_rate_days": 28,
        **dict(zip(WEEK, (3.0, 0.5, 0.0, 0.0, 0.0, 0.0, 1.5), strict=True)),
        "expected_usd": 19.5,
        "expected_low_usd": 10.0,
        "expected_high_usd": 19.5 + margin,
        "budget_usd": 0.0,  # of which nothing is a share
        "budget_burn": None,
        "expected_budget_burn": None,
    }
    october = {
        **november,
        "month_start_date": OCTOBER,
        "n_days_left": 0,
        "cost_usd": 15.0,
        "n_rate_days": None,
        **dict.fromkeys(WEEK),
        **dict.fromkeys(("expected_usd", *ENDS), 15.0),
    }
    of_budget = {"budget_usd": 100.0, "budget_burn": 0.1, "expected_budget_burn": 0.195}
    unknown = {"cost_usd": None, "cost_usd_coverage": 0.0, "expected_usd": None, **dict.fromkeys((*ENDS, *WEEK))}
    unknown["budget_usd"] = None
    assert actual[:5] == [
        pytest.approx(row)
        for row in (
            {**october, "agent_id": "*", "agent_name": None, "budget_usd": None},
            {**october, "budget_usd": 10.0, "budget_burn": 1.5, "expected_budget_burn": 1.5},
            {**november, "agent_id": "*", "agent_name": None, "n_calls": 4, "cost_usd_coverage": 0.75, **of_budget},
            november,
            {**november, "agent_id": "a2", "agent_name": None, "n_calls": 1, "n_rate_days": 1, **unknown},
        )
    ]
    assert [(row["workspace"], row["agent_id"], row["as_of_date"], row["budget_usd"]) for row in actual[5:]] == [
        ("other", "*", date(2026, 11, 19), 100.0),
        ("other", "a9", date(2026, 11, 19), None),
    ]


# An agent since a day of November, as of Wednesday the 18th: two of its days cost 10 and 14, the first and that a week
# later; left are Thursday to Monday twice, Tuesday and Wednesday once. Squares about the mean of 12: 8.
YOUNG = {
    # Wednesday twice, the others once: 36 = 24 + 12, Σ k + k² ÷ n = 5 * (2 + 4) + (1 + 1) + (1 + 1 ÷ 2) = 33.5
    11: (1, 36.0, 33.5),
    # Tuesday and Wednesday twice: 5 * (2 + 4) + 2 * (1 + 1 ÷ 2) = 33
    10: (2, 36.0, 33.0),
    # Monday too, of which two are left: 48 = 24 + 2 * 12, 4 * (2 + 4) + (2 + 4 ÷ 2) + 2 * (1 + 1 ÷ 2) = 31
    9: (3, 48.0, 31.0),
}


@pytest.mark.parametrize(("first", "expected"), YOUNG.items())
def test_an_interval_of_few_days_is_wider(rows: Any, first: int, expected: tuple[int, float, float]) -> None:
    freedom, usd, n_variances = expected
    spent(rows, date(2026, 11, first), 10)
    spent(rows, date(2026, 11, first + 7), 14)
    newest(rows, date(2026, 11, 18))
    row = forecast(rows, "expected_usd", *ENDS)["a1", NOVEMBER]
    high = usd + T[freedom] * sqrt(8 / freedom * n_variances)
    assert tuple(row.values()) == pytest.approx((usd, 24.0, high), rel=0.001)


def test_the_interval_is_about_the_expected(rows: Any) -> None:
    for day, usd in ((date(2026, 10, 26), 10), (date(2026, 11, 2), 10), (date(2026, 11, 9), 10), (NOVEMBER, 0)):
        spent(rows, day, usd)
    spent(rows, date(2026, 11, 16), 14)
    spent(rows, OCTOBER, 0)
    newest(rows, date(2026, 11, 18))
    # Mondays cost 44 ÷ 4 = 11; two are left. Squares about it: 1 + 1 + 1 + 9 = 12, over 21, times 17.5: 10.
    row = forecast(rows, "cost_usd", "expected_usd", *ENDS)["a1", NOVEMBER]
    low, high = 56 - T[21] * sqrt(10), 56 + T[21] * sqrt(10)
    expected = {"cost_usd": 34.0, "expected_usd": 56.0, "expected_low_usd": low, "expected_high_usd": high}
    assert row == pytest.approx(expected)


def test_what_is_spent_alike_on_each_weekday_leaves_no_interval(rows: Any) -> None:
    for back in range(28):
        day = date(2026, 11, 18) - timedelta(days=back)
        spent(rows, day, float(day.isoweekday()))  # 1 dollar on Mondays, 7 on Sundays
    # a Sunday, two weeks of 28 and 1 + 2 + 3 are spent; left are a Tuesday, a Wednesday and two of the others
    row = forecast(rows, "cost_usd", "expected_usd", *WEEK, *ENDS)["a1", NOVEMBER]
    expected = {"cost_usd": 69.0, **dict.fromkeys(("expected_usd", *ENDS), 69.0 + 2 + 3 + 2 * (1 + 4 + 5 + 6 + 7))}
    assert row == pytest.approx(expected | {name: float(weekday) for weekday, name in enumerate(WEEK, 1)})


def test_calls_of_three_days_without_an_agent_get_the_mean_of_all_on_weekdays_not_seen(rows: Any) -> None:
    spent(rows, date(2026, 11, 16), 3.0, None)  # Monday; nothing on Tuesday
    spent(rows, date(2026, 11, 18), 1.0, None)
    # Mondays 3, Tuesdays 0, Wednesdays 1, the others 4 ÷ 3: left are 2 * 3 + 0 + 1 + 8 * 4 ÷ 3
    row = forecast(rows, "n_rate_days", "expected_usd", *WEEK, *ENDS)[None, NOVEMBER]
    assert row == pytest.approx(
        {
            "n_rate_days": 3,
            **dict(zip(WEEK, (3.0, 0.0, 1.0, *[4 / 3] * 4), strict=True)),
            "expected_usd": 4 + 7 + 32 / 3,
            **dict.fromkeys(ENDS),
        }
    )


def test_at_the_end_of_the_month_the_expected_is_what_was_spent(rows: Any) -> None:
    spent(rows, date(2026, 11, 30), 3.0, None)
    columns = ("n_days_left", "cost_usd", "expected_usd", *ENDS)
    assert forecast(rows, *columns)[None, NOVEMBER] == {
        "n_days_left": 0,
        **dict.fromkeys(("cost_usd", "expected_usd", *ENDS), 3.0),
    }


def test_a_new_month_without_calls_of_the_agent_is_expected_from_the_days_before(rows: Any) -> None:
    spent(rows, date(2026, 11, 30), 4.0)  # Monday
    spent(rows, date(2026, 11, 3), 0.0, "gone")
    newest(rows, DECEMBER)  # Tuesday
    # Two days seen: Mondays 4, Tuesdays 0, the others 2. Left are 4 Mondays, 4 Tuesdays and 22 others.
    actual = forecast(rows, "n_calls", "cost_usd", "cost_usd_coverage", "n_days_left", "expected_usd")
    assert actual["a1", DECEMBER] == {
        "n_calls": 0,
        "cost_usd": 0.0,
        "cost_usd_coverage": None,
        "n_days_left": 30,
        "expected_usd": 4 * 4 + 22 * 2,
    }
    assert ("gone", NOVEMBER) in actual
    assert ("gone", DECEMBER) not in actual
    assert ("later", DECEMBER) not in actual


def test_an_agent_without_calls_in_28_days_is_expected_to_cost_no_more(rows: Any) -> None:
    spent(rows, NOVEMBER, 7.0)
    newest(rows, date(2026, 11, 29))
    row = forecast(rows, "n_days_left", "cost_usd", "expected_usd", *ENDS)["a1", NOVEMBER]
    assert row == {"n_days_left": 1, **dict.fromkeys(("cost_usd", "expected_usd", *ENDS), 7.0)}


def listed_until(rows: Any, at: datetime) -> None:
    """A run that listed all conversations until a time, so that the day of that time is not over."""
    rows.whole("sync_runs", run_id="night", outcome="complete", elapsed_secs=1.0, last_full_listing_at=at)


@pytest.mark.parametrize(
    ("as_of", "today", "usd", "month"),
    [
        # 17 days of 1 are over, and 13 of 1 are left: what is spent of the first of these is part of it
        (date(2026, 11, 17), date(2026, 11, 18), 0.25, (NOVEMBER, 13, 17.25, 30.0)),
        # the last day has cost more than expected, and so does the month
        (date(2026, 11, 29), date(2026, 11, 30), 5.0, (NOVEMBER, 1, 34.0, 34.0)),
        # the first night of a month: all 31 days are left
        (date(2026, 11, 30), DECEMBER, 0.25, (DECEMBER, 31, 0.25, 31.0)),
        # webhooks brought a conversation after listings had stopped: the days left are those of its month
        (date(2026, 11, 9), date(2026, 12, 5), 0.25, (DECEMBER, 31, 0.25, 31.0)),
    ],
)
def test_a_day_that_is_not_over_is_a_day_that_is_left(
    rows: Any, as_of: date, today: date, usd: float, month: tuple[date, int, float, float]
) -> None:
    for back in range(30):
        spent(rows, as_of - timedelta(days=back), 1.0)
    spent(rows, today, usd)
    spent(rows, today, usd, "new")
    day_after = as_of + timedelta(days=1)
    listed_until(rows, datetime(day_after.year, day_after.month, day_after.day, 2, tzinfo=UTC))
    actual = forecast(rows, "as_of_date", "n_rate_days", "n_days_left", "cost_usd", "expected_usd", *ENDS)
    month_start, n_left, cost_usd, expected_usd = month
    assert actual["a1", month_start] == {
        "as_of_date": as_of,
        "n_rate_days": 28,
        "n_days_left": n_left,
        "cost_usd": cost_usd,
        **dict.fromkeys(("expected_usd", *ENDS), expected_usd),
    }
    assert actual["new", month_start] == {
        "as_of_date": as_of,
        "n_rate_days": 0,
        "n_days_left": n_left,
        "cost_usd": usd,
        **dict.fromkeys(("expected_usd", *ENDS)),
    }


def test_the_first_day_of_all_is_taken_as_it_is(rows: Any) -> None:
    spent(rows, date(2026, 11, 18), 2.0)
    listed_until(rows, datetime(2026, 11, 18, 9, tzinfo=UTC))
    row = forecast(rows, "as_of_date", "n_days_left", "cost_usd", "expected_usd")["a1", NOVEMBER]
    assert row == {"as_of_date": date(2026, 11, 18), "n_days_left": 12, "cost_usd": 2.0, "expected_usd": 26.0}


def test_days_that_were_listed_and_had_no_conversation_are_over(rows: Any) -> None:
    """From Saturday the 21st to Tuesday the 24th: as the run rate counts them, so they are not days that are left."""
    for back in range(28):
        spent(rows, date(2026, 11, 20) - timedelta(days=back), 1.0)
    listed_until(rows, datetime(2026, 11, 25, 2, tzinfo=UTC))
    row = forecast(rows, "as_of_date", "n_days_left", "cost_usd", "expected_usd", *WEEK)["a1", NOVEMBER]
    # one of the four Mondays, Tuesdays, Saturdays and Sundays up to the 24th cost nothing; left are Wednesday to Monday
    assert row == {
        "as_of_date": date(2026, 11, 24),
        "n_days_left": 6,
        "cost_usd": 20.0,
        "expected_usd": 20 + 3 * 1.0 + 3 * 0.75,
        **dict(zip(WEEK, (0.75, 0.75, 1.0, 1.0, 1.0, 0.75, 0.75), strict=True)),
    }


@pytest.mark.parametrize(
    ("newest_date", "months"),
    [
        (date(2026, 10, 20), {OCTOBER: (0, 5.0, 5.0)}),  # 35 days without a conversation: nothing more is expected
        (date(2026, 10, 29), {OCTOBER: (0, 5.0, 5.0), NOVEMBER: (6, 0.0, 5 / 4)}),  # a Thursday of four; one is left
    ],
)
def test_a_month_that_is_over_costs_what_it_cost_though_the_next_has_no_conversation(
    rows: Any, newest_date: date, months: dict[date, tuple[int, float, float]]
) -> None:
    spent(rows, date(2026, 9, 1), 0.0)
    spent(rows, newest_date, 5.0)
    listed_until(rows, datetime(2026, 11, 25, 2, tzinfo=UTC))
    actual = forecast(rows, "n_days_left", "cost_usd", "expected_usd")
    assert {month: tuple(row.values()) for (agent, month), row in actual.items() if agent == "*"} == {
        date(2026, 9, 1): (0, 0.0, 0.0),
        **months,
    }
