from __future__ import annotations

from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from warehouse.build.state import fingerprints, stale_share
from warehouse.models.headers import Header
from warehouse.models.project import Model, Project
from warehouse.models.staleness import GLOBAL_INPUTS, Days, changed_relations, stale_days
from warehouse.schema.operations import AGENTS
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home

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


def stale_models(project: Project, changes: dict[str, Days | None]) -> set[str]:
    """The models that depend on a change."""
    stale = dict(changes)
    for model in project.models:
        if any(relation in stale for relation in model.reads):
            stale[model.key] = stale_days(model, stale, ())
    return {model.key for model in project.models if model.key in stale}


def test_nothing_is_stale_where_nothing_changed() -> None:
    assert changed_relations(FINGERPRINTS, dict(FINGERPRINTS)) == {}
    assert stale_models(DIAMOND, {}) == set()
    assert stale_share(DIAMOND, {}, FINGERPRINTS) == 0


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


def test_only_the_days_that_changed_came_or_went_are_changed() -> None:
    before = FINGERPRINTS | {"lake.turns/2026-11-01": "1", "lake.turns/2026-11-02": "1"}
    first, second, third = (date(2026, 11, day) for day in (1, 2, 3))
    assert changed_relations(before, before | {"lake.turns/2026-11-01": "2"}) == {"lake.turns": {first}}
    assert changed_relations(before, before | {"lake.turns/2026-11-03": "2"}) == {"lake.turns": {third}}
    removed = {name: value for name, value in before.items() if name != "lake.turns/2026-11-02"}
    assert changed_relations(before, removed) == {"lake.turns": {second}}
    assert changed_relations(before, removed | {"lake.deletions/2026-11-01": "1"}) is None


def test_an_incremental_model_is_stale_on_the_days_of_what_it_reads() -> None:
    first, second = date(2026, 11, 1), date(2026, 11, 2)
    header = Header(description="", grain=(), columns={}, incremental_by="start_date")
    model = Model("marts", "m", Path(), header, "", ("lake.turns", "lake.warnings", "seeds.rates"), "")
    whole = Model("marts", "w", Path(), Header(description="", grain=(), columns={}), "", model.reads, "")
    changes = {"lake.turns": Days({first}), "lake.warnings": Days({second}), "lake.agents": None}
    with_days = {"lake.turns", "lake.warnings"}
    assert stale_days(model, changes, with_days) == {first, second}
    assert stale_days(whole, changes, with_days) is None
    assert stale_days(model, changes | {"seeds.rates": None}, with_days) is None
    assert stale_days(model, changes | {"lake.turns": None}, with_days) is None
    assert stale_days(model, changes, {"lake.turns"}) is None
    inputs = [f"lake.turns/{day}" for day in range(8)]
    assert stale_share(Project((model, whole), (), ()), {"lake.turns": Days({first, second})}, inputs) == 0.625


def test_a_table_without_days_is_changed_by_other_rows_and_not_by_the_same_ones(tmp_path: Path) -> None:
    home, project = Home(tmp_path / "home").open(), Project((), (), ())
    before = fingerprints(home, project, {})
    agents = parquet.frame(AGENTS, [{"agent_id": "agent_a"}])
    lake.overwrite_table(home, AGENTS, agents)
    after = fingerprints(home, project, {})
    assert changed_relations(before, after) == {"lake.agents": None, "seeds.agent_names": None}
    lake.overwrite_table(home, AGENTS, agents)
    assert fingerprints(home, project, {}) == after


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
