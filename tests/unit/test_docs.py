"""The documents: what is generated is current, every link and every named file exists, every command line is right."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import click
import pytest

from pipelines.cli.main import cli
from pipelines.settings import load_settings
from tests.helpers.reference_docs import (
    COMMANDS_FILE,
    OUTCOMES_FILE,
    ROOT,
    SETTINGS_FILE,
    commands_text,
    outcomes_text,
    settings_text,
)
from tests.helpers.run_cli import parse
from warehouse.models.seeds import read_seeds

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])
WRITTEN = [page for page in PAGES if page.name not in ("tables.md", "metrics.md", "RESULTS.md", "CHANGELOG.md")]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
SOURCES = sorted([*ROOT.glob("pipelines/**/*.py"), *ROOT.glob("warehouse/**/*.py"), *ROOT.glob("sql/**/*.sql")])


def prose(page: Path) -> str:
    """The text of a page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    slugs: Counter[str] = Counter()
    names = set()
    for title in re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        names.add(f"{slug}-{slugs[slug]}" if slugs[slug] else slug)
        slugs[slug] += 1
    return names


def is_target(page: Path, anchor: str) -> bool:
    return page.exists() and (not anchor or anchor in anchors(page))


def console_lines(page: Path) -> list[str]:
    """The commands of a page's console blocks, without prompt and comment."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    lines = (line for block in blocks for line in block.splitlines() if line.startswith("$ "))
    return [re.sub(r"\s+# .*", "", line.removeprefix("$ ")) for line in lines]


def test_the_commands_are_current() -> None:
    assert COMMANDS_FILE.read_text(encoding="utf-8") == commands_text(), "run `make docs`"


def test_the_settings_are_current() -> None:
    text = SETTINGS_FILE.read_text(encoding="utf-8")
    assert text == settings_text(text), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_line_within_a_paragraph_begins_like_a_list(page: Path) -> None:
    """A number and a dot at the end of a sentence, wrapped to the next line, become a list."""
    item = re.compile(r"\s*(\d+[.)]|[-+*])\s")
    lines = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE).splitlines()
    pairs = [(above, line) for above, line in pairwise(lines) if above[:1].isalnum() and not item.match(above)]
    assert len(pairs) > 0
    assert [line for _, line in pairs if item.match(line)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if "://" not in link]
    targets = [link.partition("#") for link in links]
    wrong = [
        f"{path}#{anchor}"
        for path, _, anchor in targets
        if not is_target((page.parent / path).resolve() if path else page, anchor)
    ]
    assert wrong == []


def test_every_page_that_a_message_or_docstring_names_exists() -> None:
    named = {
        (match[1], match[2] or "")
        for source in SOURCES
        for match in re.finditer(r"\b(docs/\w+\.md)(?:#([\w-]+))?", source.read_text(encoding="utf-8"))
    }
    assert [f"{page}#{anchor}" for page, anchor in sorted(named) if not is_target(ROOT / page, anchor)] == []


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_and_folder_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"`((?:pipelines|warehouse|sql|tests|benchmarks|docs)/[\w./-]*)", prose(page))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_of_a_page_can_be_parsed(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in console_lines(page):
        program, *arguments = shlex.split(re.sub(r"\$\(.*\)", "conv_01", line))
        if Path(program).name != "convohouse":
            assert program == "export" or (program == "make" and f"\n{arguments[0]}:" in MAKEFILE), line
            continue
        end = next((place for place, word in enumerate(arguments) if word in (">", "<", "|")), len(arguments))
        for name in arguments[:end]:
            if name.endswith((".csv", ".parquet")):
                Path(name).touch()  # click looks whether a file that is read exists
        try:
            parse(arguments[:end])
        except click.ClickException as error:
            pytest.fail(f"{line}: {error.format_message()}")


def mentions(page: Path) -> list[str]:
    """Code in the prose of a page, and the lines of its blocks of shell and text, which need a server or a night."""
    blocks = re.findall(r"^```(?:sh|text)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    spans = (span for paragraph in prose(page).split("\n\n") for span in re.findall(r"`([^`]+)`", paragraph))
    return [*spans, *(line for block in blocks for line in block.splitlines())]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_option_and_make_target_that_a_page_mentions_exists(page: Path) -> None:
    command = re.compile(r"(?<![\w/])(?<!-u )(?:\S*bin/)?convohouse (?:--home \S+ )?([a-z]+)\b([^|;&#]*)")
    wrong = []
    for code in mentions(page):
        for name, rest in command.findall(code):
            params = cli.commands[name].params if name in cli.commands else []
            options = {option for param in params for option in (*param.opts, *param.secondary_opts)}
            if not params or not options.issuperset(re.findall(r"(?<!\S)--[\w-]+", rest)):
                wrong.append(code)
        targets = re.findall(r"^(?:\w+=\S+ )*make (?:\w+=\S+ )*([a-z-]+)", code)
        wrong += [code for target in targets if f"\n{target}:" not in MAKEFILE]
    assert wrong == []


def test_the_parser_refuses_what_does_not_exist() -> None:
    for arguments in (["synchronise"], ["sync", "--everything"], ["find", "--limit", "many", "train"]):
        with pytest.raises(click.ClickException):
            parse(arguments)


def test_every_command_has_a_section() -> None:
    assert anchors(COMMANDS_FILE) >= set(cli.commands)


def test_the_outcomes_are_current() -> None:
    text = OUTCOMES_FILE.read_text(encoding="utf-8")
    assert text == outcomes_text(text), "run `make docs`"


def blocks(page: str, kind: str) -> list[str]:
    """The fenced blocks of a kind on a page of docs/."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            blocks("configuration.md", "toml")[0],
            {"home": Path("/srv/convohouse/data"), "timezone": "Europe/Berlin", "reread_days": (1, 7, 30)},
        ),
        (blocks("configuration.md", "toml")[1], {"names": ["eu", "us"]}),
        (blocks("publish.md", "toml")[0], {"targets": {"bi": "postgresql://convohouse@db.example.com/bi"}}),
    ],
    ids=["settings", "workspaces", "publish"],
)
def test_what_the_docs_put_into_convohouse_toml_are_settings(
    block: str, expected: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "convohouse.toml").write_text(block)
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    values = settings.model_dump() | {
        "names": [workspace.workspace for workspace in settings.workspace_settings()],
        "targets": {name: target.target for name, target in settings.publish.items()},
    }
    assert {name: values[name] for name in expected} == expected


