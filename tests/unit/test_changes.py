from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from warehouse.changes import FOUNDATIONS, stale
from warehouse.headers import Header
from warehouse.models import Model, Project

GIVEN = dict.fromkeys((*FOUNDATIONS, "lake.turns", "lake.warnings", "seeds.rates"), "1")


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


def test_nothing_is_stale_where_nothing_changed() -> None:
    assert stale(DIAMOND, MARKS, dict(MARKS)) == frozenset()


def test_all_that_stands_on_a_changed_table_is_stale() -> None:
    assert stale(DIAMOND, MARKS, MARKS | {"lake.turns": "2"}) == {
        "lake.turns",
        "marts.top",
        "marts.left",
        "marts.right",
        "marts.bottom",
    }
    assert stale(DIAMOND, MARKS, MARKS | {"lake.warnings": "2"}) == {"lake.warnings", "marts.beside"}


def test_a_changed_seed_and_a_changed_text_reach_one_side_of_the_diamond() -> None:
    assert stale(DIAMOND, MARKS, MARKS | {"seeds.rates": "2"}) == {"seeds.rates", "marts.right", "marts.bottom"}
    assert stale(DIAMOND, MARKS, MARKS | {"marts.left": "2"}) == {"marts.left", "marts.bottom"}


def test_a_changed_foundation_or_another_set_of_relations_makes_all_stale() -> None:
    for name in ("code", "tests", "removed", "lake.deletions"):
        assert stale(DIAMOND, MARKS, MARKS | {name: "2"}) == MARKS.keys()
    more = MARKS | {"lake.new": "1"}
    assert stale(DIAMOND, MARKS, more) == more.keys()
    assert stale(DIAMOND, more, MARKS) == MARKS.keys()


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
    names = sorted(before.keys() - set(FOUNDATIONS))
    changed = data.draw(st.sets(st.sampled_from(names)))
    models = graph.by_key

    def is_reached(name: str) -> bool:
        return name in changed or (name in models and any(map(is_reached, models[name].reads)))

    found = stale(graph, before, before | dict.fromkeys(changed, "2"))
    assert found == {name for name in names if is_reached(name)}
