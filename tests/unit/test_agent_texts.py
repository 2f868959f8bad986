"""Which strings of a configuration are texts, and what is in their place."""

from __future__ import annotations

from hashlib import sha256

from pipelines.transform.agent_texts import comparable, summarize_texts, text_length

CONFIG = {
    "name": "Front desk of the clinic",
    "agent_id": "agent_1",
    "conversation_config": {
        "agent": {
            "first_message": "Hello!",
            "prompt": {"prompt": "Help", "llm": "small", "tool_ids": ["tool_1"], "temperature": 0.5},
            "dynamic_variables": {"dynamic_variable_placeholders": {"city": "Vienna", "retries": 2}},
        },
        "tts": {"voice_id": "v1"},
        "turn": {"soft_timeout_config": {"note": "One moment, please", "timeout": 3}},
        "language_presets": {"de": {"first_message": "Hallo!"}},
        "empty": {"first_message": "", "prompt": None},
    },
    "criteria": [{"id": "solved", "name": "Was it solved", "conversation_goal_prompt": "solved", "use": True}],
    "long": "x" * 201,
    "word": "x" * 200,
    "metadata": {"version_description": "A shorter greeting"},
}


def text(value: str) -> dict[str, object]:
    return {"length": len(value), "sha256": sha256(value.encode()).hexdigest()}


SUMMARY = {
    "name": "Front desk of the clinic",
    "agent_id": "agent_1",
    "conversation_config": {
        "agent": {
            "first_message": text("Hello!"),
            "prompt": {"prompt": text("Help"), "llm": "small", "tool_ids": ["tool_1"], "temperature": 0.5},
            "dynamic_variables": {"dynamic_variable_placeholders": {"city": text("Vienna"), "retries": 2}},
        },
        "tts": {"voice_id": "v1"},
        "turn": {"soft_timeout_config": {"note": text("One moment, please"), "timeout": 3}},
        "language_presets": {"de": {"first_message": text("Hallo!")}},
        "empty": {"first_message": "", "prompt": None},
    },
    "criteria": [
        {"id": "solved", "name": "Was it solved", "conversation_goal_prompt": text("solved"), "use": True},
    ],
    "long": text("x" * 201),
    "word": "x" * 200,
    "metadata": {"version_description": "A shorter greeting"},
}


def test_texts_are_replaced_and_everything_else_stays() -> None:
    assert summarize_texts(CONFIG) == SUMMARY


def test_a_summary_stays_as_it_is() -> None:
    assert summarize_texts(SUMMARY) == SUMMARY


def test_a_text_compares_as_its_summary() -> None:
    assert comparable(CONFIG) == comparable(SUMMARY)
    assert comparable(CONFIG) != comparable(CONFIG | {"long": "y" * 201})


def test_the_length_of_a_text_and_of_its_summary() -> None:
    values = ("Help", text("Help"), "", None, 5, text("Help") | {"length": "4"})
    assert [text_length(value) for value in values] == [4, 4, 0, None, None, None]
