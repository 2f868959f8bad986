"""The data files of the emulator: their loaders name the file and the key of whatever is wrong."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest

from pipelines.emulator.data import agents, callers, dialogues, prices, story, tools
from pipelines.emulator.data.data_files import DataFileError, check_template, parse, read

KINDS: dict[str, type] = {
    "agents.toml": agents.AgentsFile,
    "callers.toml": callers.Callers,
    "dialogues.toml": dialogues.DialoguesFile,
    "prices.toml": prices.Prices,
    "story.toml": story.Story,
    "tools.toml": tools.ToolsFile,
}


def text_of(file: str) -> str:
    return files("pipelines.emulator.data").joinpath(file).read_text(encoding="utf-8")


def test_every_file_has_a_loader() -> None:
    names = {path.name for path in files("pipelines.emulator.data").iterdir() if path.name.endswith(".toml")}
    assert names == set(KINDS)


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("agents.toml", "share = 0.3\n", 'share = "much"\n', "Expected `float`, got `str` - at `$.agent[0].share`"),
        ("agents.toml", 'key = "hotel"', 'kee = "hotel"', "unknown field `kee` - at `$.agent[1]`"),
        ("agents.toml", '"claude-haiku-4-5"', '"claude-9"', "agent hotel.model: unknown 'claude-9'"),
        ("agents.toml", '"polite_and_clear"]', '"polite"]', "agent clinic.criteria: unknown 'polite'"),
        ("agents.toml", 'tools = ["find_customer",', 'tools = ["find",', "agent clinic.tools: unknown 'find'"),
        ("agents.toml", "{first} got what", "{who} got what", "criteria.request_resolved: unknown 'who'"),
        ("agents.toml", '["en", "de"]', '["en"]', "dialogues.toml: languages of agent hotel: unknown 'de'"),
        ("callers.toml", "cities = ", "towns = ", "unknown field `towns`"),
        ("dialogues.toml", 'title = "Late arrival"\n', "", "missing required field `title` - at `$.topic[4]`"),
        ("dialogues.toml", '"find_customer"', '"find"', "turns[3].tool: unknown 'find' - at `$.topic[0]`"),
        ("dialogues.toml", "{doctor} and I", "{doktor} and I", "turns[0].caller: unknown 'doktor' - at `$.topic[0]`"),
        (
            "dialogues.toml",
            "{ caller = [",
            "{ visitor = [",
            "Invalid enum value 'visitor' - at `key` in `$.topic[0].turns[0]`",
        ),
        ("dialogues.toml", "{doctor} and I", "{doctor and I", "turns[0].caller: expected '}' before end of string"),
        ("prices.toml", "credits_per_sec = 10", "credits_per_sec = 1.5", "at `$.credits_per_sec`"),
        ("story.toml", 'model = "claude-haiku-4-5"', 'model = "x"', "models: unknown 'x'"),
        ("story.toml", 'tool = "lookup_reservation"', 'tool = "x"', "evening_timeouts.tool: unknown 'x'"),
        ("story.toml", "0.58, 0.47]", "0.58]", "traffic.week: 6 weights instead of 7"),
        ("story.toml", "cycle_days = 42", "cycle_days =", "Invalid value"),
        ("tools.toml", 'kind = "client"', 'kind = "server"', "Invalid enum value 'server' - at `$.tool[6].kind`"),
        ("tools.toml", "C-{room}", "C-{zimmer}", "tool find_customer.customer_id: unknown 'zimmer'"),
    ],
)
def test_what_is_wrong_is_named(file: str, old: str, new: str, expected: str) -> None:
    text = text_of(file)
    assert old in text
    with pytest.raises(DataFileError) as error:
        parse(file, text.replace(old, new, 1), KINDS[file])
    assert str(error.value).startswith(f"{file}: ")
    assert expected in str(error.value)


@pytest.mark.parametrize("file", KINDS)
def test_the_files_are_read_as_they_are(file: str) -> None:
    kind: Any = KINDS[file]
    assert read(file, kind) == parse(file, text_of(file), kind)


def test_templates_may_repeat_variables_and_have_none() -> None:
    check_template("key", "no variable", ())
    check_template("key", "{day} and {day}", ("day",))


def test_a_caller_is_one_person_everywhere() -> None:
    assert callers.persona(5) == callers.persona(5)
    assert len({callers.persona(caller).name for caller in range(200)}) > 120


def test_prices_follow_the_factor_of_their_model() -> None:
    tokens = (1_000_000, 0, 0, 0)
    model = "gpt-4.1-mini"
    assert prices.priced(model, tokens, {})["input"] == {"tokens": 1_000_000, "price": pytest.approx(0.4)}
    assert prices.priced(model, tokens, {model: 2.5})["input"]["price"] == pytest.approx(1.0)
    assert prices.price_per_minute(model, 3000, 0, {model: 2.5}, is_rag=False) == pytest.approx(
        2.5 * prices.price_per_minute(model, 3000, 0, {}, is_rag=False), abs=1e-7
    )
