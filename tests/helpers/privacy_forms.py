"""The tables of forms in ``tests/fixtures/privacy``: texts before and after, with placeholders instead of secrets."""

from __future__ import annotations

import re
from itertools import cycle, islice
from pathlib import Path

FORMS = Path(__file__).parents[1] / "fixtures" / "privacy"
ALPHABETS = {
    "a": "q7Rk2Zx9Lm4Tn8Wc3Vb6Hj5Pd",
    "h": "3f9a0c7be1d85246",
    "H": "3F9A0C7BE1D85246",
    "l": "q7rk2zx9lm4tn8wc3vb6hj5pd",
    "L": "Q7RK2ZX9LM4TN8WC3VB6HJ5PD",
    "d": "4815162342",
}
PLACEHOLDER = re.compile(r"\{([ahHlLd])(\d+)\}|\{uuid\}|\{-\}")
PART = re.compile("⟦([^⟧]+)⟧")
MASK = "***"
UUID = "0c7be1d8-5246-43f9-a0c7-be1d852463f9"


def forms(name):
    """(before, after) of each line of a table; ``⟦x⟧`` becomes x and the mask, ``⟦x|y⟧`` x and y."""
    for line in (FORMS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        text = PLACEHOLDER.sub(_expand, line.replace("\\r", "\r") if "\\r\\n" in line else line)
        text = re.sub(r"(?<!\\)\\n", "\n", text)
        before, _, after = text.partition(" => ") if " => {" in text else (text, "", text)
        yield PART.sub(_before, before), PART.sub(_after, after)


def _expand(match):
    if match[1]:
        return "".join(islice(cycle(ALPHABETS[match[1]]), int(match[2])))
    return UUID if match[0] == "{uuid}" else ""


def _before(match):
    return match[1].partition("|")[0].removeprefix("#")


def _after(match):
    secret, _, replacement = match[1].partition("|")
    return replacement or (f'"{MASK}"' if secret.startswith("#") else MASK)
