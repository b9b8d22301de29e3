"""Wildcards and policy variables of IAM policies (IAM user guide, "Policy elements")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

Context = Mapping[str, tuple[str, ...]]  # condition key, lower case → its values; absent: the request has none

VARIABLE = re.compile(r"\$\{([^}]*)\}")
LITERALS = {"*": "*", "?": "?", "$": "$"}


class Unresolved(Exception):
    """A policy variable has no value in this request, nor a default: what it stands in can't be compared."""


@lru_cache(maxsize=4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def matches(value: str, pattern: str, *, ignore_case: bool = False) -> bool:
    """Whether ``value`` fits ``pattern``, where ``*`` is any text and ``?`` one character."""
    return _compiled(pattern, ignore_case).fullmatch(value) is not None


def matches_with_variables(value: str, pattern: str, variables: Context | None) -> bool:
    """As :func:`matches`, after ``${aws:PrincipalAccount}`` and its like.

    ``variables`` None: a policy of a version that has none; they are plain text. Raises Unresolved.
    """
    if variables is None or "${" not in pattern:
        return matches(value, pattern)
    expression, end = "", 0
    for found in VARIABLE.finditer(pattern):
        # A value never brings a wildcard of its own.
        expression += _compiled(pattern[end : found.start()], False).pattern
        expression += re.escape(variable(found[1], variables))
        end = found.end()
    expression += _compiled(pattern[end:], False).pattern
    return re.fullmatch(expression, value, re.DOTALL) is not None


def variable(expression: str, variables: Context) -> str:
    """The value of ``aws:username`` or ``aws:username, 'default'``. Raises Unresolved when there is none."""
    name, comma, default = expression.partition(",")
    if name.strip() in LITERALS:
        return LITERALS[name.strip()]
    # A key with several values can't be a variable (IAM user guide, "Single-valued vs. multivalued context keys").
    values = variables.get(name.strip().lower(), ())
    if len(values) == 1:
        return values[0]
    if not comma:
        raise Unresolved(name.strip())
    return default.strip().strip("'")


def substituted(text: str, variables: Context | None) -> str:
    """``text`` with its variables replaced. Raises Unresolved."""
    if variables is None or "${" not in text:
        return text
    return VARIABLE.sub(lambda found: variable(found[1], variables), text)
