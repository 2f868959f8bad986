"""Drawn documents after masking and flattening, and the columns in which their values arrived."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.privacy.mask_documents import mask
from pipelines.transform.flatten import Snapshot, flatten
from tests.helpers.draw_documents import Drawing, Leaf
from tests.helpers.sample_documents import READ_AT
from tests.independent.declared_columns import Rows, rows_by_conversation, wrong

VARIABLES = ("conversation_initiation_client_data", "dynamic_variables")
HISTORY = "system__conversation_history"

EXCEPTIONS = {
    "transcript[].tool_calls[].tool_details.headers": "values are masked before landing, names stay",
    "transcript[].tool_calls[].tool_details.webhook_details.headers": "values are masked before landing, names stay",
    "conversation_initiation_client_data.dynamic_variables.system__conversation_history": "repeats the transcript",
}
"""Paths whose values reach no column, and why. Every other value must arrive."""


def flat(documents: Iterable[dict[str, Any]], *, as_webhooks: bool = False) -> dict[str, pl.DataFrame]:
    """Frames of landed documents with masked headers, in the form of the API or of a webhook."""

    def snapshot(document: dict[str, Any]) -> Snapshot:
        landed = json.loads(json.dumps(document))
        landed = mask(landed)
        if as_webhooks:
            landed = {"type": "post_call_transcription", "event_timestamp": 1, "data": landed}
        return Snapshot(document["conversation_id"], json.dumps(landed).encode(), READ_AT)

    flattened = flatten(map(snapshot, documents))
    assert flattened.errors == {}
    return flattened.frames


@dataclass(frozen=True, slots=True)
class Proof:
    """Drawn documents with their leaves, and the rows that they became."""

    drawn: list[tuple[dict[str, Any], list[Leaf]]]
    frames: dict[str, pl.DataFrame]
    rows: dict[str, Rows]

    def leaves(self) -> Iterator[tuple[dict[str, Any], Leaf]]:
        return ((document, leaf) for document, leaves in self.drawn for leaf in leaves)

    def paths(self) -> set[str]:
        return {leaf.path for _, leaf in self.leaves()}

    def excepted(self) -> set[str]:
        return self.paths() - {leaf.path for _, leaf in self.leaves() if exception_of(leaf) is None}

    def missing(self) -> dict[str, str]:
        """Value paths that did not arrive, with the problem of each."""
        problems = (
            (leaf.path, wrong(leaf.place, leaf.value, self.rows[document["conversation_id"]]))
            for document, leaf in self.leaves()
            if exception_of(leaf) is None
        )
        return {path: what for path, what in problems if what is not None}


def exception_of(leaf: Leaf) -> str | None:
    place = "".join("[]" if isinstance(step, int) else f".{step}" for step in leaf.place)[1:]
    return next((path for path in EXCEPTIONS if place == path or place.startswith((f"{path}.", f"{path}["))), None)


def with_history(document: dict[str, Any], leaves: list[Leaf]) -> tuple[dict[str, Any], list[Leaf]]:
    """The drawing with the variable that repeats the transcript; no schema can give its name."""
    way, value = (*VARIABLES, HISTORY), f"history of {document['conversation_id']}"
    document[VARIABLES[0]][VARIABLES[1]][HISTORY] = value
    return document, [*leaves, Leaf(f"{'.'.join(VARIABLES)}{{}}", way, way, value, is_unique=True)]


def proof(drawing: Drawing) -> Proof:
    drawn = [with_history(document, leaves) for document, leaves in drawing]
    frames = flat(document for document, _ in drawn)
    return Proof(drawn, frames, rows_by_conversation(frames))
