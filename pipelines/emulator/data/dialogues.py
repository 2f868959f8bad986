"""What is said (``dialogues.toml``): topics, small talk, farewells, in several wordings each."""

from __future__ import annotations

from typing import Literal

from pipelines.emulator.data.callers import CALLERS, VARIABLES
from pipelines.emulator.data.data_files import Record, check_names, check_template, read
from pipelines.emulator.data.tools import TOOLS

FILE = "dialogues.toml"
Speaker = Literal["caller", "agent", "knowledge", "tool"]


class Topic(Record, frozen=True):
    """One thing that people get in touch about; a turn is its speaker with the wordings, or with the tool's name."""

    agent: str
    title: str
    summary: str
    turns: list[dict[Speaker, list[str]]]
    language: str = "en"

    def __post_init__(self) -> None:
        """Check the summary and the turns."""
        check_template("summary", self.summary, VARIABLES)
        for position, turn in enumerate(self.turns):
            if len(turn) != 1:
                raise ValueError(f"turns[{position}]: needs one speaker, has {len(turn)}")
            ((speaker, wordings),) = turn.items()
            if speaker == "tool":
                check_names(f"turns[{position}].tool", wordings, TOOLS)
            else:
                _check_wordings(f"turns[{position}].{speaker}", wordings)


class Exchange(Record, frozen=True):
    """What a caller says and an agent answers."""

    caller: list[str]
    agent: list[str]
    language: str = "en"

    def __post_init__(self) -> None:
        """Check the wordings."""
        _check_wordings("caller", self.caller)
        _check_wordings("agent", self.agent)


class AnsweringMachine(Record, frozen=True):
    """What a machine says that answers in a person's place."""

    greetings: list[str]


class DialoguesFile(Record, frozen=True):
    """All of ``dialogues.toml``."""

    topic: list[Topic]
    small_talk: list[Exchange]
    callback: list[Exchange]
    farewell: list[Exchange]
    answering_machine: AnsweringMachine

    def __post_init__(self) -> None:
        """Check that every language can be spoken from the first turn to the last."""
        languages = {topic.language for topic in self.topic}
        check_names("topic.language", languages, CALLERS.days)
        for name, exchanges in (("callback", self.callback), ("farewell", self.farewell)):
            check_names(f"topic.language without {name}", languages, {exchange.language for exchange in exchanges})


def _check_wordings(key: str, wordings: list[str]) -> None:
    if not wordings:
        raise ValueError(f"{key}: no wording")
    for wording in wordings:
        check_template(key, wording, VARIABLES)


DIALOGUES = read(FILE, DialoguesFile)


def exchanges(kind: list[Exchange], language: str) -> list[Exchange]:
    """The exchanges of a language."""
    return [exchange for exchange in kind if exchange.language == language]
