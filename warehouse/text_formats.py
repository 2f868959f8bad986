"""CSV that a spreadsheet opens without harm, JSON with exact numbers, and text of whole characters only."""

from __future__ import annotations

import msgspec
import polars as pl


def without_surrogates(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, half a character that JSON can have and no column can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # only UTF-16 can encode one


def to_csv(frame: pl.DataFrame, *, has_header: bool = True) -> bytes:
    """All rows; lists, structs and bytes are JSON text, times are ISO 8601."""
    flat = [_flat(column) for column in frame]
    names = without_formulas(pl.Series(frame.columns, dtype=pl.String))
    rows = pl.DataFrame(flat).rename(dict(zip(frame.columns, names, strict=True)))
    return rows.write_csv(include_header=has_header).encode()


def _flat(column: pl.Series) -> pl.Series:
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        texts = [None if value is None else to_json(value).decode() for value in column.to_list()]
        return pl.Series(column.name, texts, pl.String)
    if column.dtype == pl.Datetime:
        return column.dt.to_string("iso:strict")
    return without_formulas(column) if column.dtype == pl.String else column


def without_formulas(texts: pl.Series) -> pl.Series:
    """Texts with an apostrophe before those that a spreadsheet would run as a formula.

    A caller chooses the words of a transcript. A telephone number or another text of digits stays as it is.
    """
    is_formula = texts.str.contains(r"^[=+\-@\t\r\n＝＋－＠]") & ~texts.str.contains(r"^[+-][\d ().,/-]*$")  # noqa: RUF001
    return pl.select(pl.when(is_formula).then(pl.lit("'") + texts).otherwise(texts).alias(texts.name)).to_series()


def to_json(value: object) -> bytes:
    """A value as JSON; decimals are numbers, bytes are base64, everything else that JSON lacks is text."""
    return msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode(value)
