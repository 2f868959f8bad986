"""The language lint fails on each banned word and on each banned name of a variable, and says what to write instead."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.helpers.plain_language import BANNED_NAMES, INSTEAD, banned_names, banned_words, findings

PATH = Path("pipelines/some.py")


@pytest.mark.parametrize("word", INSTEAD)
def test_a_banned_word_is_found_in_prose_in_names_and_over_the_end_of_a_line(word: str) -> None:
    first, _, second = word.partition(" ")
    broken = f"{first}\n    # {second}" if second else first
    text = f"fine\nIt {word.capitalize()} here.\nx = is_{word.replace(' ', '_')}_x\n# It {broken} here\n"
    assert [*banned_words(PATH, text)] == [f"{PATH}:{line}: {word!r}: write {INSTEAD[word]}" for line in (2, 3, 4)]


def test_a_word_that_only_contains_a_banned_one_is_fine() -> None:
    assert [*banned_words(PATH, "It forbears, understands, a canewood, but forever; bear, stand, stood.")] == []


@pytest.mark.parametrize("name", sorted(BANNED_NAMES))
@pytest.mark.parametrize(
    "code",
    [
        "{} = 1",
        "for {} in (): pass",
        "rows = [{} for {} in ()]",
        "def f({}): pass",
        "f = lambda {}: 1",
        "with open('') as _{}: pass",
        "self.{}_ = 1",
    ],
)
def test_a_banned_name_is_found_wherever_a_variable_gets_its_name(code: str, name: str) -> None:
    (finding,) = banned_names(PATH, f"import x\n{code.replace('{}', name)}\n")
    assert finding.startswith(f"{PATH}:2: the variable ")
    assert name in finding


def test_a_name_that_is_read_or_called_is_none_of_ours() -> None:
    assert [*banned_names(PATH, "x.each()\nf(one=1)\nprint(own.known)\n")] == []


def test_the_lint_reads_tracked_files_and_leaves_out_what_the_vendor_wrote(tmp_path: Path) -> None:
    files = {
        "README.md": "All is made anew.\n",
        "pipelines/some.py": "for each in ():\n    pass\n",
        "tests/test_some.py": "for each in ():\n    pass\n",
        "tests/fixtures/recorded.json": '{"message": "what stands"}\n',
        "untracked.md": "anew\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for command in (["init", "-q"], ["add", *(name for name in files if name != "untracked.md")]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)  # noqa: S603, S607 - git, as in the lint
    assert [*findings(tmp_path)] == [
        "README.md:1: 'anew': write again, or a full refresh",
        "pipelines/some.py:1: the variable 'each': name it by the noun of its value",
        "tests/test_some.py:1: the variable 'each': name it by the noun of its value",
    ]
