"""Asking an endpoint or an account for a row: its calls are made, and what they made is deleted again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from botocore import handlers
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from lakectl.contract import tidying
from lakectl.contract.table import ACCOUNT, REGION, Answer, Call, Ref, Row

Clients = Callable[[str, str], Any]
# At the start of every name that a row makes up, so that they are known in an account.
PREFIX = "lakectl"
NEUTRAL_ACCOUNT = "<account>"  # in what is written down
AT_ONCE = 8  # Lambda's control plane takes 15 calls a second (Lambda developer guide, "Lambda quotas")
WAIT_S = 60.0  # a new role is assumable after some seconds
LONGEST_TOLD = 300  # characters of a message that are kept
# Of the asker, not of the row: nothing is known of what it asks.
DENIED = frozenset(
    ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "ExpiredToken")
    + ("ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException")
)
# What passes by itself, by code and words: it is no answer to what a row asks.
PASSING = (
    ("InvalidParameterValueException", "cannot be assumed"),
    ("InvalidInputException", "unable to assume"),
    ("OperationAborted", ""),
    ("ResourceConflictException", "Pending"),
    ("ResourceConflictException", "in progress"),
    ("ResourceInUseException", "being created"),
    ("TooManyRequestsException", "Rate exceeded"),
    ("ThrottlingException", ""),
    ("Throttling", ""),
    ("SlowDown", ""),
)
# Rows that say something of a region other than the one they name: they do not hold in these.
NOT_IN = {
    "us-east-1": (
        "bucket-without-a-place-outside-us-east-1",
        "bucket-in-another-region-than-the-endpoint",
        "own-bucket-again",
    ),
    "us-west-2": ("bucket-in-another-region-than-the-endpoint",),
    "ap-southeast-1": ("function-arn-of-another-region", "function-got-of-another-region"),
}


@dataclass(frozen=True)
class Where:
    """What the rows' account and region stand for. ``patient``: some answers come late there, as in an account."""

    account: str = ACCOUNT
    region: str = REGION
    patient: bool = False

    @property
    def partition(self) -> str:
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"


@dataclass(frozen=True)
class Outcome:
    """What came of a row. ``got``: the answer in one line. ``prepared``: the last call, which the row is about, was
    made and judged by AWS, and not denied. ``error`` (status, code, message) or ``values`` are the answer, without the
    account and the names made up. ``left``: what could not be deleted, with why."""

    agrees: bool
    got: str
    prepared: bool = True
    error: tuple[int, str, str] | None = None
    values: tuple[tuple[str, Any], ...] = ()
    request_id: str = ""
    left: tuple[str, ...] = ()


def clients_of(session: Any, endpoint_url: str | None = None, attempts: int = 1) -> Clients:
    """Clients that check nothing themselves: the table asks the endpoint, not botocore.

    ``session``: a boto3 session. For any thread.
    """
    known: dict[tuple[str, str], Any] = {}
    config = Config(
        parameter_validation=False,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        read_timeout=30,
        max_pool_connections=2 * AT_ONCE,
        s3={"addressing_style": "path"} if endpoint_url else None,
    )

    def client(service: str, region: str) -> Any:
        if (service, region) not in known:
            made = session.client(service, region_name=region, endpoint_url=endpoint_url, config=config)
            if service == "s3":
                made.meta.events.unregister("before-parameter-build.s3", handlers.validate_bucket_name)
            known[service, region] = made
        return known[service, region]

    return client


def not_asked(row: Row, where: Where) -> str:
    """Why a row is not asked there; empty for one that is."""
    if row.id in NOT_IN.get(where.region, ()):
        return f"it says nothing of {where.region}"
    return row.not_asked


def ask_all(rows: Iterable[Row], clients: Clients, where: Where) -> Generator[tuple[Row, Outcome]]:
    """Each row that can be asked there, in order, and what came of it. All that they make is deleted again."""
    wanted = [row for row in rows if not not_asked(row, where)]
    for service, region in sorted({(call.service, _region(call, where)) for row in wanted for call in row.calls}):
        clients(service, region)  # making clients is not thread-safe
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ask")
    try:
        yield from zip(wanted, pool.map(lambda row: ask(row, clients, where, tidy=True), wanted), strict=True)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)  # rows at work delete what they have made


def ask(row: Row, clients: Clients, where: Where | None = None, *, tidy: bool = False) -> Outcome:
    """Make the row's calls and compare the last answer with AWS's. ``tidy``: delete what they have made."""
    made = _Asking(row, clients, where or Where(), f"{PREFIX}{uuid.uuid4().hex[:10]}")
    try:
        outcome = made.run()
    finally:
        left = made.tidy() if tidy else ()
    return Outcome(**{**vars(outcome), "left": left})


def _region(call: Call, where: Where) -> str:
    return where.region if call.region == REGION else call.region


