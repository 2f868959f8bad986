"""What became of a conversation: rows worked out by hand for every rule, and for every two rules that both hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlglot import exp, parse_one

from pipelines.transform.flatten import Snapshot, flatten
from tests.sql.conftest import LakeRows
from tests.sql.outcome_cases import CASES, GUARDRAILS
from warehouse.connection import Limits, connect

KEY = "intermediate.int_conversation_outcomes"


def add(rows: Any, name: str, columns: dict[str, Any], turns: list[tuple[str, str]], results: list[Any]) -> None:
    times = {column: rows.noon for column, value in columns.items() if value == "noon"}
    rows.call(name, **{column: value for column, value in (columns | times).items() if column != "message_count"})
    if "message_count" in columns:
        list_row = dict.fromkeys(("start_time_at", "first_seen_at", "last_seen_at"), rows.noon) | {"fingerprint": "f"}
        rows.add("conversation_list", conversation_id=name, message_count=columns["message_count"], **list_row)
    for index, (role, message) in enumerate(turns):
        at = {"conversation_id": name, "turn_index": index}
        rows.add("turns", role="agent" if role in GUARDRAILS else role, message=message, **at)
        if role in GUARDRAILS:
            rows.add("triggered_guardrails", guardrail_index=0, **GUARDRAILS[role], **at)
    for index, row in enumerate(results):
        rows.add("tool_results", conversation_id=name, result_index=index, turn_index=1, depth=0, **row)


@pytest.fixture(scope="module")
def upstream(new_rows: Callable[[], LakeRows]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The model of the cases, and all that it reads."""
    rows = new_rows()
    for name, (_, columns, turns, results) in CASES.items():
        add(rows, name, columns, turns, results)
    with connect(limits=Limits(threads=1)) as connection:
        rows.materialize(connection, KEY)
        yield connection


