"""The language lint of ``make lint``: no archaic word in tracked text, no pronoun or participle as a variable.

``python -m tests.helpers.plain_language`` prints one line a finding, ``file:line: what``, and exits with 1 where there
is one. Sources: the words that readers stumbled over; docs/glossary.md has the standard term for each of ours.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

INSTEAD = {
    "amiss": "wrong, or a problem",
    "anew": "again, or a full refresh",
    "whence": "from where",
    "wholly": "entirely",
    "bears": "has",
    "thereof": "of it",
    "told of": "reported to",
    "stands": "is, or is current",
    "of late": "recently",
    "but for": "except",
    "afresh": "again",
    "held against": "compared with",
}
"""What to write instead, by banned word."""

BANNED_NAMES = frozenset({"each", "one", "made", "found", "known", "own", "told", "asked", "wanted"})
"""A variable is the noun of its value; a leading underscore does not help."""

NOT_OURS = ("tests/fixtures/", "tests/contract/openapi.json", ".lock")
"""Recorded and published texts of the vendor, and lock files."""

_GAP = r"(?:[ _]|\s*\n[ \t]*(?:#|--)?[ \t]*)"
"""Between the words of a phrase: a space, the underscore of a name, or the end of a line of prose or comment."""

_WORDS = re.compile(
    rf"(?<![A-Za-z])({'|'.join(word.replace(' ', _GAP) for word in INSTEAD)})(?![A-Za-z])", re.IGNORECASE
)


def tracked_files(root: Path) -> list[Path]:
    """Every text file of the repository that is ours, but this list of words."""
    command = ["git", "ls-files", "-z"]
    names = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout  # noqa: S603 - fixed
    return [
        root / name
        for name in names.split("\0")
        if name and not any(part in name for part in NOT_OURS) and "plain_language" not in name
    ]


def banned_words(path: Path, text: str) -> Iterator[str]:
    """Findings of banned words, also as a part of a name such as ``test_it_is_built_anew``."""
    for match in _WORDS.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        word = re.sub(_GAP, " ", match.group(1).lower())
        yield f"{path}:{line}: {word!r}: write {INSTEAD[word]}"


def banned_names(path: Path, text: str) -> Iterator[str]:
    """Findings of variables, parameters and attributes of a Python file that are no noun of their value."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                line = node.lineno
            case ast.Attribute(attr=name, ctx=ast.Store()):
                line = node.lineno
            case _:
                continue
        if name.strip("_") in BANNED_NAMES:
            yield f"{path}:{line}: the variable {name!r}: name it by the noun of its value"


def findings(root: Path = ROOT) -> Iterator[str]:
    """All findings, by file and line."""
    for file in tracked_files(root):
        path = file.relative_to(root)
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        yield from banned_words(path, text)
        if path.suffix == ".py":
            yield from banned_names(path, text)


def main() -> int:
    """Print every finding; 1 where there is one."""
    lines = list(findings())
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
