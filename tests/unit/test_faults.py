from __future__ import annotations

import pytest

from pipelines.emulator.server.faults import Faults
from pipelines.errors import UsageError


def test_parses_every_fault() -> None:
    text = (
        "429=0.08, 5xx=0.07,reset=0.03,truncate=0.02,garbage=0.01,slow=0.04,repeat_rows=0.05,repeat_cursor=0.06,seed=9"
    )
    assert Faults.parse(text) == Faults(
        too_many_requests=0.08,
        server_error=0.07,
        reset=0.03,
        truncate=0.02,
        garbage=0.01,
        slow=0.04,
        repeat_rows=0.05,
        repeat_cursor=0.06,
        seed=9,
    )


def test_no_text_is_no_fault() -> None:
    assert Faults.parse("") == Faults()
    assert {Faults().decide(number, is_list=True)[0] for number in range(50)} == {None}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("429=0.1,404=0.2", "'404=0.2'"),
        ("reset", "'reset'"),
        ("reset=often", "'reset=often'"),
        ("slow=1.5", "'slow=1.5'"),
        ("slow=-0.1", "'slow=-0.1'"),
        ("slow=nan", "'slow=nan'"),
        ("slow=0.1,slow=0.2", "'slow=0.2'"),
        ("429=0.6,5xx=0.6", "more than 1"),
        ("seed=0.5", "'seed=0.5'"),
    ],
)
def test_names_the_wrong_part(text: str, part: str) -> None:
    with pytest.raises(UsageError) as error:
        Faults.parse(text)
    assert part in error.value.message
    assert error.value.hint
    assert error.value.exit_code == 2


def test_decisions_follow_from_seed_and_number() -> None:
    faults = Faults.parse("429=0.1,5xx=0.1,reset=0.1,seed=5")
    decisions = [faults.decide(number, is_list=False)[0] for number in range(3000)]
    assert decisions == [faults.decide(number, is_list=False)[0] for number in range(3000)]
    assert decisions != [Faults.parse("429=0.1,5xx=0.1,reset=0.1").decide(n, is_list=False)[0] for n in range(3000)]
    for name in ("too_many_requests", "server_error", "reset"):
        assert 200 < decisions.count(name) < 400


def test_repeated_rows_and_cursors_befall_list_pages_alone() -> None:
    faults = Faults(repeat_rows=0.5, repeat_cursor=0.5)
    assert {faults.decide(number, is_list=True)[0] for number in range(50)} == {"repeat_rows", "repeat_cursor"}
    assert {faults.decide(number, is_list=False)[0] for number in range(50)} == {None}
