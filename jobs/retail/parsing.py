"""Text to types, as Spark columns. What can't be read for certain is NULL, never a guess."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

_PLAIN = r"^-?\d+$"
# What nearly all amounts look like: one test and they are done.
_USUAL = r"^-?\d+([.,]\d{1,2})?$"
_DECIMAL = r"^-?\d+[.,]\d+$"
# 1.234 may be one thousand or one and a bit: three digits after one separator, and what stands
# before it could be the first group of a grouped number (not 0.125, not 1234.567).
_AMBIGUOUS = r"^-?[1-9]\d{0,2}[.,]\d{3}$"
_DOT_GROUPS = r"^-?[1-9]\d{0,2}(\.\d{3})+,\d+$"
_COMMA_GROUPS = r"^-?[1-9]\d{0,2}(,\d{3})+\.\d+$"
_DOT_GROUPS_ONLY = r"^-?[1-9]\d{0,2}(\.\d{3}){2,}$"
_COMMA_GROUPS_ONLY = r"^-?[1-9]\d{0,2}(,\d{3}){2,}$"

EXPECTED = {
    "bigint": "a whole number",
    "int": "a whole number",
    "date": "a date DD/MM/YYYY",
    "double": "an amount such as 147.43, 147,43, 1.234,56 or 1,234.56 (1.234 is ambiguous)",
    "string": "text",
}


def parse(text: Column, kind: str) -> Column:
    """The value of trimmed ``text`` as ``kind`` (a key of EXPECTED), NULL when it is none."""
    if kind in ("bigint", "int"):
        return F.when(text.rlike(_PLAIN), text.cast(kind))
    if kind == "date":
        # By parts: casting yyyy-MM-dd is several times faster than parsing by a pattern, and as strict.
        parts = [F.substring(text, start, length) for start, length in ((7, 4), (4, 2), (1, 2))]
        return F.when(text.rlike(r"^\d{2}/\d{2}/\d{4}$"), F.concat_ws("-", *parts).cast("date"))
    if kind == "double":
        return money(text).cast("double")
    return text


def money(text: Column) -> Column:
    """``text`` with a decimal point and no grouping, NULL when it is no amount or could be two."""
    without_dots = F.regexp_replace(text, r"\.", "")
    without_commas = F.regexp_replace(text, ",", "")
    return (
        F.when(text.rlike(_USUAL), F.translate(text, ",", "."))
        .when(text.rlike(_AMBIGUOUS), F.lit(None))
        .when(text.rlike(_DECIMAL), F.translate(text, ",", "."))
        .when(text.rlike(_DOT_GROUPS), F.translate(without_dots, ",", "."))
        .when(text.rlike(_COMMA_GROUPS), without_commas)
        .when(text.rlike(_DOT_GROUPS_ONLY), without_dots)
        .when(text.rlike(_COMMA_GROUPS_ONLY), without_commas)
    )


def clean(text: Column) -> Column:
    """Trimmed; empty is NULL."""
    trimmed = F.trim(text)
    return F.when(trimmed != "", trimmed)