def answers(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """The outcome and reason of every case."""
    query = f"select conversation_id, outcome, outcome_reason from ({relation})"  # noqa: S608 - SQL of ours
    return {name: f"{outcome} {reason}" for name, outcome, reason in connection.execute(query).fetchall()}


def test_every_rule_and_the_order_of_the_rules(upstream: duckdb.DuckDBPyConnection) -> None:
    expected = {name: answer for name, (answer, *_) in CASES.items()}
    actual = answers(upstream, f"from {KEY}")
    assert {name: (actual[name], expected[name]) for name in expected if actual[name] != expected[name]} == {}
    assert actual.keys() == expected.keys()


def test_every_flag_follows_from_the_outcome(upstream: duckdb.DuckDBPyConnection) -> None:
    flags = {
        "is_voicemail": "voicemail",
        "is_error": "error",
        "is_abandoned": "abandoned",
        "is_transferred_to_human": "transferred",
        "is_contained": "contained",
    }
    rows = upstream.execute(f"select outcome, is_reached, {', '.join(flags)} from {KEY}").fetchall()  # noqa: S608
    assert {row[0] for row in rows} == {*flags.values(), "unknown", "not_reached", "blocked", "cut_off", None}
    for outcome, is_reached, *values in rows:
        assert is_reached is (None if outcome is None else outcome not in {"not_reached", "voicemail"})
        assert values == [None if outcome is None else outcome == flag_outcome for flag_outcome in flags.values()]


EXCLUSIVE = {
    ("'unknown'", "'not_reached'"),
    ("'error'", "'blocked'"),
    ("'time_limit'", "'silence'"),
    ("'ended_by_agent'", "'ended_by_user'"),
}
"""Branches next to each other that never both hold, by what they give."""


def mutants(sql: str) -> Iterator[tuple[str, str]]:
    """The model with a smaller or another rule.

    Without a branch of a case, without one side of an and or or, without a value of a list, or with two branches
    swapped.
    """
    tree = parse_one(sql, dialect="duckdb")

    def nodes(statement: exp.Expr) -> list[exp.Expr]:
        ctes = [cte for cte in statement.find_all(exp.CTE) if cte.alias in ("facts", "reasons", "outcomes")]
        assert len(ctes) == 3
        rules = [node for cte in ctes for node in cte.find_all(exp.If, exp.Or, exp.And, exp.In)]
        return [node for node in rules if node.find_ancestor(exp.Join) is None]

    for position, original in enumerate(nodes(tree)):
        label = original.sql(dialect="duckdb")
        copies = [tree.copy() for _ in range(2)]
        node, twin = (nodes(copy)[position] for copy in copies)
        if isinstance(node, exp.In):
            for index, value in enumerate(node.expressions):
                copy = tree.copy()
                nodes(copy)[position].expressions.pop(index)
                yield f"without {value.sql()} in {label}", copy.sql(dialect="duckdb")
            continue
        if not isinstance(node, exp.If):
            node.replace(node.this.copy())
            twin.replace(twin.expression.copy())
            yield f"left side of {label}", copies[0].sql(dialect="duckdb")
            yield f"right side of {label}", copies[1].sql(dialect="duckdb")
            continue
        node.set("this", exp.false())
        yield f"without {label}", copies[0].sql(dialect="duckdb")
        branches = twin.parent.args["ifs"]
        index = branches.index(twin)
        results = tuple(branch.args["true"].sql() for branch in branches[index : index + 2])
        if len({*results}) == 2 and results not in EXCLUSIVE:
            branches[index : index + 2] = reversed(branches[index : index + 2])
            yield f"{results[1]} before {results[0]}", copies[1].sql(dialect="duckdb")


def test_a_change_of_any_rule_changes_an_answer(upstream: duckdb.DuckDBPyConnection, project: Any) -> None:
    sql = project.by_key[KEY].sql
    expected = answers(upstream, f"from {KEY}")
    assert answers(upstream, sql) == expected
    changes = dict(mutants(sql))
    assert len(changes) > 95
    unnoticed = [label for label, mutant in changes.items() if answers(upstream, mutant) == expected]
    assert unnoticed == []


DOCS = (Path(__file__).parents[2] / "docs" / "outcomes.md").read_text(encoding="utf-8")


def test_the_table_of_the_docs_has_the_outcomes_in_the_order_of_the_sql(project: Any) -> None:
    documented = re.findall(r"^\| `(\w+)` \| (?!holds)", DOCS.partition("## What follows")[0], re.MULTILINE)
    model = project.by_key[KEY]
    (cte,) = (cte for cte in parse_one(model.sql, dialect="duckdb").find_all(exp.CTE) if cte.alias == "outcomes")
    case_of_outcome = next(node for node in cte.find_all(exp.Case))
    results = [branch.args["true"] for branch in case_of_outcome.args["ifs"]] + [case_of_outcome.args["default"]]
    assert documented == [result.name for result in results if not isinstance(result, exp.Null)]
    assert documented == list(model.header.tests.accepted["outcome"])


def test_the_flags_of_the_docs_are_those_of_the_outcomes(upstream: duckdb.DuckDBPyConnection) -> None:
    follows = DOCS.partition("## What follows")[2].partition("## Sources")[0]
    flags = dict(re.findall(r"^\| `(is_\w+)` \| `(\w+)` \|", follows, re.MULTILINE))
    assert len(flags) == 5  # is_reached is of all outcomes but two
    for flag, outcome in flags.items():
        query = f"select distinct outcome from {KEY} where {flag}"  # noqa: S608 - names of ours
        assert upstream.execute(query).fetchall() == [(outcome,)]


def test_every_example_of_the_docs_has_the_outcome_of_its_title(rows: Any) -> None:
    examples = re.findall(r"^### (\w+), (\w+)\n.*?```json\n(.*?)```", DOCS, re.MULTILINE | re.DOTALL)
    documents = [
        example | {"conversation_id": f"conv_{index}", "agent_id": "a1"}
        for index, example in enumerate(json.loads(text) for *_, text in examples)
    ]
    for index, document in enumerate(documents):
        document["metadata"]["start_time_unix_secs"] = 1_790_000_000 + index
    for name, frame in flatten(
        Snapshot(document["conversation_id"], json.dumps(document).encode(), rows.noon) for document in documents
    ).frames.items():
        for row in frame.to_dicts():
            rows.add(name, **{column: value for column, value in row.items() if value is not None})
    actual = rows.values(KEY, "outcome", "outcome_reason")
    assert actual == [(outcome, reason) for outcome, reason, _ in examples]
    assert len({outcome for outcome, _ in actual}) == 9
