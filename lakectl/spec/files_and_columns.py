"""What a source of the YAML says of its files: format, columns, keys. Each refusal names file, line and key."""

from __future__ import annotations

import difflib
import zoneinfo
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from lakectl.spec import column_types, date_patterns, names
from lakectl.spec.model import Column, FileFormat
from lakectl.spec.yaml_items import Item

# What each format takes beside `format`. JSON Lines are UTF-8 (RFC 8259); Parquet has types and compression inside.
FORMAT_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "csv": ("delimiter", "quote", "encoding", "compression", "nulls"),
    "jsonl": ("compression", "nulls"),
    "parquet": (),
}
# Names that Python and Java share. A byte of each that is below 128 is ASCII, so lines can be cut before decoding.
ENCODINGS = (
    "utf-8", "iso-8859-1", "iso-8859-2", "iso-8859-15", "windows-1250", "windows-1251", "windows-1252", "koi8-r",
)  # fmt: skip
_OTHER_SPELLINGS = {
    "utf8": "utf-8", "ascii": "utf-8", "us-ascii": "utf-8", "latin-1": "iso-8859-1", "latin1": "iso-8859-1",
    "cp1250": "windows-1250", "cp1251": "windows-1251", "cp1252": "windows-1252",
}  # fmt: skip
COLUMN_KEYS = ("type", "required", "format", "zone", "decimal_mark", "description", "header")
# The type that an option of a column belongs to.
_ONLY_FOR: Mapping[str, tuple[str, ...]] = {
    "format": ("date", "timestamp"),
    "zone": ("timestamp",),
    "decimal_mark": ("double", "decimal"),
}
MAX_COLUMNS = 1000
# Column.Comment and Table.Description of Glue's API.
MAX_COMMENT, MAX_DESCRIPTION = 255, 2048


def file_format(item: Item | None) -> FileFormat:
    if item is None:
        return FileFormat()
    options = tuple(dict.fromkeys(option for each in FORMAT_OPTIONS.values() for option in each))
    given = item.known(("format", *options), "keys and values, for example {format: csv, delimiter: ';'}")
    kind: Any = given["format"].choice(FORMAT_OPTIONS) if "format" in given else FileFormat().format
    for option, value in given.items():
        if option != "format" and option not in FORMAT_OPTIONS[kind]:
            has = ", ".join(FORMAT_OPTIONS[kind]) or "none"
            value.refuse(f"{kind} files have no {option}; options of {kind}: {has}")
    found: dict[str, Any] = {"format": kind}
    for option in ("delimiter", "quote"):
        if option in given:
            found[option] = _character(given[option])
    if "encoding" in given:
        found["encoding"] = _encoding(given["encoding"])
    if "compression" in given:
        found["compression"] = given["compression"].choice(("auto", "none", "gzip"))
    if "nulls" in given:
        texts = [text.text() for text in given["nulls"].one_or_more("a list of texts, for example [NA, '-']")]
        found["nulls"] = tuple(dict.fromkeys(texts))
    made = FileFormat(**found)
    if made.delimiter == made.quote:
        item.refuse(f"delimiter and quote are both {made.quote!r}; they must differ")
    return made


def _character(item: Item) -> str:
    text = item.text("one character")
    if len(text) != 1 or not text.isascii() or text.isalnum() or text in "\r\n\0 +-._\\":
        example = "',', ';', '|' or \"\\t\"" if item.name == "delimiter" else "'\"' or \"'\""
        item.refuse(f"{text!r} is not allowed; expected one character such as {example}")
    return text


def _encoding(item: Item) -> str:
    written = item.text("the name of an encoding")
    name = written.lower().replace("_", "-")
    name = _OTHER_SPELLINGS.get(name, name)
    if name not in ENCODINGS:
        item.refuse(f"{written!r} is not allowed; expected {', '.join(ENCODINGS)}")
    return name


def columns(item: Item) -> tuple[Column, ...]:
    """All columns in their order, with names in lower case."""
    found: dict[str, Column] = {}
    written: dict[str, str] = {}
    for name, value in item.mapping("columns, each as NAME: TYPE").items():
        lower = name.lower()
        if lower in found:
            value.refuse(f"{name!r} and {written[lower]!r} differ only in case; names are compared without case")
        if problem := names.column_problem(name):
            value.refuse(problem, f"write {names.fitting(name)}: {{type: …, header: {name!r}}}")
        found[lower], written[lower] = _column(name, value), name
    if not found:
        item.refuse("no columns; expected at least one, as NAME: TYPE")
    if len(found) > MAX_COLUMNS:
        item.refuse(f"{len(found):,} columns; at most {MAX_COLUMNS:,} are allowed")
    _distinct_headers(item, found)
    return tuple(found.values())