def test_the_variables_that_the_docs_put_into_a_file_are_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = [text for text in blocks("operations.md", "text") if text.startswith("ELEVENLABS_API_KEY")]
    (tmp_path / ".env").write_text(block)
    monkeypatch.chdir(tmp_path)
    assert load_settings().timezone == "Europe/Berlin"


def test_the_seeds_that_the_docs_show_are_read(tmp_path: Path) -> None:
    budgets, callers = blocks("configuration.md", "csv")
    (tmp_path / "budgets.csv").write_text(budgets)
    (tmp_path / "excluded_callers.csv").write_text(callers)
    rows = {seed.name: seed.rows.rows() for seed in read_seeds(ROOT / "sql" / "seeds", tmp_path)}
    assert rows["budgets"] == [(date(2026, 11, 1), "*", 1500.0), (date(2026, 11, 1), "agent_support", 400.0)]
    assert rows["excluded_callers"] == [
        ("caller_id", "+1555%", "the test phones"),
        ("agent_id", "agent_playground%", "only for trying things out"),
    ]


def test_the_command_that_a_client_of_mcp_starts_can_be_parsed() -> None:
    (block,) = blocks("assistants.md", "json")
    server = json.loads(block)["mcpServers"]["convohouse"]
    assert Path(server["command"]).name == "convohouse"
    parse(server["args"])
