r"""Regular expressions: Java's syntax, as far as Python's ``re`` reads it alike; the rest is refused.

Without flags, Java's \w, \d, \s and \b know ASCII only.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis.values import Value
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.functions.python import Failure, function
from lakectl.local.athena.functions.registry import Family, applied
from lakectl.local.athena.functions.strings import many_texts, same_text
from lakectl.local.athena.sqltypes import VARCHAR, Type

regexps = Family("regexp")
# What Java reads otherwise than Python, or Python not at all.
_OTHERWISE = re.compile(r"\\[pPhHRXGkQEzZvV]|\[[^\]]*(?:\[|&&)|\(\?[a-zA-Z]*[dUu][a-zA-Z-]*[:)]|\(\?P")
_SIMPLE = re.compile(r"(?:[\w\s,;:@#%&=/<>\"'!~`_-]|\\[dw.\-+*?^$()\[\]{}|/]|[.*+?|()^]|\[\^?[\w\-., ]+\])*")


_FLAGS = re.compile(r"\(\?([imsx]+)\)")


def _flags_in_groups(pattern: str) -> str:
    """``^(?i)a`` as ``^(?i:a)``: Java's flags hold from where they stand, and Python takes them at the start only."""
    found = _FLAGS.search(pattern, 1)
    if found is None:
        return pattern
    rest = pattern[found.end() :]
    if "|" in rest or rest.count("(") != rest.count(")"):
        raise Failure(
            f"the regular expression {pattern} is not supported by the local Athena; it works on AWS", "NOT_SUPPORTED"
        )
    return f"{pattern[: found.start()]}(?{found[1]}:{_flags_in_groups(rest)})"


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """Raises NOT_SUPPORTED, INVALID_FUNCTION_ARGUMENT."""
    if _OTHERWISE.search(pattern):
        raise Failure(
            f"the regular expression {pattern} is not supported by the local Athena; it works on AWS", "NOT_SUPPORTED"
        )
    try:
        return re.compile(_flags_in_groups(re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", pattern)), re.ASCII)
    except re.error as error:
        raise Failure(f"Invalid regular expression: {pattern}: {error.msg}") from None


def _checked(pattern: str) -> None:
    try:
        compiled(pattern)
    except Failure as failure:
        code, _, message = str(failure).partition(": ")
        raise QueryError(code, message) from None


def _like(value: Value, pattern: Value) -> str:
    """RE2 in DuckDB for what it means alike, which is most of what people write."""
    if isinstance(pattern.constant, str):
        _checked(pattern.constant)
    if isinstance(pattern.constant, str) and _SIMPLE.fullmatch(pattern.constant) and "(?" not in pattern.constant:
        return f"regexp_matches({value.sql}, {pattern.sql})"
    return f"athena_regexp_like({value.sql}, {pattern.sql})"


def _replace_by_lambda(value: Value, pattern: Value, change: Value) -> str:
    pieces = f"athena_regexp_pieces({value.sql}, {pattern.sql})"
    made = applied(change, "m.g")
    piece = f"m.t || CASE WHEN m.g IS NULL THEN '' ELSE {made} END"
    changed = f"list_transform({pieces}, lambda m: {piece})"
    null = f"len(list_filter({changed}, lambda m: m IS NULL)) > 0"  # of any match: the whole result
    return f"(CASE WHEN {null} THEN NULL ELSE array_to_string({changed}, '') END)"


def _replaced(kind: Type, _: Type, by: Type) -> Type:
    """Trino's longest result: a replacement may hold the whole match for every two of its letters."""
    if not (kind.numbers and by.numbers):
        return VARCHAR
    x, y = kind.numbers[0], by.numbers[0]
    length = x + max(x * y // 2, y) * (x + 1)
    return sqltypes.varchar(length) if length < 2**31 - 1 else VARCHAR


regexps.add("regexp_like(varchar, varchar) -> boolean", _like)
regexps.add("regexp_extract(varchar, varchar) -> varchar", "athena_regexp_extract({0}, {1}, 0)", same_text)
regexps.add("regexp_extract(varchar, varchar, bigint) -> varchar", "athena_regexp_extract({0}, {1}, {2})", same_text)
regexps.add(
    "regexp_extract_all(varchar, varchar) -> array(varchar)", "athena_regexp_extract_all({0}, {1}, 0)", many_texts
)
regexps.add(
    "regexp_extract_all(varchar, varchar, bigint) -> array(varchar)",
    "athena_regexp_extract_all({0}, {1}, {2})",
    many_texts,
)
regexps.add("regexp_count(varchar, varchar) -> bigint", "athena_regexp_count({0}, {1})")
regexps.add("regexp_position(varchar, varchar) -> integer", "athena_regexp_position({0}, {1}, 1, 1)")
regexps.add("regexp_position(varchar, varchar, bigint) -> integer", "athena_regexp_position({0}, {1}, {2}, 1)")
regexps.add(
    "regexp_position(varchar, varchar, bigint, bigint) -> integer", "athena_regexp_position({0}, {1}, {2}, {3})"
)
regexps.add("regexp_replace(varchar, varchar) -> varchar", "athena_regexp_replace({0}, {1}, '')", same_text)
regexps.add("regexp_replace(varchar, varchar, varchar) -> varchar", "athena_regexp_replace({0}, {1}, {2})", _replaced)
regexps.add("regexp_replace(varchar, varchar, function(array(varchar), varchar)) -> varchar", _replace_by_lambda)
regexps.add("regexp_split(varchar, varchar) -> array(varchar)", "athena_regexp_split({0}, {1})", many_texts)


@function("athena_regexp_like", "VARCHAR, VARCHAR -> BOOLEAN")
def _find(value: str, pattern: str) -> bool:
    return compiled(pattern).search(value) is not None


def _group(pattern: re.Pattern[str], group: int) -> None:
    if group < 0:
        raise Failure("Group cannot be negative")
    if group > pattern.groups:
        raise Failure(f"Pattern has {pattern.groups} groups. Cannot access group {group}")


@function("athena_regexp_extract", "VARCHAR, VARCHAR, BIGINT -> VARCHAR")
def _extract(value: str, pattern: str, group: int) -> str | None:
    expression = compiled(pattern)
    _group(expression, group)
    found = expression.search(value)
    return found[group] if found else None


@function("athena_regexp_extract_all", "VARCHAR, VARCHAR, BIGINT -> VARCHAR[]")
def _extract_all(value: str, pattern: str, group: int) -> list[str | None]:
    expression = compiled(pattern)
    _group(expression, group)
    return [found[group] for found in expression.finditer(value)]


@function("athena_regexp_count", "VARCHAR, VARCHAR -> BIGINT")
def _count(value: str, pattern: str) -> int:
    return sum(1 for _ in compiled(pattern).finditer(value))


@function("athena_regexp_position", "VARCHAR, VARCHAR, BIGINT, BIGINT -> INTEGER")
def _position(value: str, pattern: str, start: int, occurrence: int) -> int:
    if start < 1:
        raise Failure("start position cannot be smaller than 1")
    if occurrence < 1:
        raise Failure("occurrence cannot be smaller than 1")
    if start > len(value):
        return -1
    places = [found.start() + 1 for found in compiled(pattern).finditer(value, start - 1)]
    return places[occurrence - 1] if occurrence <= len(places) else -1


_REFERENCE = re.compile(r"\\(.)|\$\{(\w+)\}|\$(\d)(\d*)|(\$|\\$)", re.S)


@function("athena_regexp_replace", "VARCHAR, VARCHAR, VARCHAR -> VARCHAR")
def _replace(value: str, pattern: str, replacement: str) -> str:
    expression = compiled(pattern)

    def made(found: re.Match[str]) -> str:
        return _REFERENCE.sub(lambda reference: _referred(reference, found), replacement)

    return expression.sub(made, value)


def _referred(reference: re.Match[str], found: re.Match[str]) -> str:
    escaped, name, digit, more, lone = reference.groups()
    if lone:
        raise Failure("Illegal replacement sequence: unknown group reference")
    if escaped is not None:
        return str(escaped)
    try:
        if name is not None:
            return found[name] or ""
        group, rest = int(digit), more
        while rest and group * 10 + int(rest[0]) <= (found.re.groups or 0):  # as many digits as there are groups
            group, rest = group * 10 + int(rest[0]), rest[1:]
        return (found[group] or "") + rest
    except IndexError:
        raise Failure("Illegal replacement sequence: unknown group") from None


@function("athena_regexp_split", "VARCHAR, VARCHAR -> VARCHAR[]")
def _split(value: str, pattern: str) -> list[str]:
    parts, at = [], 0
    for found in compiled(pattern).finditer(value):
        parts.append(value[at : found.start()])
        at = found.end()
    return [*parts, value[at:]]


@function("athena_regexp_pieces", "VARCHAR, VARCHAR -> STRUCT(t VARCHAR; g VARCHAR[])[]")
def _pieces(value: str, pattern: str) -> list[dict[str, object]]:
    """What stands before each match, and its groups; at last what stands behind."""
    made: list[dict[str, object]] = []
    at = 0
    for found in compiled(pattern).finditer(value):
        made.append({"t": value[at : found.start()], "g": list(found.groups())})
        at = found.end()
    return [*made, {"t": value[at:], "g": None}]
