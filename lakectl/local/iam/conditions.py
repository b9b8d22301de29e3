"""Condition operators (IAM user guide, "Condition operators" and "Multivalued context keys")."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from lakectl.local.iam import keys
from lakectl.local.iam.grammar import UnknownKey, as_list
from lakectl.local.iam.patterns import Context, Unresolved, matches_with_variables, substituted

Test = Callable[[str, str, Context | None], bool]


def holds(conditions: Mapping[str, Any], context: Context, *, variables: bool = True) -> bool:
    """Whether every operator and every key in it is met. An operator that IAM does not know is never met.

    ``variables``: whether the policy's version has policy variables. Raises UnknownKey.
    """
    values = context if variables else None
    return all(
        _key_holds(operator, key, [_text(each) for each in as_list(wanted)], context, values)
        for operator, tests in conditions.items()
        for key, wanted in tests.items()
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _key_holds(operator: str, key: str, wanted: list[str], context: Context, variables: Context | None) -> bool:
    quantifier, _, name = operator.rpartition(":")
    values = context.get(key.lower())
    if values is None and not keys.known(key.lower()):
        raise UnknownKey(key)
    if name == "Null":
        return all((values is None) == (each.lower() == "true") for each in wanted)
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name not in OPERATORS or quantifier not in QUANTIFIERS:
        return False
    test, negated = OPERATORS[name]
    if values is None:
        # A key that the request does not bear meets a negated operator, and ForAllValues; no other.
        return optional or quantifier == "ForAllValues" or (negated and quantifier != "ForAnyValue")

    def met(value: str) -> bool:
        results = [_result(test, value, each, variables) for each in wanted]
        return all(each is False for each in results) if negated else True in results

    return any(map(met, values)) if quantifier == "ForAnyValue" else all(map(met, values))


def _result(test: Test, value: str, wanted: str, variables: Context | None) -> bool | None:
    """None when a policy variable has no value: then neither "equals" nor "not equals" is met."""
    try:
        return test(value, wanted, variables)
    except Unresolved:
        return None
    except ValueError:  # "abc" is no number, no date and no address
        return False


def _equals(value: str, wanted: str, variables: Context | None) -> bool:
    return value == substituted(wanted, variables)


def _equals_ignore_case(value: str, wanted: str, variables: Context | None) -> bool:
    return value.lower() == substituted(wanted, variables).lower()


def _arn(value: str, wanted: str, variables: Context | None) -> bool:
    """ArnEquals and ArnLike are one: each of the six parts by itself, so that ``*`` never crosses a colon."""
    have, want = value.split(":", 5), wanted.split(":", 5)
    return len(have) == len(want) == 6 and all(
        matches_with_variables(part, pattern, variables) for part, pattern in zip(have, want, strict=True)
    )


def _bool(value: str, wanted: str, variables: Context | None) -> bool:  # noqa: ARG001 - all tests are called alike
    return value.lower() == wanted.lower()


def _binary(value: str, wanted: str, variables: Context | None) -> bool:  # noqa: ARG001
    return base64.b64decode(value) == base64.b64decode(wanted)


def _address(value: str, wanted: str, variables: Context | None) -> bool:  # noqa: ARG001
    return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)


def _number(compare: Callable[[float, float], bool]) -> Test:
    return lambda value, wanted, _: compare(float(value), float(wanted))


def _date(compare: Callable[[float, float], bool]) -> Test:
    return lambda value, wanted, _: compare(_seconds(value), _seconds(wanted))


def _seconds(text: str) -> float:
    """ISO 8601 or seconds since the epoch."""
    try:
        return float(text)
    except ValueError:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}
QUANTIFIERS = {"", "ForAllValues", "ForAnyValue"}
OPERATORS: dict[str, tuple[Test, bool]] = {  # name → test, whether it is negated
    "StringEquals": (_equals, False),
    "StringNotEquals": (_equals, True),
    "StringEqualsIgnoreCase": (_equals_ignore_case, False),
    "StringNotEqualsIgnoreCase": (_equals_ignore_case, True),
    "StringLike": (matches_with_variables, False),
    "StringNotLike": (matches_with_variables, True),
    "ArnEquals": (_arn, False),
    "ArnLike": (_arn, False),
    "ArnNotEquals": (_arn, True),
    "ArnNotLike": (_arn, True),
    "Bool": (_bool, False),
    "BinaryEquals": (_binary, False),
    "IpAddress": (_address, False),
    "NotIpAddress": (_address, True),
    "NumericEquals": (_number(lambda a, b: a == b), False),
    "NumericNotEquals": (_number(lambda a, b: a == b), True),
    "DateEquals": (_date(lambda a, b: a == b), False),
    "DateNotEquals": (_date(lambda a, b: a == b), True),
    **{f"Numeric{name}": (_number(compare), False) for name, compare in _COMPARISONS.items()},
    **{f"Date{name}": (_date(compare), False) for name, compare in _COMPARISONS.items()},
}
