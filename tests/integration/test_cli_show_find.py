"""``convohouse find`` and ``convohouse show`` on a copy of a small emulated API."""

from __future__ import annotations

import pytest

from tests.helpers import day
from tests.helpers.kept_home import copy_by_links
from tests.helpers.run_cli import run
from warehouse.serve.search_terms import search_terms


class Shown:
    """The folder with the copy of a world, the world's documents, and one of them."""

    def __init__(self, three_days):
        self.folder, self.settings, self.until = three_days.folder, three_days.settings, three_days.until
        self.documents = list(three_days.world.details(self.until))
        done = [document for document in self.documents if document["status"] == "done" and document["analysis"]]
        self.call = max(
            done, key=lambda document: sum(len(entry["tool_calls"] or ()) for entry in document["transcript"])
        )
        self.id = self.call["conversation_id"]


@pytest.fixture(scope="module")
def copied(three_days):
    return Shown(three_days)


def test_show_has_messages_tools_models_and_verdicts(copied):
    ended = run(copied.folder, "show", copied.id)
    shown = " ".join(ended.text.split())
    assert (ended.code, ended.err) == (0, "")
    assert shown.startswith(copied.id)
    said = [entry["original_message"] or entry["message"] for entry in copied.call["transcript"] if entry["message"]]
    assert [text for text in said if " ".join(text.split()) not in shown] == []
    tools = [tool["tool_name"] for entry in copied.call["transcript"] for tool in entry["tool_calls"] or ()]
    assert tools
    assert [name for name in tools if name not in shown] == []
    models = copied.call["metadata"]["charging"]["llm_usage"]["initiated_generation"]["model_usage"]
    assert [name for name in models if name not in shown] == []
    verdicts = copied.call["analysis"]["evaluation_criteria_results"]
    assert [verdict for verdict in verdicts.values() if verdict["rationale"] not in shown] == []


def test_show_as_data(copied):
    data = run(copied.folder, "show", copied.id, "--json").data
    assert data["conversation"]["conversation_id"] == copied.id
    assert [turn["message"] for turn in data["turns"]] == [entry["message"] for entry in copied.call["transcript"]]
    collected = copied.call["analysis"]["data_collection_results"]
    assert {row["data_collection_id"] for row in data["data_collection"]} == set(collected)


@pytest.mark.parametrize("odd", ["../../etc/passwd", "", "'; drop table x", "conv_%", "\x1b[31m", "ü" * 3000])
def test_an_odd_id_is_unknown_and_controls_no_terminal(odd, copied):
    ended = run(copied.folder, "show", odd)
    assert (ended.code, ended.out) == (2, b"")
    assert ended.err.startswith(f"error: There is no conversation {odd!r}.")
    assert "\x1b" not in ended.err


def test_a_similar_id_is_suggested(copied):
    misspelt = copied.id[:-1] + ("a" if copied.id[-1] != "a" else "b")
    assert f"Did you mean {copied.id}" in run(copied.folder, "show", misspelt).err


def test_an_id_of_the_same_day_is_not_similar(copied):
    of_the_same_day = copied.id[:12] + "".join(reversed(copied.id[12:]))
    assert "Did you mean" not in run(copied.folder, "show", of_the_same_day).err


def test_of_an_erased_conversation_the_date_is_shown(copied, tmp_path):
    copy_by_links(copied.folder, tmp_path / "copy")
    ended = run(tmp_path / "copy", "erase", copied.id, "--yes")
    assert ended.code == 0
    said = run(tmp_path / "copy", "show", copied.id).err
    assert f"error: {copied.id!r} was erased here on {day.now():%Y-%m-%d}" in said


def test_a_conversation_is_found_by_its_words_here_and_at_the_api(copied):
    said = max((entry["message"] or "" for entry in copied.call["transcript"]), key=len)
    here = run(copied.folder, "find", said, "--json").data["calls"]
    assert copied.id in [hit["conversation_id"] for hit in here]
    ended = run(copied.folder, "find", said, "--upstream", "--limit", "1000", "--json", **copied.settings)
    holding = {
        document["conversation_id"]
        for document in copied.documents
        if any(said.lower() in (entry["message"] or "").lower() for entry in document["transcript"])
    }
    assert {row["conversation_id"] for row in ended.data["calls"]} >= holding | {copied.id}


def test_find_shows_a_line_with_marked_words_and_has_filters(copied):
    word = max(search_terms(copied.call["transcript"][0]["message"]), key=len)
    ended = run(copied.folder, "find", word.upper(), "--agent", copied.call["agent_id"], "--limit", "2")
    lines = ended.text.splitlines()
    assert (ended.code, len(lines) in (2, 4)) == (0, True)
    assert f"*{word}" in lines[1].lower()
    assert run(copied.folder, "find", word, "--until", "2020-01-01").err == "no conversation has all the words\n"
    assert run(copied.folder, "find", "...").code == 2
    assert run(copied.folder, "find", word, "--since", "soon").code == 2
