"""Statements that sqlglot has no trees for, read by their words: views, prepared statements, SHOW.

Nothing here looks at the catalog; ``statements.parse`` asks ``read`` before it parses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lakectl.local.athena.errors import MalformedQuery

PART = r'(?:"(?:[^"]|"")+"|`[^`]+`|[\w$]+)'
NAME = rf"({PART}(?:\s*\.\s*{PART}){{0,2}})"
_LIKE = r"(?:\s+(?:LIKE\s+)?'((?:[^']|'')*)')?"
_IN = rf"(?:\s+(?:IN|FROM)\s+({PART}(?:\s*\.\s*{PART})?))?"


@dataclass(frozen=True)
class Words:
    """A statement that is known by its words. ``query``: where the query within it begins, from the words' start."""

    type: str
    subtype: str
    words: tuple[str | None, ...] = ()
    query: int | None = None


# (pattern, subtype, StatementType). A group that is missing is None.
# https://docs.aws.amazon.com/athena/latest/ug/create-view.html and the pages beside it
_PATTERNS: tuple[tuple[str, str, str], ...] = (
    (rf"SHOW\s+TABLES{_IN}{_LIKE}", "SHOW_TABLES", "UTILITY"),
    (rf"SHOW\s+(?:DATABASES|SCHEMAS){_LIKE}", "SHOW_DATABASES", "UTILITY"),
    (rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+{NAME}{_IN}", "SHOW_COLUMNS", "UTILITY"),
    (rf"SHOW\s+PARTITIONS\s+{NAME}", "SHOW_PARTITIONS", "UTILITY"),
    (rf"SHOW\s+CREATE\s+TABLE\s+{NAME}", "SHOW_CREATE_TABLE", "UTILITY"),
    (rf"SHOW\s+TBLPROPERTIES\s+{NAME}(?:\s*\(\s*['\"]([^'\"]+)['\"]\s*\))?", "SHOW_TBLPROPERTIES", "UTILITY"),
    (
        rf"(?:DESCRIBE|DESC)(?:\s+(EXTENDED|FORMATTED))?\s+{NAME}(\s+PARTITION\s*\(.*\))?(?:\s+({PART}(?:\.\S+)?))?",
        "DESCRIBE_TABLE",
        "UTILITY",
    ),
    (rf"DROP\s+VIEW\s+(IF\s+EXISTS\s+)?{NAME}", "DROP_VIEW", "DDL"),
    (rf"SHOW\s+CREATE\s+VIEW\s+{NAME}", "SHOW_CREATE_VIEW", "UTILITY"),
    (rf"SHOW\s+VIEWS{_IN}{_LIKE}", "SHOW_VIEWS", "UTILITY"),
    (rf"DEALLOCATE\s+PREPARE\s+({PART})", "DEALLOCATE", "DDL"),
    (r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:PROTECTED\s+)?MULTI\s+DIALECT\s+VIEW\b.*", "CREATE_MULTI_DIALECT_VIEW", "DDL"),
)
_PREPARE = re.compile(rf"PREPARE\s+({PART})\s+FROM\s+(\S.*)", re.I | re.S)
_CREATE_VIEW = re.compile(rf"CREATE\s+(OR\s+REPLACE\s+)?VIEW\s+{NAME}\s+AS\b\s*(?=\S)", re.I)
_CREATE_VIEW_BEGINS = re.compile(rf"CREATE\s+(?:OR\s+REPLACE\s+)?VIEW\b\s*(?:{NAME}\s*)?", re.I)


def read(bare: str) -> Words | None:
    """The statement in ``bare`` (no comments before it, no ``;`` behind it); None: it is not one of these.

    Raises MalformedQuery for one that begins as these do and goes on otherwise.
    """
    created = _CREATE_VIEW.match(bare)
    if created:
        replace = "replace" if created[1] else None
        return Words("DDL", "CREATE_VIEW", (created[2], replace, bare[created.end() :]), created.end())
    for pattern, subtype, kind in _PATTERNS:
        found = re.fullmatch(pattern, bare, re.I | re.S)
        if found:
            return Words(kind, subtype, found.groups())
    prepared = _PREPARE.fullmatch(bare)
    if prepared:
        return Words("DDL", "PREPARE", (prepared[1].strip('"`'), prepared[2]))
    begun = _CREATE_VIEW_BEGINS.match(bare)
    if begun:
        raise _mismatched(bare, begun.end(), ["AS"] if begun[1] else ["<identifier>"])
    return None


@dataclass(frozen=True)
class Explain:
    """``query``: where the explained statement begins."""

    format: str
    type: str
    analyze: bool
    query: int


_EXPLAIN = re.compile(r"EXPLAIN\b(\s+ANALYZE\b)?(\s+VERBOSE\b)?\s*", re.I)
_OPTIONS = re.compile(r"\(((?:\s*(?:FORMAT|TYPE)\s+\w+\s*,?)+)\)\s*", re.I)
_FORMATS, _TYPES = ("TEXT", "GRAPHVIZ", "JSON"), ("LOGICAL", "DISTRIBUTED", "VALIDATE", "IO")


def explained(bare: str) -> Explain | None:
    """EXPLAIN [ANALYZE] [(FORMAT …, TYPE …)]. Raises MalformedQuery for an option that Athena does not have.

    https://docs.aws.amazon.com/athena/latest/ug/athena-explain-statement.html
    """
    begins = _EXPLAIN.match(bare)
    if begins is None:
        return None
    analyze, end = begins[1] is not None, begins.end()
    given = {"FORMAT": "TEXT", "TYPE": "DISTRIBUTED"}
    options = _OPTIONS.match(bare, end)
    for option in options[1].split(",") if options else ():
        at = bare.index(option, end)
        words = option.upper().split()
        allowed = {"FORMAT": _FORMATS, "TYPE": () if analyze else _TYPES}.get(words[0] if words else "", ())
        if len(words) != 2 or words[1] not in allowed:
            raise _mismatched(bare, at + len(option) - len(option.lstrip()), allowed or ["FORMAT"])
        given[words[0]] = words[1]
    return Explain(given["FORMAT"], given["TYPE"], analyze, options.end() if options else end)


def _mismatched(text: str, at: int, expected: Sequence[str]) -> MalformedQuery:
    before = text[:at]
    found = re.match(r"\w+|\S", text[at:])
    line, column = before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
    choices = ", ".join(word if word.startswith("<") else f"'{word}'" for word in expected)
    return MalformedQuery(
        f"line {line}:{column}: mismatched input '{found[0] if found else '<EOF>'}'. Expecting: {choices}"
    )


def parts(name: str) -> list[str]:
    """``"a"."b c"`` → ["a", "b c"], in lower case, as Glue keeps names."""
    found = []
    for part in re.findall(PART, name):
        if part[0] == '"':
            found.append(part[1:-1].replace('""', '"').lower())
        else:
            found.append(part.strip("`").lower())
    return found
