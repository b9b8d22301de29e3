"""What a row of the table of behaviours is, and how one is run. The rows are in ``contract_rows_*.py``.

A row is data: boto3 calls (all but the last prepare, and must succeed), AWS's answer to the last, and where that was
read: ``contract_sources.py`` has the kinds. A row says no more of the answer than its source shows: a status or words
only where it does. In parameters, ``<n>`` stands for a name that no other row has, in the answer's words too; ``Ref``
for a value out of an earlier answer. Rows depend on nothing but themselves, in any order, on any endpoint.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore import handlers
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

REGION = "eu-west-1"
Clients = Callable[[str, str], Any]


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
    """

    id: str
    calls: tuple[Call, ...]
    answer: Answer
    source: str = ""
    differs: str = ""


@dataclass(frozen=True)
class Outcome:
    agrees: bool
    got: str


def call(service: str, operation: str, region: str = REGION, **parameters: Any) -> Call:
    return Call(service, operation, parameters, region)


def ref(number: int, *path: str | int) -> Ref:
    return Ref(number, path)


def refused(code: str, status: int = 0, words: str = "") -> Answer:
    return Answer(code=code, status=status, words=words)


def accepted(**values: Any) -> Answer:
    """``accepted(Table__ItemCount=0)``: a success whose answer has these values; ``__`` steps into a member."""
    return Answer(values=tuple(values.items()))


def clients_of(url: str, access_key: str, secret_key: str) -> Clients:
    """Clients that check nothing themselves: the table asks the endpoint, not botocore."""
    known: dict[tuple[str, str], Any] = {}
    session = boto3.session.Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key)
    config = Config(
        parameter_validation=False,
        retries={"total_max_attempts": 1},
        read_timeout=30,
        s3={"addressing_style": "path"},
    )

    def client(service: str, region: str) -> Any:
        if (service, region) not in known:
            made = session.client(service, region_name=region, endpoint_url=url, config=config)
            if service == "s3":
                made.meta.events.unregister("before-parameter-build.s3", handlers.validate_bucket_name)
            known[service, region] = made
        return known[service, region]

    return client


def run(row: Row, clients: Clients) -> Outcome:
    """Make the row's calls and compare the last answer with AWS's."""
    unique = uuid.uuid4().hex[:10]
    answers: list[Any] = []
    for number, each in enumerate(row.calls, 1):
        operation = getattr(clients(each.service, each.region), each.operation)
        try:
            answers.append(operation(**_filled(each.parameters, unique, answers)))
        except ClientError as error:
            if number < len(row.calls):
                return Outcome(False, f"{each.operation} (to prepare) failed: {_told(error)}")
            return Outcome(_same_error(row.answer, error, unique), _told(error))
        except BotoCoreError as error:
            return Outcome(False, f"{each.operation}: {type(error).__name__}: {str(error)[:120]}")
    return _same_values(row.answer, answers[-1])


def _filled(value: Any, unique: str, answers: list[Any]) -> Any:
    if isinstance(value, Ref):
        found: Any = answers[value.number]
        for step in value.path:
            found = found[step]
        return found
    if isinstance(value, str):
        return value.replace("<n>", unique)
    if isinstance(value, dict):
        return {_filled(key, unique, answers): _filled(each, unique, answers) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(each, unique, answers) for each in value]
    return value


def _told(error: ClientError) -> str:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    described = error.response["Error"]
    return f'{status} {described["Code"]} "{described.get("Message", "")[:160]}"'


def _same_error(answer: Answer, error: ClientError, unique: str) -> bool:
    described = error.response["Error"]
    return (
        bool(answer.code)
        and described["Code"] == answer.code
        and answer.status in (0, error.response["ResponseMetadata"]["HTTPStatusCode"])
        and answer.words.replace("<n>", unique).lower() in (described.get("Message") or "").lower()
    )


def _same_values(answer: Answer, given: Any) -> Outcome:
    if answer.code:
        return Outcome(False, "success")
    told, agrees = [], True
    for path, wanted in answer.values:
        found: Any = given
        for step in path.split("__"):
            found = found.get(step) if isinstance(found, dict) else found[int(step)] if found else None
        told.append(f", {path} = {found!r}")
        agrees = agrees and found == wanted
    return Outcome(agrees, "success" + "".join(told))
