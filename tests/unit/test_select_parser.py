"""What a SELECT reads and what its CTE final selects."""

from __future__ import annotations

import pytest

from warehouse.models.select_parser import Select, SelectedColumn, UnsupportedSqlError, read_selects


def test_reads_are_found_anywhere_and_exclude_ctes() -> None:
    sql = """
    with a as (select * from staging.a), b as (
        with inner_one as (select * from lake.turns) select * from inner_one where n in (select n from marts.b)
    ),
    final as (
        select a.n, (select max(n) from marts.c) as top from a join range(3) l on true
        union all select n, n from marts.a union all select * from (values ((select k from seeds.s), 1)) v
    )
    select * from final cross join nowhere
    """
    (select,) = read_selects([sql])
    assert select == Select(
        ("lake.turns", "marts.a", "marts.b", "marts.c", "seeds.s", "staging.a"), unqualified=("nowhere",), final=()
    )


def test_final_has_names_and_their_source_columns() -> None:
    sql = "with final as (select a.b, cast(c as int) as d, 1 as one, e + f from lake.turns a) select * from final"
    assert read_selects([sql, "select 1"]) == [
        Select(
            ("lake.turns",),
            (),
            (SelectedColumn("b", "b"), SelectedColumn("d", "c"), SelectedColumn("one", None), SelectedColumn("", "e")),
        ),
        Select((), (), ()),
    ]


@pytest.mark.parametrize(
    ("sql", "line"),
    [("select\n  'ä' as a,\n  selec from b c d", 3), ("selec 1", 1), ("select 1;\nselect 2", None), ("", None)],
)
def test_a_syntax_error_has_its_line(sql: str, line: int | None) -> None:
    (select,) = read_selects([sql])
    assert isinstance(select, UnsupportedSqlError)
    assert select.line == line


def test_another_statement_is_unsupported() -> None:
    (select,) = read_selects(["insert into marts.a select 1"])
    assert select == UnsupportedSqlError(None, "Only SELECT statements can be serialized to json!")


def test_row_source_is_the_one_relation_that_is_not_joined_united_or_unnested() -> None:
    plain = ["with a as (select * from lake.t where n > 0) select b, m as c from a"]
    more = [
        "select a.b from lake.t a join lake.t c on a.b = c.b",
        "select b from lake.t union all select b from lake.t",
        "select b, unnest(c) as d from lake.t",
        "select b from lake.t, range(2)",
        "select b from (select b from lake.t) a",
        "select b from lake.t where b in (select b from lake.u)",
        "select 1 as b",
    ]
    sources = [select.row_source for select in read_selects(plain + more) if isinstance(select, Select)]
    assert sources == ["lake.t"] + [None] * len(more)
