"""Suggestions for a misspelt name: which names are similar enough, in which spelling, and in which words."""

from __future__ import annotations

from warehouse.suggestions import MAX_SUGGESTIONS, did_you_mean, suggest, suggest_column


def test_the_most_similar_name_comes_first_in_its_own_spelling() -> None:
    assert suggest("turn_idx", ["turn_indexes", "role", "Turn_Index"]) == ["Turn_Index", "turn_indexes"]
    assert suggest("turn_idx", ["role"]) == []


def test_a_name_is_suggested_once_and_few_are() -> None:
    assert suggest("name", ["Name", "name", "NAME"]) == ["Name"]
    assert len(suggest("name", [f"name{letter}" for letter in "abcdef"])) == MAX_SUGGESTIONS


def test_a_column_is_looked_for_in_the_table_that_is_named() -> None:
    assert suggest_column("a.bc", {"a": ["bcd", "x"], "b": ["bc"]}) == ["a.bcd"]


def test_the_question_names_every_suggestion() -> None:
    questions = [did_you_mean(names) for names in ([], ["a"], ["a", "b"])]
    assert questions == ["", "Did you mean a? ", "Did you mean a or b? "]
