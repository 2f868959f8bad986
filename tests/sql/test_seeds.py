"""Seeds: each kind of mistake is named by file, line and column, and a user's file replaces ours."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from warehouse.build.runner import build
from warehouse.errors import ModelError
from warehouse.models.project import SQL_DIR
from warehouse.models.seeds import Seed, read_seeds
from warehouse.serve.query import query
from warehouse.storage.home import Home

HEADER = """description = "Prices."
grain = ["plan", "month_start_date"]

[types]
plan = "varchar"
month_start_date = "date"
n_calls = "integer"
n_bytes = "bigint"
price = "double"

[columns]
plan = "Plan."
month_start_date = "Month."
n_calls = "Calls."
n_bytes = "Bytes."
price = "Price."

[tests]
not_null = ["plan"]
accepted = { plan = ["pro", "trial"] }
at_least = { price = 0 }
"""
NAMES = "plan,month_start_date,n_calls,n_bytes,price\n"
FINE = "pro,2026-11-01,1,2,0.5\n"


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "prices.toml").write_text(HEADER)
    (folder / "prices.csv").write_text(NAMES + FINE)
    return folder


def read(ours: Path, content: str | bytes) -> Seed:
    """The seed if the user's file has this content."""
    own_seeds = ours.parent / "own"
    own_seeds.mkdir()
    (own_seeds / "prices.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    (seed,) = read_seeds(ours, own_seeds)
    return seed


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "1: the file is empty; its first line is plan,month_start_date,n_calls,n_bytes,price."),
        ("plan,month_start_date,n_calls,n_bytes\n", f"1: column price: missing; the columns are {NAMES.strip()}."),
        (f"cost,{NAMES}", f"1: column cost: unknown; the columns are {NAMES.strip()}."),
        (NAMES.replace(",", ";"), f"1: column {NAMES.strip().replace(',', ';')}: unknown; the columns are"),
        (f"price,{NAMES}", "1: column price: named twice."),
        (b"pl\xe4n,month_start_date\n", "1: the name of column 1 is not UTF-8."),
        (
            f"{NAMES}{FINE}pro,2026-12-01,x,2,0.5\n",
            "3: column n_calls: 'x' is not allowed: n_calls is a whole number, such as 6000.",
        ),
        (
            f"{NAMES}pro,2026-12-01,2147483648,2,0.5\n",
            "2: column n_calls: '2147483648' is not allowed: n_calls is a whole number",
        ),
        (
            f"{NAMES}pro,2026-12-01,1,1e3,0.5\n",
            "2: column n_bytes: '1e3' is not allowed: n_bytes is a whole number, such as 6000.",
        ),
        (
            f'{NAMES}pro,2026-12-01,1,"6,000",1\n',
            "2: column n_bytes: '6,000' is not allowed: n_bytes is a whole number, such as 6000.",
        ),
        (
            f"{NAMES}pro,2026-12-01,1,2,1e999\n",
            "2: column price: '1e999' is not allowed: price is a number, such as 1250.50.",
        ),
        (
            f"{NAMES}pro,2026-12-01,1,2,nan\n",
            "2: column price: 'nan' is not allowed: price is a number, such as 1250.50.",
        ),
        (
            f"{NAMES}pro,01.12.2026,1,2,0.5\n",
            "2: column month_start_date: '01.12.2026' is not allowed: month_start_date is a date, such",
        ),
        (
            f"{NAMES}pro,2026-02-30,1,2,0.5\n",
            "2: column month_start_date: '2026-02-30' is not allowed: month_start_date is a date, such",
        ),
        (
            f"{NAMES}pro,2026-11-02,1,2,0.5\n",
            "2: column month_start_date: '2026-11-02' is not allowed: month_start_date is the first day",
        ),
        (f"{NAMES}\n\n,2026-11-01,1,2,0.5\n", "4: column plan: an empty value is not allowed: plan is never null."),
        (
            f"{NAMES}Pro,2026-11-01,1,2,0.5\n",
            "2: column plan: 'Pro' is not allowed: plan is null or one of 'pro', 'trial'.",
        ),
        (f"{NAMES}pro,2026-11-01,1,2,-0.5\n", "2: column price: '-0.5' is not allowed: price is null or at least 0."),
        (
            f"{NAMES}{FINE}trial,,1,2,3\n{FINE}",
            "4: column plan, month_start_date: pro, 2026-11-01 is already on line 2.",
        ),
        (NAMES.encode() + b"pro,2026-11-01,1,2,\xff\n", "2: column price: b'\\xff' is not UTF-8."),
        (f"{NAMES}pro,2026-11-01,1\n", "2: column n_bytes: no value; the line has 3 of 5 values."),
        (f"{NAMES}pro,2026-11-01,1,2,0,5\n", "2: column price: '5' comes after it and has no column; the line has 6"),
        (f'{NAMES}"pro\n",x,1,2,0.5\n{FINE}', "2: column month_start_date: 'x' is not allowed"),
        (f'{NAMES}"trial\n",,1,2,0.5\r\n\npro,x,1,2,0.5\n', "5: column month_start_date: 'x' is not allowed"),
        (f"{NAMES}pro,x,1,2,0.5\n{FINE},2026-12-01,1,2,3\n", "2: column month_start_date: 'x' is not allowed"),
        (f"{NAMES}pro,,1,2,-1\n,2026-12-01,1,2,3\n", "2: column price: '-1' is not allowed"),
        (f'{NAMES}{FINE}"pro,2026-11-01,1,2,0.5\n', "3: this is not CSV: unexpected end of data."),
    ],
)
def test_a_mistake_is_named_by_file_line_and_column(ours: Path, content: str | bytes, problem: str) -> None:
    with pytest.raises(ModelError) as raised:
        read(ours, content)
    assert raised.value.message.startswith(f"{ours.parent / 'own' / 'prices.csv'}:{problem}")
    assert "convohouse tables seeds.prices" in raised.value.hint


