"""Builds of a small project: rows, checks and what is refused; the whole one is in ``test_built_warehouse``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.small_builds import keep_few_tables
from warehouse.build.runner import BuildResult, build
from warehouse.connection import open_warehouse
from warehouse.errors import ModelError, NothingBuiltError
from warehouse.serve.query import query
from warehouse.storage.home import Home

pytestmark = pytest.mark.whole_build

BuildSql = Callable[[dict[str, str]], BuildResult]

ANSWER = """/*
description = "One answer."
grain = ["answer"]

[columns]
answer = "The answer's number."

[tests]
accepted = { answer = [42] }
*/
with final as (
    select 42 as answer
)

select * from final
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").open()


@pytest.fixture
def build_sql(tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> BuildSql:
    """Build a small project from the text of each file by relative path."""
    keep_few_tables(monkeypatch)

    def run(files: dict[str, str]) -> BuildResult:
        for path, text in files.items():
            target = tmp_path / "sql" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return build(home, sql_dir=tmp_path / "sql")

    return run


def test_a_result_has_rows_types_and_checks(home: Home, build_sql: BuildSql) -> None:
    result = build_sql({"marts/answers.sql": ANSWER})
    assert [(model.key, model.n_rows, model.types) for model in result.models] == [
        ("marts.answers", 1, {"answer": "INTEGER"})
    ]
    of_models = [check_result for check_result in result.checks if not check_result.check.model.startswith("lake.")]
    assert [
        (check_result.check.name, check_result.check.model, check_result.n_failing) for check_result in of_models
    ] == [
        ("marts_answers_unique", "marts.answers", 0),
        ("marts_answers_accepted_answer", "marts.answers", 0),
    ]
    assert result.is_swapped
    assert query(home, "select answer from marts.answers").to_dicts() == [{"answer": 42}]


def test_progress_names_each_model(home: Home, tmp_path: Path) -> None:
    (tmp_path / "sql" / "marts").mkdir(parents=True)
    (tmp_path / "sql" / "marts" / "answers.sql").write_text(ANSWER)
    seen: list[tuple[str, int, int]] = []
    build(home, sql_dir=tmp_path / "sql", progress=lambda *step: seen.append(step))
    assert seen == [("marts.answers", 1, 1)]


def test_failed_check_keeps_the_old_warehouse_and_shows_the_rows(home: Home, build_sql: BuildSql) -> None:
    build_sql({"marts/answers.sql": ANSWER})
    result = build_sql({"marts/answers.sql": ANSWER.replace("select 42", "select 43")})
    assert not result.is_swapped
    assert [
        (check_result.check.name, check_result.n_failing, check_result.sample_rows) for check_result in result.failed
    ] == [("marts_answers_accepted_answer", 1, ({"answer": "43", "n_rows": "1"},))]
    assert query(home, "select answer from marts.answers").to_dicts() == [{"answer": 42}]
    assert sorted(path.name for path in home.root.glob("warehouse*")) == [
        "warehouse.duckdb",
        "warehouse.duckdb.rejected",
    ]
    assert build_sql({"marts/answers.sql": ANSWER}).is_swapped
    assert [path.name for path in home.root.glob("warehouse*")] == ["warehouse.duckdb"]


SINGULAR = """/*
description = "The answer is right."
*/
with answers as (
    select * from marts.answers
),

final as (
    select * from answers
    where answer <> 41
)

select * from final
"""


def test_singular_test_blocks_too(build_sql: BuildSql) -> None:
    result = build_sql({"marts/answers.sql": ANSWER, "tests/answer_is_right.sql": SINGULAR})
    (failed,) = result.failed
    assert (failed.check.name, failed.check.model, failed.sample_rows) == (
        "answer_is_right",
        "marts.answers",
        ({"answer": "42"},),
    )


FULL = ANSWER.replace(
    "accepted = { answer = [42] }",
    'not_null = ["answer"]\nreferences = { answer = "seeds.known.answer" }\nsame_count_as = "seeds.known"',
)
SEED_HEADER = """description = "Known answers."
grain = ["answer"]
types = { answer = "bigint" }
columns = { answer = "An answer." }
"""


@pytest.mark.parametrize(
    ("select", "answers", "failing"),
    [
        ("select 42 as answer", "42", []),
        ("select cast(null as bigint) as answer", "42", ["marts_answers_not_null_answer"]),
        ("select 42 as answer", "41", ["marts_answers_references_answer"]),
        ("select 42 as answer", "42\n43", ["marts_answers_same_count"]),
        ("select 42 as answer union all select 42", "42\n43", ["marts_answers_unique"]),
    ],
)
def test_each_kind_of_check_fails_where_it_should(
    build_sql: BuildSql, select: str, answers: str, failing: list[str]
) -> None:
    files = {"seeds/known.csv": f"answer\n{answers}\n", "seeds/known.toml": SEED_HEADER}
    result = build_sql(files | {"marts/answers.sql": FULL.replace("select 42 as answer", select)})
    assert [check_result.check.name for check_result in result.failed] == failing


def test_share_above_one_fails_by_its_name(build_sql: BuildSql) -> None:
    text = ANSWER.replace("accepted = { answer = [42] }", "").replace("answer", "error_rate").replace("42", "1.5")
    assert [check_result.check.name for check_result in build_sql({"marts/shares.sql": text}).failed] == [
        "marts_shares_share_error_rate"
    ]


def test_a_number_below_the_minimum_fails_by_its_name(build_sql: BuildSql) -> None:
    text = ANSWER.replace("accepted = { answer = [42] }", "at_least = { answer = 42.5 }")
    assert [check_result.check.name for check_result in build_sql({"marts/answers.sql": text}).failed] == [
        "marts_answers_at_least_answer"
    ]
    assert build_sql({"marts/answers.sql": text.replace("42.5", "42")}).failed == ()


def test_a_scan_of_many_checks_fails_only_the_failing_ones_with_their_rows(build_sql: BuildSql) -> None:
    tests = 'unique = ["answer"]\nnot_null = ["answer"]\nat_least = { answer = 0 }\naccepted = { answer = [-1, 5, 42] }'
    select = "select unnest([42, 42, 42, -1, 7, null]) as answer"
    text = ANSWER.replace("accepted = { answer = [42] }", tests).replace("select 42 as answer", select)
    result = build_sql({"marts/answers.sql": text})
    assert [
        (check_result.check.name, check_result.n_failing, check_result.sample_rows) for check_result in result.failed
    ] == [
        ("marts_answers_unique", 1, ({"answer": "42", "n_rows": "3"},)),
        ("marts_answers_not_null_answer", 1, ({"answer": None},)),
        ("marts_answers_accepted_answer", 1, ({"answer": "7", "n_rows": "1"},)),
        ("marts_answers_at_least_answer", 1, ({"answer": "-1"},)),
    ]


def test_a_null_in_a_key_counts_as_a_value(build_sql: BuildSql) -> None:
    text = ANSWER.replace("accepted = { answer = [42] }", "").replace("select 42", "select unnest([42, null])")
    assert build_sql({"marts/answers.sql": text}).failed == ()
    (failed,) = build_sql({"marts/answers.sql": text.replace("[42, null]", "[42, null, null]")}).failed
    assert (failed.check.name, failed.sample_rows) == ("marts_answers_unique", ({"answer": None, "n_rows": "2"},))


def test_a_check_that_cannot_be_run_is_named(build_sql: BuildSql) -> None:
    text = ANSWER.replace("accepted = { answer = [42] }", "at_least = { answer = 0 }").replace("42", "'many'")
    with pytest.raises(
        ModelError, match=r"Check marts_answers_at_least_answer of marts\.answers cannot be run: .*Cannot compare"
    ):
        build_sql({"marts/answers.sql": text})


def test_header_with_other_columns_than_the_result_stops_the_build(home: Home, build_sql: BuildSql) -> None:
    build_sql({"marts/answers.sql": ANSWER})
    with pytest.raises(ModelError, match="not in the header: question"):
        build_sql({"marts/answers.sql": ANSWER.replace("42 as answer", "42 as answer, 1 as question")})
    with pytest.raises(ModelError, match="not in the header: reply; not in the result: answer"):
        build_sql({"marts/answers.sql": ANSWER.replace("42 as answer", "42 as reply")})
    assert query(home, "select answer from marts.answers").to_dicts() == [{"answer": 42}]
    assert [path.name for path in home.root.glob("warehouse*")] == ["warehouse.duckdb"]


def test_select_that_duckdb_refuses_names_file_and_model(build_sql: BuildSql) -> None:
    with pytest.raises(ModelError, match=r"answers\.sql: marts\.answers cannot be built: .*no_such_function"):
        build_sql({"marts/answers.sql": ANSWER.replace("select 42", "select no_such_function(42)")})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select 1 as answer\n", r"answers\.sql:1: the file does not begin with a header"),
        (ANSWER.replace('description = "One answer."', "description = One"), r"answers\.sql:2: the header is not TOML"),
        (ANSWER.replace("[tests]", "[test]"), r"answers\.sql:8: .*unknown field `test`"),
        (ANSWER.replace("accepted = ", "acepted = "), r"answers\.sql:9: .*unknown field `acepted`"),
        (ANSWER.replace('["answer"]', '["reply"]'), r"answers\.sql:3: reply is not a column of the header"),
        (ANSWER.replace("select 42 as answer", "selec 42 as answer"), r"answers\.sql:12: the SQL cannot be read"),
        (ANSWER + ";\nselect 1\n", "a model is one SELECT and nothing else"),
        (ANSWER.replace("42 as answer", "42 as answer from facts"), "facts has no schema and is not a CTE"),
        (
            ANSWER.replace("42 as answer", "42 as answer from marts.gone"),
            r"marts\.gone is not a model, a seed or a table",
        ),
        (
            ANSWER.replace("42 as answer", "42 as answer from lake.gone"),
            r"lake\.gone is not a model, a seed or a table",
        ),
    ],
)
def test_bad_model_is_refused_by_file_and_line(build_sql: BuildSql, text: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        build_sql({"marts/answers.sql": text})


def test_a_seed_without_a_header_or_that_breaks_it_is_refused(build_sql: BuildSql) -> None:
    with pytest.raises(ModelError, match=r"the seed has no known\.toml beside it"):
        build_sql({"seeds/known.csv": "answer\n42\n"})
    with pytest.raises(
        ModelError, match=r"known\.csv:2: column answer: 'forty-two' is not allowed: answer is a whole number"
    ):
        build_sql({"seeds/known.csv": "answer\nforty-two\n", "seeds/known.toml": SEED_HEADER})


def test_a_name_is_not_in_both_schemas_that_can_be_left_out(build_sql: BuildSql) -> None:
    model = '/*\ndescription = "One."\ngrain = ["a"]\n\n[columns]\na = "One."\n*/\nselect 1 as a\n'
    with pytest.raises(ModelError, match=r"metrics/answers\.sql: metrics\.answers has the name of marts\.answers"):
        build_sql({"marts/answers.sql": model, "metrics/answers.sql": model})


def test_reader_keeps_its_snapshot_through_a_build(home: Home, build_sql: BuildSql) -> None:
    build_sql({"marts/answers.sql": ANSWER})
    with open_warehouse(home) as reader:
        build_sql({"marts/answers.sql": ANSWER.replace("42", "43")})
        assert reader.sql("select answer from marts.answers").fetchall() == [(42,)]
    assert query(home, "select answer from marts.answers").to_dicts() == [{"answer": 43}]


def test_query_before_the_first_build(home: Home) -> None:
    with pytest.raises(NothingBuiltError, match="convohouse sync"):
        query(home, "select 1")
