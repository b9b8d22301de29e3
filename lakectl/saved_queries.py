"""The queries in ``queries/``: one statement a file, with what it asks and what it must answer in a header.

``docs/queries.md`` has the header's grammar. Expectations are Athena SQL; :meth:`SavedQuery.judged` puts them around
the statement, so that Athena gives the rows and the verdicts in one execution.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lakectl.errors import UsageError
from lakectl.naming import Names
from lakectl.project import Project

VERDICT = "lakectl_assert_"  # a column of judged rows: true, or the row fails the assertion of this number
HEADER_KEYS = {
    "title": "what the query asks",
    "expect": "what it should answer, in words",
    "parameter": "NAME = a number, a text in quotes, or a SELECT whose first value it is",
    "assert": "a predicate over the result's columns that each row must satisfy",
    "assert-rows": "how many rows there must be, such as > 0",
    "assert-plan": "a text that the plan of an EXPLAIN must have",
}
_LINE = re.compile(r"\s*--\s*([A-Za-z][\w-]*)\s*:(?:\s+(.*))?$")
# What is neither SQL nor a parameter: texts, quoted names, comments. Then the parameters.
_TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?(?:\*/|\Z)|(?<![:\w]):(?P<name>[A-Za-z_]\w*)\b", re.DOTALL
)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_ROWS = re.compile(r"(<=|>=|<>|=|<|>)\s*([0-9]+)")
_COMPARED = {
    "=": int.__eq__,
    "<>": int.__ne__,
    "<": int.__lt__,
    "<=": int.__le__,
    ">": int.__gt__,
    ">=": int.__ge__,
}


@dataclass(frozen=True)
class SavedQuery:
    """``sql`` has neither header nor final semicolon. ``given``: parameter -> its value where nobody gives one, or the
    SELECT that finds it. ``asserts`` are predicates of each row, ``rows`` comparisons with a number (``> 0``),
    ``plan`` texts that the plan must have."""

    name: str
    title: str
    sql: str
    expect: str = ""
    given: Mapping[str, str] | None = None
    asserts: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()

    @property
    def parameters(self) -> tuple[str, ...]:
        return placeholders("\n".join((self.sql, *self.asserts)))

    @property
    def judged(self) -> str:
        """The statement with a column VERDICT + number for each of ``asserts``, after its own columns.

        A predicate that is unknown (NULL) has failed. An order of the rows is not kept.
        """
        if not self.asserts:
            return self.sql
        verdicts = [f"coalesce((\n{text}\n), false) AS {VERDICT}{n}" for n, text in enumerate(self.asserts, 1)]
        return f"SELECT lakectl_result.*, {', '.join(verdicts)}\nFROM (\n{self.sql}\n) AS lakectl_result"

    def rows_failed(self, count: int) -> list[str]:
        """Those of ``rows`` that a result of ``count`` rows does not satisfy."""
        return [text for text in self.rows if not _compare(text, count)]

    def plan_failed(self, plan: str) -> list[str]:
        """Those of ``plan`` that are not in the text of a plan."""
        return [text for text in self.plan if text not in plan]


def load(project: Project, names: Names) -> list[SavedQuery]:
    """All saved queries in file order, with the lake's own database names put in.

    Raises :class:`UsageError` with file and line for a header that is not understood.
    """
    return [read(path, names) for path in sorted(project.queries.glob("*.sql"))]


def read(path: Path, names: Names) -> SavedQuery:
    """The query of one file. Raises as :func:`load`."""
    if not re.fullmatch(r"\w{1,128}", path.stem):
        raise UsageError(f"{path}: {path.stem!r} can't be a query's name", "use letters, digits and _ (at most 128)")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"can't read {path}: {error}") from None
    body = next((n for n, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("--")), len(lines))
    found = _header(path, lines[:body])
    for number, line in enumerate(lines[body:], body + 1):
        stray = _LINE.match(line)
        if stray and stray[1].lower() in HEADER_KEYS:
            raise UsageError(f"{path}:{number}: {stray[1]!r} belongs above the statement", "move the line to the top")
    sql = _without_end("\n".join(lines[body:]))
    if not sql:
        raise UsageError(f"{path} holds no statement", "write one SELECT below the header")
    word = first_word(sql)
    for key, fits in (("assert", word in ("SELECT", "WITH", "VALUES", "(")), ("assert-plan", word == "EXPLAIN")):
        if found[key] and not fits:
            wanted = "a SELECT" if key == "assert" else "an EXPLAIN"
            raise UsageError(f"{path}:{found[key][0][0]}: {key!r} judges {wanted}, and this is {word}")

    def own(text: str) -> str:
        return with_databases(text, names)

    return SavedQuery(
        path.stem,
        title=next((text for _, text in found["title"]), path.stem),
        sql=own(sql),
        expect=next((text for _, text in found["expect"]), ""),
        given={name: own(value) for name, value in _given(path, found["parameter"])},
        asserts=tuple(own(text) for _, text in found["assert"]),
        rows=tuple(_row_count(path, *line) for line in found["assert-rows"]),
        plan=tuple(text for _, text in found["assert-plan"]),
    )


def _header(path: Path, lines: list[str]) -> dict[str, list[tuple[int, str]]]:
    """Key -> (line number, what stands behind it), for each key that there is."""
    found: dict[str, list[tuple[int, str]]] = {key: [] for key in HEADER_KEYS}
    known = "known: " + ", ".join(HEADER_KEYS)
    for number, line in enumerate(lines, 1):
        words = _LINE.match(line)
        if words is None:
            if re.match(r"\s*--\s*assert\b", line, re.IGNORECASE):
                raise UsageError(f"{path}:{number}: {line.strip()!r} is no header line", "write: -- assert: PREDICATE")
            continue
        key, text = words[1].lower(), (words[2] or "").strip()
        if key not in found:
            raise UsageError(f"{path}:{number}: unknown header key {words[1]!r}", known)
        if not text:
            raise UsageError(f"{path}:{number}: {key!r} says nothing", f"{key}: {HEADER_KEYS[key]}")
        if found[key] and key in ("title", "expect"):
            raise UsageError(f"{path}:{number}: {key!r} is given twice", f"the first is in line {found[key][0][0]}")
        found[key].append((number, text))
    return found


def _given(path: Path, lines: list[tuple[int, str]]) -> Iterator[tuple[str, str]]:
    for number, text in lines:
        name, equals, value = (part.strip() for part in text.partition("="))
        value = _without_end(value)
        select = first_word(value) in ("SELECT", "WITH")
        if not (equals and re.fullmatch(r"[A-Za-z_]\w*", name)) or not (
            select or _NUMBER.fullmatch(value) or _TEXT.fullmatch(value)
        ):
            raise UsageError(f"{path}:{number}: parameter {text!r} is not understood", HEADER_KEYS["parameter"])
        yield name, value


def _row_count(path: Path, number: int, text: str) -> str:
    if not _ROWS.fullmatch(text):
        raise UsageError(
            f"{path}:{number}: assert-rows {text!r} is no comparison", "write = <> < <= > >= and a number, such as > 0"
        )
    return text


def _compare(text: str, count: int) -> bool:
    number = text.lstrip("=<> ")
    return bool(_COMPARED[text.removesuffix(number).strip()](count, int(number)))


# ---- SQL text


def first_word(sql: str) -> str:
    """The first word of a statement in upper case, or ``(``; comments are no words."""
    found = re.match(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*(\w+|\()", sql, re.DOTALL)
    return found[1].upper() if found else ""


def _without_end(sql: str) -> str:
    """Without a final semicolon, and without the comments behind it."""
    end = 0
    semicolon = False
    for place, character in _characters(sql):
        if character == ";":
            semicolon = True
        elif not character.isspace():
            if semicolon:
                return sql.strip()  # two statements: Athena says so
            end = place + len(character)
    return sql[:end].strip()


def _characters(sql: str) -> Iterator[tuple[int, str]]:
    """(place, character), or a whole text or quoted name; without comments."""
    place = 0
    while place < len(sql):
        token = _TOKEN.match(sql, place)
        text = token[0] if token else sql[place]
        if not text.startswith(("--", "/*")):
            yield place, text
        place += len(text)


def placeholders(sql: str) -> tuple[str, ...]:
    """The names of the ``:name`` parameters, each once. In texts, quoted names and comments there are none."""
    return tuple(dict.fromkeys(found["name"] for found in _TOKEN.finditer(sql) if found["name"]))


def bind(sql: str, values: Mapping[str, str]) -> str:
    """``sql`` with each ``:name`` as a literal: a number where the value looks like one, else a text in quotes.

    Raises KeyError for a parameter without a value.
    """
    return _TOKEN.sub(lambda found: literal(values[found["name"]]) if found["name"] else found[0], sql)


def literal(value: str) -> str:
    """``value`` in SQL. A value can't end the text that it becomes."""
    if _NUMBER.fullmatch(value):
        return f"({value})" if value.startswith("-") else value  # a minus before it would begin a comment
    return "'" + value.replace("'", "''") + "'"


def plain(value: str) -> str:
    """What a literal of the header stands for: ``'it''s'`` is ``it's``."""
    text = _TEXT.fullmatch(value)
    return text[1].replace("''", "'") if text else value


def with_databases(sql: str, names: Names) -> str:
    """The databases' names of the configuration as they are called in this lake."""
    glue = names.config.glue
    default = {name: type(glue).model_fields[name].default for name in ("bronze_database", "silver_database")}
    own: dict[str, str] = {}
    for key, actual in (("bronze_database", names.bronze_database), ("silver_database", names.silver_database)):
        own |= {default[key]: actual, getattr(glue, key): actual}
    pattern = re.compile(rf"{_TOKEN.pattern}|\b(?P<database>{'|'.join(map(re.escape, own))})(?=\.)", re.DOTALL)
    return pattern.sub(lambda found: own[found["database"]] if found["database"] else found[0], sql)