def test_our_own_files_are_held_to_the_same_rules(ours: Path) -> None:
    (ours / "prices.csv").write_text(f"{NAMES}{FINE}{FINE}")
    with pytest.raises(ModelError, match=r"ours/prices\.csv:3: column plan, month_start_date: "):
        read_seeds(ours)


def test_a_users_file_replaces_all_rows_of_ours(ours: Path) -> None:
    seed = read(ours, "\ufeffprice,n_bytes,plan,n_calls,month_start_date\r\n-0, 8,trial ,,2026-12-01\r\n,,,,\r\n")
    assert (seed.key, seed.path, seed.is_own) == ("seeds.prices", ours.parent / "own" / "prices.csv", True)
    assert seed.rows.rows(named=True) == [
        {"plan": "trial", "month_start_date": date(2026, 12, 1), "n_calls": None, "n_bytes": 8, "price": 0.0}
    ]


def test_without_a_users_file_ours_is_read(ours: Path) -> None:
    own_seeds = ours.parent / "own"
    own_seeds.mkdir()
    (own_seeds / ".DS_Store").write_bytes(b"\0")
    for folder in (None, own_seeds, ours.parent / "none"):
        (seed,) = read_seeds(ours, folder)
        assert (seed.path, seed.is_own) == (ours / "prices.csv", False)
        assert seed.rows.rows() == [("pro", date(2026, 11, 1), 1, 2, 0.5)]


@pytest.mark.parametrize("name", ["price.csv", "prices.xlsx", "prices.csv.bak"])
def test_a_users_file_without_counterpart_is_refused_with_the_seeds_names(ours: Path, name: str) -> None:
    own_seeds = ours.parent / "own"
    own_seeds.mkdir()
    (own_seeds / name).write_text(NAMES)
    with pytest.raises(ModelError) as raised:
        read_seeds(ours, own_seeds)
    assert raised.value.message == f"{own_seeds / name}: there is no seed of this name."
    assert raised.value.hint == "Did you mean prices.csv? The seeds are prices.csv."


