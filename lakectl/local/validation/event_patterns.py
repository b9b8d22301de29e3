"""EventBridge: which event patterns PutRule takes [EventBridge user guide, "Comparison operators"; aws/event-ruler].

A pattern that could not be evaluated is refused here: it would keep events from every rule after it.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
from collections.abc import Callable
from typing import Any, NoReturn

from moto.events.exceptions import InvalidEventPatternException

NUMERIC_LIMIT = 5_000_000_000
LOWER, UPPER = (">", ">="), ("<", "<=")
NO_VALUE = "Value of anything-but must be an array or single string/number value."
TEXTS = ("prefix", "suffix", "equals-ignore-case", "wildcard")


def check(text: str) -> None:
    """Raises InvalidEventPatternException."""
    try:
        pattern = json.loads(text)
    except (ValueError, RecursionError):
        _refuse("Invalid JSON")
    if not isinstance(pattern, dict):
        _refuse("Filter is not an object")
    _node(pattern)


def _refuse(reason: str) -> NoReturn:
    raise InvalidEventPatternException(reason)


def _node(node: dict[str, Any]) -> None:
    if not node:
        _refuse("Empty objects are not allowed")
    for key, value in node.items():
        if key == "$or" and isinstance(value, list):
            if len(value) < 2 or not all(isinstance(each, dict) for each in value):
                _refuse("There are no Ors of two or more objects in the $or array")
            for each in value:
                _node(each)
        elif isinstance(value, dict):
            _node(value)
        elif isinstance(value, list):
            if not value:
                _refuse("Empty arrays are not allowed")
            for each in value:
                _filter(each)
        else:
            _refuse(f'"{key}" must be an object or an array')


def _filter(value: Any) -> None:
    if isinstance(value, list):
        _refuse("Match value must be String, number, true, false, or null")
    if not isinstance(value, dict):
        return
    if len(value) != 1:
        _refuse("Only one key allowed in match expression")
    ((kind, operand),) = value.items()
    if kind not in COMPARISONS:
        _refuse(f"Unrecognized match type {kind}")
    COMPARISONS[kind](kind, operand)


def _text(kind: str, operand: Any) -> None:
    if kind in ("prefix", "suffix") and isinstance(operand, dict) and operand.keys() == {"equals-ignore-case"}:
        operand = operand["equals-ignore-case"]
    if not isinstance(operand, str):
        _refuse(f"{kind} match pattern must be a string")
    if kind == "wildcard":
        _wildcard(operand)


def _wildcard(operand: str) -> None:
    place = 0
    while place < len(operand):
        pair = operand[place : place + 2]
        if pair == "**":
            _refuse(f"Consecutive wildcard characters at pos {place + 1}")
        if pair[0] == "\\" and pair not in ("\\*", "\\\\"):
            _refuse(f"Invalid escape character at pos {place}")
        place += 2 if pair[0] == "\\" else 1


def _anything_but(kind: str, operand: Any) -> None:
    if isinstance(operand, dict):
        if len(operand) != 1 or not operand.keys() <= set(TEXTS):
            _refuse("Unsupported anything-but pattern")
        ((inner, values),) = operand.items()
        for each in values if isinstance(values, list) and values else [values]:
            _anything_but_text(inner, each)
        return
    values = operand if isinstance(operand, list) else [operand]
    if not values:
        _refuse("Empty arrays are not allowed")
    if isinstance(operand, bool) or operand is None:
        _refuse(NO_VALUE)
    if any(each is None or isinstance(each, bool | dict | list) for each in values):
        _refuse("Inside anything but list, start|null|boolean is not supported.")
    if len({isinstance(each, str) for each in values}) > 1:
        _refuse(f"{kind} list is not all of strings or all of numbers")


def _anything_but_text(kind: str, operand: Any) -> None:
    if isinstance(operand, dict):
        _refuse(NO_VALUE)
    if kind == "wildcard":
        _text(kind, operand)
    elif not isinstance(operand, str):
        _refuse(
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
            if kind == "equals-ignore-case"
            else "prefix/suffix match pattern must be a string"
        )
    elif not operand and kind != "equals-ignore-case":
        _refuse("Null prefix/suffix not allowed")


def _numeric(kind: str, operand: Any) -> None:
    if not isinstance(operand, list):
        _refuse(f"Value of {kind} must be an array.")
    operators, bounds = operand[::2], operand[1::2]
    if not 1 <= len(operators) <= 2:
        _refuse(f"Value of {kind} must be an array of one or two comparisons.")
    for name, bound in itertools.zip_longest(operators, bounds):
        if name not in (*LOWER, *UPPER, "="):
            _refuse(f"Unrecognized numeric range operator: {name}")
        if not _is_number(bound):
            _refuse(f"Value of {name} must be numeric")
        if abs(bound) > NUMERIC_LIMIT:
            _refuse(f"Value must be between -{NUMERIC_LIMIT} and {NUMERIC_LIMIT}, inclusive")
    if len(operators) == 2:
        if operators[0] not in LOWER or operators[1] not in UPPER:
            _refuse(f"Bad numeric range operator: {operators[1] if operators[0] in LOWER else operators[0]}")
        if bounds[0] >= bounds[1]:
            _refuse("Bottom must be less than top")


def _exists(kind: str, operand: Any) -> None:
    if not isinstance(operand, bool):
        _refuse(f"{kind} match pattern must be either true or false.")


def _cidr(_: str, operand: Any) -> None:
    if not isinstance(operand, str):
        _refuse("prefix match pattern must be a string")  # event-ruler's words for a CIDR, too
    address, slash, bits = operand.partition("/")
    if not slash or "/" in bits:
        _refuse("Malformed CIDR, one '/' required")
    if not bits.isascii() or not bits.isdecimal():
        _refuse("Malformed CIDR, mask bits must be an integer")
    try:
        ipaddress.ip_address(address)
    except ValueError:
        _refuse(f"Nonstandard IP address: {address}")
    try:
        ipaddress.ip_network(operand, strict=False)
    except ValueError:
        _refuse(f"Malformed CIDR, not a valid prefix: {operand}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


COMPARISONS: dict[str, Callable[[str, Any], None]] = {
    "anything-but": _anything_but,
    "cidr": _cidr,
    "exists": _exists,
    "numeric": _numeric,
    **dict.fromkeys(TEXTS, _text),
}
