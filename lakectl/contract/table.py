"""What a row of the table of behaviours is. The rows are in ``rows_*.py``.

A row is data: boto3 calls (all but the last prepare, and must succeed), AWS's answer to the last, and where that was
read: ``sources.py`` has the kinds. A row says no more of the answer than its source shows: a status or words only where
it does. In parameters, ``<n>`` stands for a name that no other row has, in the answer's words too; ``Ref`` for a value
out of an earlier answer. ``REGION`` and ``ACCOUNT`` stand for those that are asked. Rows depend on nothing but
themselves, in any order, on any endpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

REGION = "eu-west-1"
ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Call:
    service: str
    operation: str
    parameters: dict[str, Any]
    region: str = REGION


@dataclass(frozen=True)
class Ref:
    """The value at ``path`` in the answer of call number ``number``."""

    number: int
    path: tuple[str | int, ...]


@dataclass(frozen=True)
class Answer:
    """An error's code, status and words (those given), or the values at paths of a success."""

    code: str = ""
    status: int = 0
    words: str = ""
    values: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        if self.code:
            return " ".join(
                str(part) for part in (self.status or "", self.code, self.words and f'"{self.words}"') if part
            )
        return "success" + "".join(f", {path} = {value!r}" for path, value in self.values)


@dataclass(frozen=True)
class Row:
    """``source``: empty for a row that holds only what the local endpoint does.

    ``differs``: why the local endpoint can't give AWS's answer, for the few rows where it can't.
    ``not_asked``: why an account is not asked, for rows whose calls are about more than what they make themselves.
    """

    id: str
    calls: tuple[Call, ...]
    answer: Answer
    source: str = ""
    differs: str = ""
    not_asked: str = ""


def call(service: str, operation: str, region: str = REGION, **parameters: Any) -> Call:
    return Call(service, operation, parameters, region)


def ref(number: int, *path: str | int) -> Ref:
    return Ref(number, path)


def refused(code: str, status: int = 0, words: str = "") -> Answer:
    return Answer(code=code, status=status, words=words)


def accepted(**values: Any) -> Answer:
    """``accepted(Table__ItemCount=0)``: a success whose answer has these values; ``__`` steps into a member."""
    return Answer(values=tuple(values.items()))
