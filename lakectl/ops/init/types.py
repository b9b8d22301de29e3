"""The type of a column, from its texts and from what JSON or Parquet state. When unsure: text, and a note why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from lakectl.core import values
from lakectl.ops.init import dates
from lakectl.ops.init.names import words
from lakectl.spec.model import Column

# What people and programs write for "no value".
NULL_TEXTS = frozenset((
    "NA", "N/A", "n/a", "#N/A", "NULL", "null", "Null", "None", "none", "NaN", "nan", "-", "--", "?", ".", "\\N",
))  # fmt: skip
# Columns of digits that are names, not numbers.
_NAMES_IN_DIGITS = frozenset((
    "phone", "phonenumber", "telephone", "tel", "mobile", "fax", "zip", "zipcode", "postcode", "postal", "plz",
    "iban", "bic", "ssn", "ean", "isbn", "barcode", "gtin", "upc", "vat", "imei",
))  # fmt: skip
_IDS = frozenset(("id", "ids", "key", "no", "nr", "num", "number", "code", "uuid", "guid"))
_DAYS = frozenset(("date", "day", "datum", "dt", "on"))
_TIMES = frozenset(("time", "timestamp", "ts", "at", "epoch", "created", "updated", "modified"))
_MONEY = frozenset(("price", "amount", "fare", "cost", "total", "fee", "tax", "salary", "balance", "revenue", "sales"))
_BOOLEANS = ((("true",), ("false",)), (("yes",), ("no",)), (("t",), ("f",)), (("y",), ("n",)))
# A time that ends in its offset from UTC.
_OFFSET = re.compile(r".*:\d\d.*(Z|[+-]\d\d(:?\d\d)?)")
# Of all values, for a note that says what the others are.
_NEARLY = 0.95
_JSON_WHOLE = frozenset(("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT"))
_STATED = {
    "BOOLEAN": "boolean",
    "TINYINT": "int",
    "SMALLINT": "int",
    "INTEGER": "int",
    "UTINYINT": "int",
    "USMALLINT": "int",
    "UINTEGER": "bigint",
    "BIGINT": "bigint",
    "UBIGINT": "decimal(20,0)",
    "FLOAT": "double",
    "DOUBLE": "double",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "VARCHAR": "string",
    "UUID": "string",
}
Evidence = Literal["", ".", ","]


@dataclass(frozen=True)
class Inferred:
    """``nulls``: texts among the values that mean NULL. ``dates``: how dates are written, when day and month may be
    exchanged. ``state_mark``: the decimal mark is to be written down, though it is the default."""

    column: Column
    nulls: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    dates: dates.Dates | None = None
    state_mark: bool = False
    left_out: bool = field(default=False)


def infer(column: Column, texts: Sequence[str], stated: frozenset[str], form: str, mark: Evidence = "") -> Inferred:
    """The type of ``column``. ``texts``: its distinct values; ``stated``: what the files call their types; ``form``:
    csv, jsonl or parquet; ``mark``: the decimal mark that the rest of the file uses, where it tells."""
    if form == "parquet":
        return _of_parquet(column, texts, stated)
    if form == "jsonl":
        return _of_json(column, texts, stated)
    return _of_text(column, texts, mark)


def mark_of(texts: Sequence[str]) -> Evidence:
    """The decimal mark of numbers that can be read in one way only; empty when there are none."""
    ambiguous = re.compile(values.AMBIGUOUS).fullmatch
    cleaned = [text.strip(" ") for text in texts if text.strip(" ") not in NULL_TEXTS]
    for mark in (".", ","):
        fits = re.compile(values.forms("double", mark)[0].pattern).fullmatch
        if all(map(fits, cleaned)) and any(mark in text and not ambiguous(text) for text in cleaned):
            return mark
    return ""


def is_id(name: str) -> bool:
    """Whether a column of this name is one that tells things apart."""
    return bool(words([name]) & _IDS) or name.endswith("id")


def _of_text(column: Column, texts: Sequence[str], mark: Evidence = "") -> Inferred:
    trimmed = [text.strip(" ") for text in texts]
    nulls = frozenset(trimmed) & NULL_TEXTS
    known = list(dict.fromkeys(text for text in trimmed if text and text not in NULL_TEXTS))
    if not known:
        return Inferred(column, frozenset(), ("no values in these files: the type is a guess",))
    found = _boolean(column, known) or _whole(column, known) or _fraction(column, known, mark) or _date(column, known)
    if found:
        return replace(found, nulls=nulls if found.column.type != "string" else frozenset())
    return Inferred(column, notes=_nearly(known))


def _reads(column: Column, texts: Sequence[str]) -> bool:
    """Whether each of ``texts`` has a value in ``column``."""
    read = values.reader(column)
    return all(read(text) is not None for text in texts)


def _boolean(column: Column, known: list[str]) -> Inferred | None:
    lower = {text.lower() for text in known}
    for true, false in _BOOLEANS:
        both = len(true[0]) == 1
        if lower <= {*true, *false} and (not both or len(lower) == 2):
            return Inferred(replace(column, type="boolean"))
    return None


def _whole(column: Column, known: list[str]) -> Inferred | None:
    if not all(map(re.compile(values.INTEGER).fullmatch, known)):
        return None
    if zeros := [text for text in known if re.fullmatch("-?0[0-9]+", text)]:
        return Inferred(column, notes=(f"text, as {zeros[0]} as a number would lose its zeros",))
    if words([column.name]) & _NAMES_IN_DIGITS:
        return Inferred(column, notes=("text: digits that name something; bigint if these are numbers",))
    day = _compact_date(column, known)
    if day:
        return day
    big = replace(column, type="bigint")
    if not _reads(big, known):
        return Inferred(column, notes=("text: more digits than a bigint has",))
    largest = max(abs(int(text)) for text in known)
    kind = "bigint" if largest > 2**30 or is_id(column.name) else "int"
    notes = []
    if set(known) <= {"0", "1"}:
        notes.append("boolean, if 1 and 0 mean yes and no")
    if words([column.name]) & _TIMES and {len(text) for text in known} <= {10, 13}:
        notes.append("seconds or milliseconds since 1970? They are kept as a number")
    return Inferred(replace(column, type=kind), notes=tuple(notes))


def _compact_date(column: Column, known: list[str]) -> Inferred | None:
    day = replace(column, type="date", formats=("yyyyMMdd",))
    if not words([column.name]) & _DAYS or not all(re.fullmatch(r"(19|20)\d{6}", text) for text in known):
        return None
    if not _reads(day, known):
        return None
    return Inferred(day, notes=("int, if these are numbers of eight digits and no dates",))


def _fraction(column: Column, known: list[str], mark: Evidence) -> Inferred | None:
    for own in (".", ",", "any"):
        number = replace(column, type="double", decimal_mark=own)
        if _reads(number, known):
            return _marked(column, number, known, mark)
    if all(re.fullmatch(rf"{values.DECIMAL}|{values.INTEGER}", text) for text in known):
        return Inferred(column, notes=("text: some of these numbers can be read in two ways, such as 1.234 and 1,234",))
    return None


def _marked(column: Column, number: Column, known: list[str], mark: Evidence) -> Inferred:
    fractions = [text for text in known if "." in text or "," in text]
    own = number.decimal_mark
    notes: list[str] = []
    unsure = bool(fractions) and all(re.fullmatch(values.AMBIGUOUS, text) for text in fractions)
    if unsure and own != mark and (own == "," or mark == ","):
        return Inferred(
            column,
            notes=(
                f'text: {fractions[0]} can be read in two ways; {{type: double, decimal_mark: "{own}"}} if it is less '
                f"than {int(re.split('[.,]', fractions[0])[0]) + 1}",
            ),
        )
    if unsure:
        notes.append(f"{fractions[0]} can be read in two ways: here {own!r} is the decimal mark".replace("'", '"'))
    if own == "any":
        notes.append("written with a decimal point and with a comma")
    if len(fractions) == len(known) > 1 and all(re.fullmatch(r"-?[0-9.,]*[0-9][.,][0-9]{2}", text) for text in known):
        exact = replace(number, type="decimal(18,2)")
        if _reads(exact, known):
            return Inferred(exact, notes=(*notes, "always two decimals; double if there can be more"))
    return Inferred(number, notes=tuple(notes), state_mark=unsure)


def _date(column: Column, known: list[str]) -> Inferred | None:
    found = dates.infer(known)
    if not found:
        return None
    inferred = with_dates(Inferred(column), found)
    if found.kind == "timestamp" and not all(map(_OFFSET.fullmatch, known)):
        note = "UTC, where the file has no offset; zone: Europe/Paris, say, if it is another"
        inferred = replace(inferred, notes=(*inferred.notes, note))
    return inferred


def with_dates(inferred: Inferred, found: dates.Dates) -> Inferred:
    """``inferred`` as a column of dates that are written as ``found`` says."""
    column = replace(inferred.column, type=found.kind, formats=found.formats)
    notes = []
    if len(found.formats) > 1:
        notes.append("written in more than one way")
    if any(re.search(r"(?<!y)yy(?!y)", pattern) for pattern in found.formats):
        notes.append("a year of two digits is 2000 to 2099")
    return replace(inferred, column=column, notes=tuple(notes), dates=found if found.other else None)


def _nearly(known: list[str]) -> tuple[str, ...]:
    number = Column("", "double", decimal_mark="any")
    for what, reads in (
        ("a number", lambda text: values.value_of(text, number) is not None),
        ("a date", lambda text: bool(dates.infer([text]))),
    ):
        if not reads(known[0]) and not reads(known[-1]):
            continue
        others = [text for text in known[: dates.SAMPLE] if not reads(text)]
        if others and len(others) <= (1 - _NEARLY) * len(known[: dates.SAMPLE]):
            return (f"text: nearly every value is {what}, but not {some(others)}",)
    return ()


def some(texts: Sequence[str]) -> str:
    """The first few of ``texts``, each in quotes."""
    shown = ", ".join(repr(text if len(text) <= 30 else text[:27] + "...") for text in texts[:3])
    return shown + (", …" if len(texts) > 3 else "")


def _of_json(column: Column, texts: Sequence[str], stated: frozenset[str]) -> Inferred:
    if stated & {"OBJECT", "ARRAY"}:
        what = "an object" if "OBJECT" in stated else "a list"
        return _left_out(column, f"{what}, not a value")
    if not stated:
        return Inferred(column, notes=("no values in these files: the type is a guess",))
    if stated == {"BOOLEAN"}:
        return Inferred(replace(column, type="boolean"))
    if stated <= _JSON_WHOLE:
        return _whole(replace(column), list(texts)) or Inferred(column)
    if stated <= {*_JSON_WHOLE, "DOUBLE"}:
        money = ("decimal(18,2), if these are amounts of money",) if words([column.name]) & _MONEY else ()
        return Inferred(replace(column, type="double"), notes=money)
    if stated == {"VARCHAR"}:
        return _dates_only(column, texts)
    kinds = ", ".join(sorted({"VARCHAR": "text", "BOOLEAN": "true or false"}.get(kind, "numbers") for kind in stated))
    return Inferred(column, notes=(f"text: the files have {kinds} here",))


def _left_out(column: Column, why: str) -> Inferred:
    return Inferred(column, left_out=True, notes=(f"{column.header or column.name} is left out: {why}",))


def _dates_only(column: Column, texts: Sequence[str]) -> Inferred:
    """Who writes a number in quotes means text; a date has no other way."""
    trimmed = [text.strip(" ") for text in texts]
    known = [text for text in dict.fromkeys(trimmed) if text and text not in NULL_TEXTS]
    found = _date(column, known) if known else None
    return replace(found, nulls=frozenset(trimmed) & NULL_TEXTS) if found else Inferred(column)


def _of_parquet(column: Column, texts: Sequence[str], stated: frozenset[str]) -> Inferred:
    kinds = {_parquet_type(kind) for kind in stated}
    if "" in kinds:
        return _left_out(column, f"its type is {', '.join(sorted(stated))}")
    if kinds <= {"int", "bigint"}:
        return Inferred(replace(column, type="bigint" if "bigint" in kinds or is_id(column.name) else "int"))
    if len(kinds) > 1:
        return Inferred(column, notes=(f"text: the files have different types here: {', '.join(sorted(stated))}",))
    (kind,) = kinds
    if kind == "string":
        found = _dates_only(column, texts)
        return found if not found.nulls else Inferred(column)
    nanoseconds = ("nanoseconds in the files: only whole microseconds can be read",) if "TIMESTAMP_NS" in stated else ()
    return Inferred(replace(column, type=kind), notes=nanoseconds)


def _parquet_type(stated: str) -> str:
    if match := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", stated):
        return f"decimal({match[1]},{match[2]})"
    return _STATED.get(stated, "string" if stated.startswith("ENUM") else "")
