"""Names that every engine takes, made from those of files and of their columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from lakectl.errors import UsageError
from lakectl.spec.files_and_columns import MAX_COLUMNS, MAX_COMMENT
from lakectl.spec.names import MAX_COLUMN, column_problem, fitting

MAX_SOURCE, MAX_LAKE = 64, 38
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")
# rides-2024-01, rides_20240131, rides.2024-01-31T0930
_DATE_AT_END = re.compile(r"[-_. ]*(19|20)\d\d([-_. ]?(0[1-9]|1[0-2])([-_. ]?(0[1-9]|[12]\d|3[01]))?)?([T_-]\d{4,6})?$")
# part-00000, part-00000-<uuid>-c000.snappy, rides-00001-of-00010
_PART_AT_END = re.compile(r"[-_. ]*(part[-_. ]\d+.*|\d+[-_]of[-_]\d+)$", re.IGNORECASE)
_NUMBER_AT_END = re.compile(r"[-_. ]*\(?\d+\)?$")


def cleaned(text: str, limit: int) -> str:
    """``"Culmen Length (mm)"`` -> ``culmen_length_mm``; empty when no letter or digit of ASCII is left."""
    plain = unicodedata.normalize("NFKD", text.strip().replace("ß", "ss"))
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    name = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    return name[:limit].rstrip("_")


def lake_name(folder: str) -> str:
    """The name of a lake: that of its folder, in lower case with hyphens; ``lake`` when nothing of it can be used."""
    return cleaned(folder, MAX_LAKE).replace("_", "-") or "lake"


def source_name(text: str) -> str:
    """A valid name of a source; empty when ``text`` has none in it."""
    name = cleaned(_WORD_BREAK.sub("_", text), MAX_SOURCE)
    return f"source_{name}" if name[:1].isdigit() else name


def stem(path: Path) -> str:
    """The file's name without what says its format: ``rides`` of ``rides.csv.gz``."""
    name = path.name.removesuffix(".gz").removesuffix(".GZ")
    return re.sub(r"\.(csv|tsv|psv|txt|jsonl|ndjson|json|parquet|pq)$", "", name, flags=re.IGNORECASE)


def data_set(path: Path, *, numbered: bool = False, whole: bool = False) -> str:
    """The name of the data set that the file is a part of: its own without a date or a part number at its end (nor,
    with ``numbered``, any number); the folder's when nothing else is left. ``whole``: the file's whole name."""
    if whole:
        return source_name(stem(path))
    name = _DATE_AT_END.sub("", _PART_AT_END.sub("", stem(path)))
    if numbered:
        name = _NUMBER_AT_END.sub("", name)
    return source_name(name) or source_name(path.resolve().parent.name) or source_name(stem(path))


def column_names(headers: Sequence[str], where: str) -> list[tuple[str, str]]:
    """(name, what the file calls it if that is something else) for each of ``headers``.

    Raises UsageError for headers that have no name in them, or that become the same one.
    """
    if len(headers) > MAX_COLUMNS:
        raise UsageError(f"{where}: {len(headers):,} columns; at most {MAX_COLUMNS:,} are allowed")
    found: dict[str, str] = {}
    result = []
    for place, header in enumerate(headers, 1):
        name = cleaned(header, MAX_COLUMN)
        if not name:
            what = f"column {place} has no name" if not header.strip() else f"column {place} is called {header!r}"
            raise UsageError(
                f"{where}: {what}; a name needs a letter or digit from a to z, 0 to 9", "name it in the file's header"
            )
        if not header.isprintable() or len(header) > MAX_COMMENT:
            raise UsageError(
                f"{where}: column {place} is called {header[:60]!r}; expected one line of at most {MAX_COMMENT} "
                "printable characters",
                "rename it in the file's header",
            )
        name = fitting(name) if column_problem(name) else name
        if name in found:
            raise UsageError(
                f"{where}: the columns {found[name]!r} and {header!r} would both be called {name}",
                "rename one in the file's header",
            )
        found[name] = header
        result.append((name, "" if header.strip().lower() == name else header))
    return result


def singular(name: str) -> str:
    """``companies`` -> ``company``. English plurals only: a name that does not fit keeps its form."""
    for ending, short in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("s", "")):
        if name.endswith(ending) and not name.endswith("ss"):
            return name.removesuffix(ending) + short
    return name


def words(names: Iterable[str]) -> set[str]:
    """All words of names such as ``driver_id``."""
    return {word for name in names for word in name.split("_")}
