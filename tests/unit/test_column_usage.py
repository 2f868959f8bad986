"""Which columns can matter to a SELECT."""

from __future__ import annotations

import pytest

from warehouse.models.select_parser import Select, read_selects


def columns_of(sql):
    (select,) = read_selects([sql])
    assert isinstance(select, Select)
    return select.used_columns


def test_every_column_that_is_named_matters_and_no_other():
    columns = columns_of(
        "with x as (select * exclude (a) from lake.t), y as (select b as c from x where d > 0 order by e) "
        "select c, sum(f) over (partition by g order by h) from y join lake.u on y.i = u.j "
        "group by k having max(l) > 0 union all select m, n from lake.v where o in (select p from lake.w)"
    )
    assert set("abcdefghijklmnop") <= columns
    assert "q" not in columns


@pytest.mark.parametrize(
    "sql",
    [
        "select distinct * from lake.t",
        "select *, count(*) from lake.t group by all",
        "select count(distinct t) from lake.t",
        "select hash(x) from lake.t as x",
        "select columns('.*') from lake.t",
        "select struct_pack(*columns(*)) from lake.t",
        "select * replace (a + 1 as a) from lake.t",
        "select a from lake.t natural join lake.u",
        "select a from lake.t positional join lake.u",
        "select a from lake.t union select b from lake.u",
        "select a from lake.t except all select b from lake.u",
        "select * from lake.t union all select * from lake.u",
        "with recursive r as (select a from lake.t union all select a + 1 from r where a < 9) select a from r",
        "from (summarize lake.t)",
    ],
)
def test_every_column_matters_if_rows_or_columns_are_used_as_a_whole(sql):
    assert columns_of(sql) is None
