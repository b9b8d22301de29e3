"""Text to types, as Spark columns, by the patterns and limits of ``lakectl.core.values``."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakectl.core import values


def parse(text: Column, kind: str) -> Column:
    """The value of trimmed ``text`` as ``kind``, NULL when it is none: what ``values.value_of`` says."""
    if kind in values.LIMITS:
        return F.when(_is(text, values.INTEGER), text.cast(kind))  # NULL when out of range
    if kind == "date":
        # By parts: casting yyyy-MM-dd is several times faster than parsing by a pattern, and as strict.
        parts = [F.substring(text, start, length) for start, length in ((7, 4), (4, 2), (1, 2))]
        return F.when(_is(text, values.DATE), F.concat_ws("-", *parts).cast("date"))
    if kind == "double":
        amount = money(text).cast("double")
        return F.when(F.abs(amount) < values.TOO_LARGE, amount)
    return text


def money(text: Column) -> Column:
    """``text`` with a decimal point and no grouping, NULL when it is no amount or could be two."""
    without_dots = F.regexp_replace(text, r"\.", "")
    without_commas = F.regexp_replace(text, ",", "")
    return (
        F.when(_is(text, values.USUAL), F.translate(text, ",", "."))
        .when(_is(text, values.AMBIGUOUS), F.lit(None))
        .when(_is(text, values.DECIMAL), F.translate(text, ",", "."))
        .when(_is(text, values.DOT_GROUPS), F.translate(without_dots, ",", "."))
        .when(_is(text, values.COMMA_GROUPS), without_commas)
        .when(_is(text, values.DOT_GROUPS_ONLY), without_dots)
        .when(_is(text, values.COMMA_GROUPS_ONLY), without_commas)
    )


def clean(text: Column) -> Column:
    """Trimmed of spaces; empty is NULL."""
    trimmed = F.trim(text)
    return F.when(trimmed != "", trimmed)


def _is(text: Column, pattern: str) -> Column:
    # Java's $ also matches before a line separator at the end (U+0085, U+2028).
    return text.rlike(rf"\A(?:{pattern})\z")
