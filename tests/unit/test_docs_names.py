"""The names in the documents: tables, columns, settings, extras and messages that a page mentions exist in the code."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from pipelines.mcp_server.answers import Answers
from pipelines.page.app import VIEWS
from tests.helpers.reference_docs import ROOT, settings_table
from warehouse.models.build_tables import BUILD_INPUTS, GENERATED_TABLES
from warehouse.models.project import ALL_SCHEMAS, read_project
from warehouse.schema.registry import TABLES

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])
BY_HAND = [page for page in PAGES if page.name not in ("tables.md", "metrics.md", "RESULTS.md", "CHANGELOG.md")]
SOURCES = sorted([*ROOT.glob("pipelines/**/*.py"), *ROOT.glob("warehouse/**/*.py")])
PROJECT = read_project()
COLUMNS = {
    **{f"lake.{table.name}": frozenset(table.column_names) for table in TABLES},
    **{model.key: frozenset(model.header.columns) for model in PROJECT.models},
    **{seed.key: frozenset(seed.header.columns) for seed in PROJECT.seeds},
    **{table.key: frozenset(table.columns) for table in (*GENERATED_TABLES, BUILD_INPUTS)},
}
COLUMN = re.compile(
    r"(?<![\w/])(?:(?:n|is|has)_[a-z0-9_]+|[a-z][a-z0-9_]*_(?:rate|share|secs|usd|credits|coverage|at))\b(?![(]|\.py)"
)
"""Names that only a column has, by their unit."""

FOR_USERS = [
    file
    for file in SOURCES
    if {"cli", "orchestration", "page", "mcp_server", "schema"} & set(file.relative_to(ROOT).parts)
]
"""Modules whose texts, docstrings included, are help texts, descriptions of assets and the like."""
SETTINGS = settings_table()

page_id = pytest.mark.parametrize("page", BY_HAND, ids=lambda page: str(page.relative_to(ROOT)))


def code_spans(page: Path) -> list[str]:
    """The code in the prose of a page, without its fenced blocks."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`]+)`", text)


def relations(text: str) -> list[tuple[str, str]]:
    """The relations with their schema that a text names, each with the column that follows it."""
    names = re.findall(rf"(?<![\w./])((?:{'|'.join(ALL_SCHEMAS)})\.[a-z]\w*)(?:\.(\w+))?", text)
    return [
        (name, column.removesuffix("csv"))
        for name, column in names
        if not name.endswith((".md", ".py", ".csv", ".sql"))
    ]


def is_declared(name: str, column: str) -> bool:
    return name in COLUMNS and (not column or column in COLUMNS[name])


@page_id
def test_every_table_and_column_that_a_page_names_exists(page: Path) -> None:
    spans = code_spans(page)
    wrong = [pair for span in spans for pair in relations(span) if not is_declared(*pair)]
    columns = frozenset[str]().union(*COLUMNS.values())
    assert [*wrong, *(name for span in spans for name in COLUMN.findall(span) if name not in columns)] == []


def test_every_table_that_a_text_for_users_names_exists() -> None:
    named = {
        pair
        for source in FOR_USERS
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for pair in relations(node.value)
    }
    assert len(named) > 30
    assert sorted(pair for pair in named if not is_declared(*pair)) == []


@page_id
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    keys = set(re.findall(r'key_variable = "(\w+)"', text))
    names = set(re.findall(r"\b(?:CONVOHOUSE|ELEVENLABS)_[A-Z_]+\b", text)) - keys
    assert sorted(name for name in names if f"`{name}`" not in SETTINGS) == []


def test_every_extra_that_a_page_or_message_names_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    texts = [file.read_text(encoding="utf-8") for file in (*PAGES, *SOURCES)]
    names = {
        name for text in texts for names in re.findall(r"convohouse\[([\w,]+)\]", text) for name in names.split(",")
    }
    assert {"page", "publish", "mcp"} <= names <= extras.keys()


def test_what_to_do_when_quotes_messages_that_exist() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = page.partition("## What to do when\n")[2].partition("\n## ")[0].splitlines()[4:]
    cells = [row.split(" | ")[0] for row in rows if row.startswith("| ")]
    quoted = [part for cell in cells for span in re.findall(r"`([^`]+)`", cell) for part in span.split("…")]
    assert len(quoted) > 10
    source = re.sub(r'"\s*f?"', "", "".join(file.read_text(encoding="utf-8") for file in SOURCES))
    of_the_system = {"No space left on device"}
    assert [text for text in quoted if text not in source and text not in of_the_system] == []


def test_the_readme_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\((docs/\w+\.md)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert linked == {str(page.relative_to(ROOT)) for page in ROOT.glob("docs/*.md")}


def first_cells(page: str, head: str) -> list[str]:
    """The first column of the table with a head on a page of docs/."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    rows = text.partition(f"\n| {head} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [re.sub(r"\[(.*)\]\(.*\)", r"\1", row.removeprefix("| ").partition(" | ")[0]) for row in rows]


def test_every_view_of_the_page_is_described() -> None:
    described = [name.removeprefix("One ").capitalize() for name in first_cells("page.md", "page, with a picture")]
    assert sorted(described) == sorted({view.name for view in VIEWS})
    assert f"{['nine', 'ten', 'eleven'][len(described) - 9]} views" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_tool_for_assistants_is_described() -> None:
    described = re.findall(r"`(\w+)`", " ".join(first_cells("assistants.md", "tool")))
    tools = {name for name, value in vars(Answers).items() if callable(value) and not name.startswith("_")}
    assert set(described) == tools - {"data_as_of"}


def test_the_architecture_has_every_package_and_the_layers_that_import_linter_checks() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    entries = [path for root in ("pipelines", "warehouse") for path in (ROOT / root).iterdir() if path.name[0] != "_"]
    names = [path.name for path in entries if path.suffix == ".py" or (path / "__init__.py").exists()]
    assert [name for name in names if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", page)] == []
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    for steps in layers:
        row = " → ".join(
            ", ".join(f"`{module.strip().partition('.')[2] or module}`" for module in step.split("|")) for step in steps
        )
        assert row in page


def test_every_picture_is_shown_or_linked() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in BY_HAND)
    assert [file.name for file in ROOT.glob("docs/images/*") if f"images/{file.name})" not in text] == []
