"""Which SELECTs are local to a conversation; what is not known to be safe is not."""

from __future__ import annotations

import pytest

from warehouse.models.project import read_project
from warehouse.models.row_locality import is_conversation_local
from warehouse.models.select_parser import Select, read_selects

SAME = "a.conversation_id = b.conversation_id"
KEYED = {"lake.a", "lake.b", "lake.c"}

SAFE = {
    "its rows": "select conversation_id, n from lake.a where n > 0 order by n",
    "a star": "select * from lake.a",
    "a star without some columns": "select * exclude (n), n + 1 as m from lake.a",
    "its groups": "select conversation_id, sum(n) as n from lake.a group by conversation_id having sum(n) > 1",
    "groups of all": "select conversation_id, day, count(*) as n from lake.a group by all",
    "a window over it": "select conversation_id, lag(n) over (partition by conversation_id order by n) from lake.a",
    "one row per conversation": "select distinct on (a.conversation_id, n) a.conversation_id, n from lake.a order by n",
    "a join of conversations": "select a.conversation_id, b.n from lake.a left join lake.b on b.n > 0 and SAME",
    "a join of conversations with a condition": (
        "select b.conversation_id from lake.a as a right join lake.b as b on a.n = b.n and SAME"
    ),
    "a full join": (
        "select coalesce(a.conversation_id, b.conversation_id) as conversation_id from lake.a full join lake.b on SAME"
    ),
    "a join with a constant relation": (
        "select conversation_id, v from lake.a left join seeds.s on a.n = s.n cross join unnest(a.list) as u(v)"
    ),
    "the star of the side that stays": "select a.*, s.rate from lake.a left join seeds.s on a.tier = s.tier",
    "a subquery on a constant relation": "select conversation_id from lake.a where n in (select n from seeds.s)",
    "rows under rows": "select conversation_id, n from lake.a union all select conversation_id, m from lake.b",
    "an anti join": ("select a.conversation_id from lake.a anti join lake.b on SAME"),
    "steps": (
        "with x as (select * from lake.a), r as (select max(n) as n from seeds.s), "
        "y as (select conversation_id, sum(n) as n from x group by all) "
        "select x.conversation_id, y.n from x join y on x.conversation_id = y.conversation_id join r on y.n < r.n"
    ),
}

UNSAFE = {
    "a star without the id": "select * exclude (conversation_id) from lake.a",
    "nothing of conversations": "select * from seeds.s",
    "no id": "select n from lake.a",
    "a sum of all": "select sum(n) as n from lake.a",
    "groups of others": "select any_value(conversation_id) as conversation_id, n from lake.a group by n",
    "another id by that name": "select n as conversation_id from lake.a",
    "groups of another column": "select conversation_id, n from lake.a group by n, m",
    "rolled up": "select conversation_id, n from lake.a group by rollup(conversation_id, n)",
    "a window over many": "select conversation_id, lag(n) over (partition by caller order by n) from lake.a",
    "a window over all": "select conversation_id from lake.a qualify row_number() over (order by n) = 1",
    "the first rows": "select conversation_id from lake.a order by n limit 5",
    "a few rows": "select conversation_id from lake.a using sample 5",
    "one of many": "select distinct on (n) conversation_id, n from lake.a",
    "conversations joined with others": "select a.conversation_id from lake.a join lake.b on a.n = b.n",
    "conversations joined with any other": "select a.conversation_id from lake.a join lake.b on not (SAME)",
    "a join with an alternative": ("select a.conversation_id from lake.a join lake.b on SAME or a.n = b.n"),
    "a cross join": "select a.conversation_id from lake.a cross join lake.b",
    "the id of the side that is filled": ("select b.conversation_id from lake.a left join lake.b on SAME"),
    "joined on an id that may be missing": (
        "select a.conversation_id from lake.a left join lake.b on SAME "
        "left join lake.c on b.conversation_id = c.conversation_id"
    ),
    "half of a full join's id": "select a.conversation_id from lake.a full join lake.b on SAME",
    "a constant relation without a conversation": "select conversation_id from seeds.s left join lake.a on a.n = s.n",
    "others' rows in a condition": "select conversation_id from lake.a where n = (select max(n) from lake.b)",
    "others' rows in a column": "select conversation_id, (select max(n) from lake.a) as m from lake.a",
    "others' rows in a step": (
        "with m as (select max(n) as n from lake.a) select a.conversation_id from m join lake.a on a.n < m.n"
    ),
    "others under the id": "select conversation_id, n from lake.a union all select n, conversation_id from lake.b",
    "columns by place": "select * from lake.a union all select * from lake.b",
    "columns by rule": "select columns('.*') from lake.a",
    "a table by another way": "select a.conversation_id from lake.a cross join query_table('lake.b') as b",
    "by place": "select a.conversation_id from lake.a positional join lake.b",
    "a nested query": "select conversation_id from (select * from lake.a) as a",
}


@pytest.mark.parametrize(("sql", "expected"), [(SAFE, True), (UNSAFE, False)], ids=["safe", "unsafe"])
def test_which_selects_are_local(sql, expected):
    selects = read_selects([text.replace("SAME", SAME) for text in sql.values()])
    assert all(isinstance(select, Select) for select in selects)
    is_local = {name: is_conversation_local(select.tree, KEYED) for name, select in zip(sql, selects, strict=True)}
    assert is_local == dict.fromkeys(sql, expected)


def test_all_models_of_conversations_are_local_except_the_one_that_looks_at_the_previous_call():
    models = [model for model in read_project().models if "conversation_id" in model.header.columns]
    assert [model.key for model in models if not model.is_conversation_local] == ["intermediate.int_previous_calls"]