def test_a_file_in_the_place_of_the_folder_is_refused(ours: Path) -> None:
    with pytest.raises(ModelError, match=r"prices\.csv is not a folder"):
        read_seeds(ours, ours / "prices.csv")


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('price = "double"\n', "", "[types] and [columns] are not the same."),
        ('"double"', '"decimal"', "seeds have no type decimal."),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(ours: Path, before: str, after: str, problem: str) -> None:
    (ours / "prices.toml").write_text(HEADER.replace(before, after))
    with pytest.raises(ModelError) as raised:
        read_seeds(ours)
    assert raised.value.message == f"{ours / 'prices.toml'}: {problem}"


def test_a_seed_without_a_header_is_refused(ours: Path) -> None:
    (ours / "prices.toml").unlink()
    with pytest.raises(ModelError, match=r"prices\.csv: the seed has no prices\.toml beside it"):
        read_seeds(ours)


def test_the_optional_seeds_are_there_and_empty() -> None:
    seeds = {seed.name: seed for seed in read_seeds(SQL_DIR / "seeds")}
    assert seeds["budgets"].rows.is_empty()
    assert seeds["budgets"].rows.columns == ["month_start_date", "agent_id", "budget_usd"]
    assert seeds["excluded_callers"].rows.is_empty()
    assert seeds["excluded_callers"].rows.columns == ["kind", "pattern", "reason"]


@pytest.mark.whole_build
def test_a_users_rates_price_the_conversations_that_have_no_price(rows: Any) -> None:
    rows.call("c1", cost_credits=6000, charging_tier="starter")
    rows.call("c2", cost_credits=6000, charging_tier="starter", cost_fiat_usd=0.7)
    home = rows.write()
    costs = "select cost_usd, cost_basis from marts.fct_conversations order by conversation_id"
    assert build(home).is_swapped
    assert query(home, costs).rows() == [(1.0, "plan_rate"), (0.7, "reported")]
    home.seeds.mkdir()
    (home.seeds / "credits_per_usd.csv").write_text("tier,valid_from,credits_per_usd\nstarter,2026-01-01,12000\n")
    assert build(home).is_swapped
    assert query(home, costs).rows() == [(0.5, "plan_rate"), (0.7, "reported")]
    assert query(home, "from seeds.credits_per_usd").rows() == [("starter", date(2026, 1, 1), 12000)]


def test_the_case_of_a_users_tier_does_not_count(rows: Any) -> None:
    rows.seed("credits_per_usd", "Starter,2026-01-01,12000")
    rows.call("c1", cost_credits=6000, charging_tier="starter")
    rows.call("c2", cost_credits=6000, charging_tier="STARTER")
    assert rows.values("marts.fct_conversations", "cost_usd", "credits_per_usd") == [
        (0.5, 12000),
        (0.5, 12000),
    ]


def test_the_case_of_a_users_pattern_does_not_count(rows: Any) -> None:
    rows.seed("termination_groups", "1,%Out Of Credits%,limit")
    rows.call("c1", termination_reason="stopped: out of credits")
    rows.call("c2", termination_reason="OUT OF CREDITS")
    rows.call("c3", termination_reason="out of time")
    results = rows.model("marts.fct_conversations", "termination_group")
    assert [row["termination_group"] for row in results] == ["limit", "limit", "other"]


@pytest.mark.whole_build
def test_a_bad_seed_is_refused_before_the_build_touches_anything(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.seeds.mkdir(parents=True)
    (home.seeds / "budgets.csv").write_text("month_start_date,agent_id,budget_usd\n2026-11-01,*,none\n")
    with pytest.raises(
        ModelError, match=r"budgets\.csv:2: column budget_usd: 'none' is not allowed: budget_usd is a number"
    ):
        build(home)
    assert [path.name for path in home.root.iterdir()] == ["seeds"]
    (home.seeds / "budgets.csv").write_text("month_start_date,agent_id,budget_usd\n2026-11-01,*,1000\n")
    assert build(home.open()).is_swapped
    assert query(home, "from seeds.budgets").rows() == [(date(2026, 11, 1), "*", 1000.0)]
