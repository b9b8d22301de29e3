"""How requests name a function: by name, by ARN, by a part of an ARN, each with or without a qualifier.

Lambda API reference, "FunctionName" of each operation: ``my-function``, ``function:my-function``,
``123456789012:function:my-function``, ``arn:aws:lambda:…:function:my-function:PROD``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lakectl.local.functions.errors import Refused, constrained, invalid, not_found

LATEST = "$LATEST"
NAME = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
ALIAS = re.compile(r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)")
QUALIFIER = re.compile(r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+")
MAX_ARN, MAX_NAME, MAX_QUALIFIER = 140, 64, 128


@dataclass(frozen=True)
class Reference:
    """A function of one region; ``qualifier`` is a version's number, an alias, ``$LATEST`` or None."""

    region: str
    account: str
    name: str
    qualifier: str | None = None

    @property
    def function_arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    @property
    def arn(self) -> str:
        """With the qualifier, as far as there is one."""
        return f"{self.function_arn}:{self.qualifier}" if self.qualifier else self.function_arn


def read(text: str, region: str, account: str, qualifier: str | None = None, most: int = MAX_ARN) -> Reference:
    """What ``FunctionName`` and ``Qualifier`` of a request mean in a region. Raises Refused."""
    if len(text) > most:
        raise constrained(text, "functionName", f"have length less than or equal to {most}")
    found = NAME.fullmatch(text)
    if found is None:
        raise constrained(text, "functionName", f"satisfy regular expression pattern: {NAME.pattern}")
    name, own = found[10], found[12]
    if len(name) > MAX_NAME:
        rule = f"have length less than or equal to {MAX_NAME}"
        raise Refused("InvalidParameterValueException", constrained(name, "functionName", rule).message)
    if found[3] and found[3].rstrip(":") != region:
        there = found[3].rstrip(":")
        raise not_found(f"Functions from '{there}' are not reachable in this region ('{region}')")
    if qualifier and not QUALIFIER.fullmatch(qualifier):
        raise constrained(qualifier, "qualifier", f"satisfy regular expression pattern: {QUALIFIER.pattern}")
    if qualifier and own and qualifier != own:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    owner = found[8].rstrip(":") if found[8] else account
    reference = Reference(region, owner, name, qualifier or own)
    if owner != account:
        raise not_found(f"Function not found: {reference.arn}")
    return reference


def of_arn(arn: str) -> Reference | None:
    """What a full ARN of a function names; None for anything else."""
    parts = arn.split(":")
    if len(parts) not in (7, 8) or parts[2] != "lambda" or parts[5] != "function":
        return None
    return Reference(parts[3], parts[4], parts[6], parts[7] if len(parts) == 8 else None)


def is_version(qualifier: str) -> bool:
    return qualifier == LATEST or qualifier.isdigit()