def _column(name: str, item: Item) -> Column:
    given: Mapping[str, Item] = {}
    kind_item = item
    if item.is_map:
        given = item.known(COLUMN_KEYS)
        if "type" not in given:
            item.refuse(f"no type; expected type: {column_types.EXPECTED}")
        kind_item = given["type"]
    kind = column_type(kind_item)
    for option, kinds in _ONLY_FOR.items():
        if option in given and kind.partition("(")[0] not in kinds:
            given[option].refuse(f"a column of type {kind} has no {option}; only {' and '.join(kinds)} columns have")
    header = _line(given["header"]) if "header" in given else name
    found: dict[str, Any] = {"header": "" if header == name.lower() else header}
    if "required" in given:
        found["required"] = given["required"].flag()
    if "format" in given:
        found["formats"] = _formats(given["format"], kind)
    if "zone" in given:
        found["zone"] = _zone(given["zone"], found.get("formats", ()))
    if "decimal_mark" in given:
        found["decimal_mark"] = given["decimal_mark"].choice((".", ",", "any"))
    if "description" in given:
        found["description"] = _line(given["description"], MAX_COMMENT)
    return Column(name.lower(), kind, **found)


def column_type(item: Item) -> str:
    """The type that ``item`` names, in its one spelling."""
    try:
        return column_types.parse(item.text(f"a type: {column_types.EXPECTED}"))
    except ValueError as error:
        item.refuse(str(error))


def _formats(item: Item, kind: str) -> tuple[str, ...]:
    found = []
    for each in item.one_or_more("a pattern or a list of patterns, for example dd/MM/yyyy"):
        pattern = each.text("a pattern, for example dd/MM/yyyy")
        try:
            date_patterns.check(pattern, kind)
        except ValueError as error:
            each.refuse(str(error))
        if pattern in found:
            each.refuse(f"{pattern!r} is given twice")
        found.append(pattern)
    if not found:
        item.refuse("an empty list; leave format out for ISO 8601")
    return tuple(found)


def _zone(item: Item, formats: tuple[str, ...]) -> str:
    name = item.text("the name of a time zone, for example Europe/Vienna")
    if formats and all(date_patterns.has_zone(pattern) for pattern in formats):
        item.refuse("every format of this column names its own offset; leave zone out")
    if name == "UTC":
        return name
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        if not zoneinfo.available_timezones():
            item.refuse(f"can't look up {name!r}: there is no time zone database", "type: pip install tzdata")
        near = difflib.get_close_matches(name, sorted(zoneinfo.available_timezones()), n=1)
        mean = f"did you mean {near[0]!r}?" if near else "expected a name such as Europe/Vienna or UTC"
        item.refuse(f"{name!r} is not a time zone; {mean}")
    return name


def description(item: Item | None) -> str:
    """A source's description."""
    if item is None:
        return ""
    text = item.text()
    if len(text) > MAX_DESCRIPTION:
        item.refuse(f"{len(text):,} characters; Glue takes at most {MAX_DESCRIPTION:,}")
    return text


def _line(item: Item, longest: int = MAX_COMMENT) -> str:
    text = item.text()
    if not text.strip() or not text.isprintable():
        item.refuse(f"{text!r} is not allowed; expected one line of text")
    if len(text) > longest:
        item.refuse(f"{len(text):,} characters; at most {longest:,} are allowed")
    return text


def _distinct_headers(item: Item, found: Mapping[str, Column]) -> None:
    """No two columns may be read from one column of the file: headers are compared without case, too."""
    seen: dict[str, str] = {}
    for column in found.values():
        header = (column.header or column.name).strip().lower()
        if header in seen:
            item.refuse(f"{seen[header]} and {column.name} have the same header {column.header or column.name!r}")
        seen[header] = column.name


def keys(item: Item | None, loading: str, source: str, known: Mapping[str, Column], where: Item) -> tuple[str, ...]:
    """The key columns; ``where`` is the source, for a refusal when there are none."""
    if loading == "append":
        if item is not None:
            item.refuse(
                "an append source has no keys: a row is known by its file and line",
                f"take the keys out, or write loading: upsert at sources.{source}",
            )
        return ()
    if item is None:
        where.refuse(
            f"no keys: {'an' if loading == 'upsert' else 'a'} {loading} source needs them, for example keys: "
            f"[{next(iter(known))}]",
            "a source whose rows have no key is written with loading: append",
        )
    found: list[str] = []
    for each in item.one_or_more("a list of columns"):
        name = column_name(each, source, known)
        if name in found:
            each.refuse(f"{each.text()!r} is given twice")
        found.append(name)
    if not found:
        item.refuse(f"an empty list; expected at least one column of {source}: {', '.join(known)}")
    return tuple(found)


def column_name(item: Item, source: str, known: Iterable[str]) -> str:
    """The column of ``source`` that ``item`` names, in lower case."""
    written = item.text("the name of a column")
    if written.lower() not in known:
        unknown_column(item, written, source, known)
    return written.lower()


def unknown_column(item: Item, written: str, source: str, known: Iterable[str], context: str = "") -> NoReturn:
    """Refuse ``written``, with the columns that there are and the nearest of them as a hint."""
    known = list(known)
    near = difflib.get_close_matches(written.lower(), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"a column of the files is added at sources.{source}.columns"
    item.refuse(f"{context}{written!r} is not a column of {source}; columns: {', '.join(known)}", hint)
