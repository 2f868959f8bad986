from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from warehouse.build.state import FULL_CHANGE, GLOBAL_INPUTS, Change, changed_relations, stale_models
from warehouse.models.headers import Header
from warehouse.models.project import Model, Project

GIVEN = dict.fromkeys((*GLOBAL_INPUTS, "lake.turns", "lake.warnings", "seeds.rates"), "1")


def project(**reads: tuple[str, ...]) -> Project:
    """Models of schema marts by name, in an order in which they can be built, with what each reads."""
    header = Header(description="", grain=(), columns={})
    models = (Model("marts", name, Path(), header, "select 1", of, "1") for name, of in reads.items())
    return Project(tuple(models), (), ())


DIAMOND = project(
    top=("lake.turns",),
    left=("marts.top",),
    right=("marts.top", "seeds.rates"),
    bottom=("marts.left", "marts.right"),
    beside=("lake.warnings",),
)
MARKS = GIVEN | {model.key: "1" for model in DIAMOND.models}


def reached(before: dict[str, str], now: dict[str, str]) -> set[str]:
    """What differs and what stands on it."""
    found = changed_relations(before, now)
    assert found is not None
    return found.keys() | stale_models(DIAMOND, found)


def test_nothing_is_stale_where_nothing_changed() -> None:
    assert changed_relations(MARKS, dict(MARKS)) == {}
    assert stale_models(DIAMOND, {}) == frozenset()


def test_all_that_stands_on_a_changed_table_is_stale() -> None:
    assert reached(MARKS, MARKS | {"lake.turns": "2"}) == {
        "lake.turns",
        "marts.top",
        "marts.left",
        "marts.right",
        "marts.bottom",
    }
    assert reached(MARKS, MARKS | {"lake.warnings": "2"}) == {"lake.warnings", "marts.beside"}


def test_a_changed_seed_and_a_changed_text_reach_one_side_of_the_diamond() -> None:
    assert reached(MARKS, MARKS | {"seeds.rates": "2"}) == {"seeds.rates", "marts.right", "marts.bottom"}
    assert reached(MARKS, MARKS | {"marts.left": "2"}) == {"marts.left", "marts.bottom"}


def test_a_changed_foundation_or_another_set_of_relations_leaves_nothing_to_keep() -> None:
    for name in ("code", "tests", "removed", "lake.deletions"):
        assert changed_relations(MARKS, MARKS | {name: "2"}) is None
    more = MARKS | {"lake.new": "1"}
    assert changed_relations(MARKS, more) is None
    assert changed_relations(more, MARKS) is None


def test_days_that_changed_with_their_calls_are_told_from_days_that_changed_without() -> None:
    files = {"lake.conversations/1": "1", "lake.turns/1": "1", "lake.turns/2": "1", "lake.turn_metrics/1": "1"}
    before = MARKS | {"lake.conversations": "1", "lake.turn_metrics": "1"} | files
    calls = {"lake.conversations": "2", "lake.conversations/1": "2"}
    both = calls | {"lake.turns": "2", "lake.turns/1": "2"}
    by_call = Change(is_partial=True)
    assert changed_relations(before, before | calls) == {"lake.conversations": by_call}
    assert changed_relations(before, before | both) == {"lake.conversations": by_call, "lake.turns": by_call}
    assert changed_relations(before, before | both | {"lake.turns/3": "2"}) == {
        "lake.conversations": by_call,
        "lake.turns": FULL_CHANGE,
    }
    gone = {name: mark for name, mark in (before | both).items() if name != "lake.turns/2"}
    assert changed_relations(before, gone) == {"lake.conversations": by_call, "lake.turns": FULL_CHANGE}


def test_a_change_of_some_columns_matters_to_those_that_say_their_names() -> None:
    header = Header(description="", grain=(), columns={})
    says, says_all = (Model("marts", "m", Path(), header, "", (), "", said) for said in (frozenset({"a", "b"}), None))
    assert [Change(frozenset({"b", "c"})).affects(each) for each in (says, says_all)] == [True, True]
    assert [Change(frozenset({"c"})).affects(each) for each in (says, says_all)] == [False, True]
    assert FULL_CHANGE.affects(says)


@st.composite
def graphs(draw: st.DrawFn) -> Project:
    """Models that each read any of the tables and of the models before."""
    reads: dict[str, tuple[str, ...]] = {}
    for number in range(draw(st.integers(1, 8))):
        known = ["lake.turns", "lake.warnings", "seeds.rates", *(f"marts.{name}" for name in reads)]
        reads[f"m{number}"] = tuple(draw(st.lists(st.sampled_from(known), unique=True)))
    return project(**reads)


@given(graphs(), st.data())
def test_a_model_is_stale_just_when_a_way_leads_to_what_changed(graph: Project, data: st.DataObject) -> None:
    before = GIVEN | {model.key: "1" for model in graph.models}
    names = sorted(before.keys() - set(GLOBAL_INPUTS))
    drawn = data.draw(st.sets(st.sampled_from(names)))
    models = graph.by_key

    def is_reached(name: str) -> bool:
        return name in drawn or (name in models and any(map(is_reached, models[name].reads)))

    found = changed_relations(before, before | dict.fromkeys(drawn, "2"))
    assert found is not None
    assert found.keys() == drawn
    assert stale_models(graph, found) == {name for name in models if is_reached(name)}