@dataclass
class _Asking:
    row: Row
    clients: Clients
    where: Where
    unique: str
    answers: list[Any] = field(default_factory=list)
    made: list[tuple[Call, dict[str, Any], Any]] = field(default_factory=list)

    def run(self) -> Outcome:
        for call in self.row.calls:
            last = len(self.answers) == len(self.row.calls) - 1
            try:
                self.answers.append(self._made(call, last))
            except ClientError as error:
                told = self._told(error)
                if not last:
                    return Outcome(False, f"{call.operation} (to prepare) failed: {_line(told)}", prepared=False)
                agrees, request_id = self._same_error(error), _request_id(error.response)
                if not agrees and told[1] in DENIED - {self.row.answer.code}:
                    return Outcome(False, f"denied: {_line(told)}", prepared=False, request_id=request_id)
                return Outcome(agrees, _line(told), error=told, request_id=request_id)
            except BotoCoreError as error:
                text = self._neutral(f"{call.operation}: {type(error).__name__}: {str(error)[:120]}")
                return Outcome(False, text, prepared=False)
        return self._same_values(self.answers[-1])

    def _made(self, call: Call, last: bool) -> Any:
        client = self.clients(call.service, _region(call, self.where))
        parameters = self._filled(call.parameters)
        if call.operation == "create_bucket" and call.region == REGION and self.where.region == "us-east-1":
            parameters.pop("CreateBucketConfiguration", None)  # there it is no place that may be named
        deadline = time.monotonic() + (WAIT_S if self.where.patient else 0)
        while True:
            try:
                answer = getattr(client, call.operation)(**parameters)
                break
            except ClientError as error:
                if not self._passes(error, last) or time.monotonic() > deadline:
                    if error.response["Error"]["Code"] in tidying.EXISTS and not self._has_made(call, parameters):
                        # Its first answer was lost, and botocore has sent it again.
                        self.made.append((call, parameters, {}))
                    raise
                time.sleep(2)
        self.made.append((call, parameters, answer))
        if self.where.patient:
            with suppress(WaiterError):  # the next call says what is the matter
                tidying.wait_until_made(client, call, parameters)
        return answer

    def _has_made(self, call: Call, parameters: dict[str, Any]) -> bool:
        return any((call.operation, parameters) == (each.operation, given) for each, given, _ in self.made)

    def _passes(self, error: ClientError, last: bool) -> bool:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message") or ""
        if last and self._same_error(error):
            return False
        return any(code == passing and words in message for passing, words in PASSING)

    def tidy(self) -> tuple[str, ...]:
        """Delete what the calls have made, the last first; what could not be deleted, with why."""
        left = []
        for call, parameters, answer in reversed(self.made):
            client = self.clients(call.service, _region(call, self.where))
            limit_s = WAIT_S if self.where.patient else 5.0
            reason = tidying.delete(client, call, parameters, answer, limit_s)
            if reason:
                left.append(reason)  # with its name: somebody has to delete it
        return tuple(left)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, Ref):
            found: Any = self.answers[value.number]
            for step in value.path:
                found = found[step]
            return found
        if isinstance(value, str):
            return self._there(value.replace("<n>", self.unique))
        if isinstance(value, dict):
            return {self._filled(key): self._filled(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._filled(each) for each in value]
        return value

    def _there(self, text: str) -> str:
        placed = text.replace(ACCOUNT, self.where.account).replace(NEUTRAL_ACCOUNT, self.where.account)
        placed = placed.replace(REGION, self.where.region)
        return placed.replace("arn:aws:", f"arn:{self.where.partition}:")

    def _neutral(self, text: str) -> str:
        return text.replace(self.unique, "<n>").replace(self.where.account, NEUTRAL_ACCOUNT)

    def _told(self, error: ClientError) -> tuple[int, str, str]:
        described = error.response["Error"]
        message = self._neutral(described.get("Message") or "")[:LONGEST_TOLD]
        return error.response["ResponseMetadata"]["HTTPStatusCode"], described["Code"], message

    def _same_error(self, error: ClientError) -> bool:
        answer, described = self.row.answer, error.response["Error"]
        words = self._there(answer.words.replace("<n>", self.unique))
        return (
            bool(answer.code)
            and described["Code"] == answer.code
            and answer.status in (0, error.response["ResponseMetadata"]["HTTPStatusCode"])
            and words.lower() in (described.get("Message") or "").lower()
        )

    def _same_values(self, given: Any) -> Outcome:
        answer, request_id = self.row.answer, _request_id(given)
        if answer.code:
            return Outcome(False, "success", request_id=request_id)
        found = tuple((path, _at(given, path)) for path, _ in answer.values)
        told = "".join(f", {path} = {value!r}" for path, value in found)
        agrees = all(value == wanted for (_, value), (_, wanted) in zip(found, answer.values, strict=True))
        return Outcome(agrees, self._neutral(f"success{told}"), values=found, request_id=request_id)


def _at(given: Any, path: str) -> Any:
    found = given
    for step in path.split("__"):
        found = found.get(step) if isinstance(found, dict) else found[int(step)] if found else None
    return found


def _line(told: tuple[int, str, str]) -> str:
    status, code, message = told
    return f'{status} {code} "{message[:160]}"'


def _request_id(response: Any) -> str:
    return str(response.get("ResponseMetadata", {}).get("RequestId", "")) if isinstance(response, dict) else ""


def answer_of(outcome: Outcome) -> Answer:
    """The answer that was got, as a row has it."""
    if outcome.error:
        status, code, message = outcome.error
        return Answer(code=code, status=status, words=message)
    return Answer(values=outcome.values)
