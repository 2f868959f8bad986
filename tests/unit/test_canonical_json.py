"""JSON that landed documents are stored and compared as, for texts and numbers that msgspec refuses too."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.transform.canonical_json import dump, fingerprint, load


@pytest.mark.parametrize(
    ("document", "as_written", "canonical"),
    [
        ({"b": [1, "ä"], "a": None}, '{"b":[1,"ä"],"a":null}'.encode(), '{"a":null,"b":[1,"ä"]}'.encode()),
        ({"b": [1, "\ud800"], "a": None}, b'{"b":[1,"\\ud800"],"a":null}', b'{"a":null,"b":[1,"\\ud800"]}'),
        ({"b": 2**70, "a": {}}, b'{"b":1180591620717411303424,"a":{}}', b'{"a":{},"b":1180591620717411303424}'),
    ],
)
def test_a_document_is_compact_and_its_keys_are_sorted_where_it_is_compared(
    document: dict[str, Any], as_written: bytes, canonical: bytes
) -> None:
    assert (dump(document), dump(document, is_canonical=True)) == (as_written, canonical)
    assert load(as_written) == document
    assert fingerprint(document) == fingerprint(dict(reversed(document.items())))
