"""The output of ``make demo`` that README.md shows: run the demo in a new folder, and write its output there.

``python -m tests.helpers.readme_demo`` (``make readme``) writes the block, and the answers of docs/questions.md; tests
compare both with a run, dates and durations aside. The demo is that of the fixed day of the tests: weeks differ by day.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.helpers import day, questions
from tests.helpers.reference_docs import ROOT, replace_block
from warehouse.storage.home import Home

README_FILE = ROOT / "README.md"
BLOCK = "demo output"
PROGRAM = ".venv/bin/convohouse"
CODE = f"import sys; sys.argv[0] = {PROGRAM!r}; from pipelines.cli.main import main; main(sys.argv[1:])"
"""As the script that ``make demo`` runs, but from given sources, wherever the installed package is."""


def demo_output(folder: Path, sources: Path = ROOT) -> str:
    """What ``make demo`` prints below its command line, run in ``folder`` with the packages in ``sources``.

    Raises:
        subprocess.CalledProcessError: the demo failed.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ELEVENLABS_")}  # noqa: TID251 - a process of its own
    search_path = os.pathsep.join(
        part for part in environment["PATH"].split(os.pathsep) if not (Path(part) / "convohouse").exists()
    )
    ended = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", CODE, "demo"],
        cwd=folder,
        env={"CONVOHOUSE_NOW": day.now().isoformat()}
        | environment
        | {"PYTHONPATH": str(sources), "PATH": search_path, "COLUMNS": "110"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return ended.stdout.strip()


def comparable(output: str) -> str:
    """The output without what differs from run to run: dates, durations, and progress lines in between."""
    output = re.sub(r"\d{4}-\d\d-\d\d", "DATE", output)
    output = re.sub(r"\bin [\d. hmins]+$", "in DURATION", output, flags=re.MULTILINE)
    return _without_progress(output)


def block(output: str) -> str:
    """The output as the block of README.md shows it."""
    return f"```console\n$ make demo\n{_without_progress(output)}\n```"


def _without_progress(output: str) -> str:
    """The output without the lines that a slow machine adds, such as ``fetch: 120 of 925, 30/s, 27 s left``."""
    return re.sub(r"^\w+: (([\d,]+) of (?!\2(?![\d,]))|.*\d/s\b).*\n", "", output, flags=re.MULTILINE)


def shown_output(readme: str) -> str:
    """The output that README.md shows."""
    match = re.search(rf"<!-- {BLOCK}: begin[^>]*-->\s+```console\n\$ make demo\n(.*?)\n```", readme, re.DOTALL)
    assert match is not None, "README.md has no block with the output of the demo"
    return match[1]


def main() -> None:
    """Write the block of README.md and the answers of docs/questions.md."""
    with tempfile.TemporaryDirectory() as folder:
        output = demo_output(Path(folder))
        questions.write(Home(Path(folder) / "demo"))
    text = README_FILE.read_text(encoding="utf-8")
    README_FILE.write_text(replace_block(text, BLOCK, block(output)), encoding="utf-8")


if __name__ == "__main__":
    main()
