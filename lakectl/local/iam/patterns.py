"""Wildcards and policy variables of IAM policies (IAM user guide, "Policy elements")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

Context = Mapping[str, tuple[str, ...]]  # condition key, lower case → its values; absent: the request has none

VARIABLE = re.compile(r"\$\{([^}]*)\}")
LITERALS = {"*": "*", "?": "?", "$": "$"}


@lru_cache(maxsize=4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def matches(value: str, pattern: str, *, ignore_case: bool = False) -> bool:
    """Whether ``value`` fits ``pattern``, where ``*`` is any text and ``?`` one character."""
    return _compiled(pattern, ignore_case).fullmatch(value) is not None


def matches_with_variables(value: str, pattern: str, context: Context) -> bool:
    """As :func:`matches`, after ``${aws:PrincipalAccount}`` and its like; a variable without a value never matches."""
    if "${" not in pattern:
        return matches(value, pattern)
    expression, end = "", 0
    for found in VARIABLE.finditer(pattern):
        text = variable(found[1], context)
        if text is None:
            return False
        # A value never brings a wildcard of its own.
        expression += _compiled(pattern[end : found.start()], False).pattern + re.escape(text)
        end = found.end()
    expression += _compiled(pattern[end:], False).pattern
    return re.fullmatch(expression, value, re.DOTALL) is not None


def variable(expression: str, context: Context) -> str | None:
    """The value of ``aws:username`` or ``aws:username, 'default'``; None when there is none."""
    name, comma, default = expression.partition(",")
    if name.strip() in LITERALS:
        return LITERALS[name.strip()]
    values = context.get(name.strip().lower())
    if values is not None and len(values) == 1:
        return values[0]
    return default.strip().strip("'") if comma else None


def substituted(text: str, context: Context) -> str | None:
    """``text`` with its variables replaced; None when one has no value."""
    if "${" not in text:
        return text
    values = {found[0]: variable(found[1], context) for found in VARIABLE.finditer(text)}
    if None in values.values():
        return None
    return VARIABLE.sub(lambda found: str(values[found[0]]), text)
