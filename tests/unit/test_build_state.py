from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from warehouse.build.state import FULL_CHANGE, GLOBAL_INPUTS, Change, changed_relations, stale_models
from warehouse.models.headers import Header
from warehouse.models.project import Model, Project

INPUTS = dict.fromkeys((*GLOBAL_INPUTS, "lake.turns", "lake.warnings", "seeds.rates"), "1")


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
FINGERPRINTS = INPUTS | {model.key: "1" for model in DIAMOND.models}


def reached(before: dict[str, str], now: dict[str, str]) -> set[str]:
    """What differs and what depends on it."""
    changes = changed_relations(before, now)
    assert changes is not None
    return changes.keys() | stale_models(DIAMOND, changes)


def test_nothing_is_stale_where_nothing_changed() -> None:
    assert changed_relations(FINGERPRINTS, dict(FINGERPRINTS)) == {}
    assert stale_models(DIAMOND, {}) == frozenset()


def test_all_that_depends_on_a_changed_table_is_stale() -> None:
    assert reached(FINGERPRINTS, FINGERPRINTS | {"lake.turns": "2"}) == {
        "lake.turns",
        "marts.top",
        "marts.left",
        "marts.right",
        "marts.bottom",
    }
    assert reached(FINGERPRINTS, FINGERPRINTS | {"lake.warnings": "2"}) == {"lake.warnings", "marts.beside"}


def test_a_changed_seed_and_a_changed_text_reach_one_side_of_the_diamond() -> None:
    assert reached(FINGERPRINTS, FINGERPRINTS | {"seeds.rates": "2"}) == {"seeds.rates", "marts.right", "marts.bottom"}
    assert reached(FINGERPRINTS, FINGERPRINTS | {"marts.left": "2"}) == {"marts.left", "marts.bottom"}


def test_a_changed_global_input_or_another_set_of_relations_leaves_nothing_to_reuse() -> None:
    for name in ("code", "tests", "removed", "lake.deletions"):
        assert changed_relations(FINGERPRINTS, FINGERPRINTS | {name: "2"}) is None
    more = FINGERPRINTS | {"lake.new": "1"}
    assert changed_relations(FINGERPRINTS, more) is None
    assert changed_relations(more, FINGERPRINTS) is None


def test_days_that_changed_with_their_conversations_differ_from_days_that_changed_without() -> None:
    files = {"lake.conversations/1": "1", "lake.turns/1": "1", "lake.turns/2": "1", "lake.turn_metrics/1": "1"}
    before = FINGERPRINTS | {"lake.conversations": "1", "lake.turn_metrics": "1"} | files
    calls = {"lake.conversations": "2", "lake.conversations/1": "2"}
    both = calls | {"lake.turns": "2", "lake.turns/1": "2"}
    partial = Change(is_partial=True)
    assert changed_relations(before, before | calls) == {"lake.conversations": partial}
    assert changed_relations(before, before | both) == {"lake.conversations": partial, "lake.turns": partial}
    assert changed_relations(before, before | both | {"lake.turns/3": "2"}) == {
        "lake.conversations": partial,
        "lake.turns": FULL_CHANGE,
    }
    removed = {name: value for name, value in (before | both).items() if name != "lake.turns/2"}
    assert changed_relations(before, removed) == {"lake.conversations": partial, "lake.turns": FULL_CHANGE}


def test_a_change_of_some_columns_affects_only_models_that_name_them() -> None:
    header = Header(description="", grain=(), columns={})
    two, all_ = (Model("marts", "m", Path(), header, "", (), "", used) for used in (frozenset({"a", "b"}), None))
    assert [Change(frozenset({"b", "c"})).affects(model) for model in (two, all_)] == [True, True]
    assert [Change(frozenset({"c"})).affects(model) for model in (two, all_)] == [False, True]
    assert FULL_CHANGE.affects(two)


@st.composite
def graphs(draw: st.DrawFn) -> Project:
    """Models that each read any of the tables and of the models before."""
    reads: dict[str, tuple[str, ...]] = {}
    for number in range(draw(st.integers(1, 8))):
        relations = ["lake.turns", "lake.warnings", "seeds.rates", *(f"marts.{name}" for name in reads)]
        reads[f"m{number}"] = tuple(draw(st.lists(st.sampled_from(relations), unique=True)))
    return project(**reads)


@given(graphs(), st.data())
def test_a_model_is_stale_only_if_it_depends_on_what_changed(graph: Project, data: st.DataObject) -> None:
    before = INPUTS | {model.key: "1" for model in graph.models}
    names = sorted(before.keys() - set(GLOBAL_INPUTS))
    drawn = data.draw(st.sets(st.sampled_from(names)))
    models = graph.by_key

    def is_reached(name: str) -> bool:
        return name in drawn or (name in models and any(map(is_reached, models[name].reads)))

    changes = changed_relations(before, before | dict.fromkeys(drawn, "2"))
    assert changes is not None
    assert changes.keys() == drawn
    assert stale_models(graph, changes) == {name for name in models if is_reached(name)}
