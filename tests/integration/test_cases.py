"""Conversations in the shapes of public payloads, each with what is right for it, from the document to ``show``.

``tests/cases/conversations.json`` has the documents, and by column of ``marts.fct_conversations`` what is right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipelines.page.app import Site, create_app
from pipelines.transform.agents import refresh_agents
from pipelines.transform.flatten import Snapshot, flatten
from pipelines.transform.redaction import redact
from tests.helpers.run_cli import run
from tests.independent.outcomes import outcome
from warehouse.build.runner import build
from warehouse.schema.registry import BY_NAME
from warehouse.serve.query import query
from warehouse.storage import lake
from warehouse.storage.home import Home

CASES = json.loads((Path(__file__).parents[1] / "cases" / "conversations.json").read_text(encoding="utf-8"))
NAMES = [case["document"]["conversation_id"] for case in CASES]
READ_AT = datetime(2026, 11, 1, tzinfo=UTC)
DERIVED = ("outcome", "outcome_reason", "n_turns", "n_user_turns", "n_agent_turns", "n_waits", "n_slow_waits")


def built(folder: Path, payloads: Iterable[tuple[str, bytes]]) -> Home:
    """A home with the warehouse of these documents."""
    home = Home(folder / "data").open()
    lake.ensure_schema_files(home)
    flattened = flatten(Snapshot(name, payload, READ_AT) for name, payload in payloads)
    assert flattened.errors == {}
    for name, frame in flattened.frames.items():
        for (day,), rows in frame.group_by("start_date"):
            lake.overwrite_partition(home, BY_NAME[name], day, rows)
    refresh_agents(home)
    result = build(home)
    assert [check.check.name for check in result.checks if not check.is_passed] == []
    return home


def payloads() -> list[tuple[str, bytes]]:
    return [(case["document"]["conversation_id"], json.dumps(case["document"]).encode()) for case in CASES]


def conversations(home: Home) -> dict[str, dict[str, Any]]:
    rows = query(home, "from marts.fct_conversations").to_dicts()
    return {row["conversation_id"]: row for row in rows}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    built(folder, payloads())
    return folder


@pytest.fixture(scope="module")
def rows(folder: Path) -> dict[str, dict[str, Any]]:
    return conversations(Home(folder / "data"))


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_case_is_right(rows: dict[str, dict[str, Any]], case: dict[str, Any]) -> None:
    row = rows[case["document"]["conversation_id"]]
    assert {name: row[name] for name in case["right"]} == case["right"], case["about"]
    assert row["outcome"] == outcome(case["document"])


def test_every_outcome_has_a_case(rows: dict[str, dict[str, Any]]) -> None:
    outcomes = {case["right"].get("outcome") for case in CASES}
    assert outcomes >= {"unknown", "not_reached", "voicemail", "error", "blocked", "abandoned", "transferred"}
    assert outcomes >= {"cut_off", "contained"}


def test_batches_count_a_mailbox_and_nobody_alike(folder: Path) -> None:
    actual = query(
        Home(folder / "data"),
        """
        select batch_call_id, n_calls, n_answered, answer_rate, n_voicemail, n_errors from metrics.batch_calls
        where batch_call_id is not null order by batch_call_id
        """,
    ).rows()
    assert actual == [("batch_a", 4, 1, 0.25, 1, 0), ("batch_b", 1, 0, 0.0, 0, 0)]


def test_the_marts_agree_on_the_outcomes(folder: Path) -> None:
    counted = query(
        Home(folder / "data"),
        """
        select
            (select sum(n_voicemail) from metrics.agent_daily) as daily,
            (select sum(n_voicemail) from metrics.agent_scorecard) as weekly,
            (select count(*) from marts.fct_conversations where outcome = 'voicemail') as mart,
            (select sum(n_errors) from metrics.agent_daily) as errors_daily,
            (select sum(n_errors) from metrics.termination_reasons) as errors_by_reason,
            (select count(*) from marts.fct_conversations where outcome = 'error') as errors
        """,
    ).rows()
    assert counted == [(1, 1, 1, 1, 1, 1)]


def test_a_redaction_changes_no_outcome_and_no_count(tmp_path: Path, rows: dict[str, dict[str, Any]]) -> None:
    redacted = conversations(built(tmp_path, ((name, redact(payload)[0]) for name, payload in payloads())))
    names = (*DERIVED, "channel", "error_type", "is_transferred_to_agent", "main_llm", "n_failed_criteria", "tags")
    for conversation_id, row in rows.items():
        assert {name: redacted[conversation_id][name] for name in names} == {name: row[name] for name in names}


def test_no_mart_and_no_metric_of_an_agent_lacks_its_name(folder: Path) -> None:
    home = Home(folder / "data")
    columns = query(
        home,
        """
        select table_schema || '.' || table_name as key, list(column_name) as names from information_schema.columns
        where table_schema in ('marts', 'metrics') group by all order by all
        """,
    ).rows()
    with_agents = {key for key, names in columns if any(name.endswith("agent_id") for name in names)}
    assert {key for key, names in columns if any(name.endswith("agent_name") for name in names)} == with_agents
    for key in sorted(key for key, names in columns if {"agent_id", "agent_name"} <= {*names}):
        rows = query(home, f"from {key}").select("agent_id", "agent_name").unique().rows()
        assert {name for agent_id, name in rows if agent_id == "agent_front"} <= {"Front desk"}, key


def test_agents_join_without_a_clash(folder: Path) -> None:
    joined = "from metrics.agent_daily join marts.dim_agents using (workspace, agent_id, agent_name)"
    names = query(Home(folder / "data"), joined).columns
    assert [name for name in names if name.endswith("_1")] == []


SHOWN = {
    "conv_photo": ["[file: door.jpg, image/jpeg]"],
    "conv_voices": ["Ann: Welcome.", "Ben: Willkommen."],
    "conv_unkept": ["outcome: unknown (no_transcript)", "there is no transcript"],
    "conv_two_agents": ["billing was rude", "agent_bill", "INV-9"],
    "conv_greeting": ["0:00  agent  Good morning."],
    "conv_dollars_only": ["credits unknown, $0.0412 (reported)"],
    "conv_rang_out": ["outcome: not reached (no_answer)"],
    "conv_guarded": ["outcome: blocked (no_diagnosis)", "[guardrail: no_diagnosis]"],
    "conv_queued": ["a surcharge of 120 credits for the voice, billed apart", "waited 8.5 s in the queue"],
    "conv_signs": [r"<p>Hi</p>\u0007\u001b[31m red \u202e olleh", r"a\u0000b"],
}


@pytest.mark.parametrize("conversation_id", SHOWN)
def test_show_prints_what_the_lake_knows(folder: Path, conversation_id: str) -> None:
    ended = run(folder, "show", conversation_id)
    assert (ended.code, ended.err) == (0, "")
    assert [text for text in SHOWN[conversation_id] if text not in ended.text] == [], ended.text
    assert "-1:59" not in ended.text
    assert not any(sign in ended.text for sign in "\x07\x1b\x00\u202e\u200f")


ON_THE_PAGE = {
    "conv_photo": ["file: door.jpg, image/jpeg"],
    "conv_voices": ["Ann: Welcome. Ben: Willkommen.", "0:07 agent Bye"],
    "conv_dollars_only": ["$0.0412 (reported), credits unknown"],
    "conv_rang_out": ["not reached: no answer", "$0.00 (plan rate), 0 credits", "Error no_answer: request timed out"],
    "conv_guarded": ["blocked: no diagnosis", "Guardrail no diagnosis"],
    "conv_queued": ["a surcharge of 120 credits, billed apart", "Queue waited 8.5 s"],
    "conv_tagged": ["Tags tag_a, tag_b"],
    "conv_unkept": ["unknown: no transcript", "There is no transcript."],
    "conv_two_agents": ["polite failure agent agent_bill billing was rude", "invoice INV-9 agent agent_bill"],
    "conv_empty_entries": ["I note that. after 3.00 s 0:08 tool note_day answered 0.30 s", "0:10 agent Noted."],
}
"""As ``SHOWN``."""


@pytest.mark.parametrize("conversation_id", ON_THE_PAGE)
def test_the_page_shows_what_the_lake_knows(folder: Path, conversation_id: str) -> None:
    text = page(folder, f"/conversations/{conversation_id}")
    assert [words for words in ON_THE_PAGE[conversation_id] if words not in text] == [], text


def page(folder: Path, path: str) -> str:
    """The text of a page, its words between single blanks."""
    site = Site(Home(folder / "data"), lambda: READ_AT, timedelta(hours=36))
    response = TestClient(create_app(site), base_url="http://127.0.0.1").get(path)
    assert response.status_code == 200
    body = response.text.partition('id="content"')[2].partition("<footer>")[0]
    return " ".join(unescape(re.sub("<[^>]+>", " ", body)).split())
