"""A stream of DynamoDB as an event source: batches in order, retries, bisection, and what is given up on.

https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html. Where a mapping stands in its stream has a row: after a
restart it goes on there, and the batch that was running is delivered again.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lakectl.local.context import LocalContext
from lakectl.local.functions.asynchronous import AsyncTarget, send
from lakectl.local.functions.event_sources import filters, responses, rules
from lakectl.local.functions.invoke_configs import ACTIONS
from lakectl.local.functions.process import Invocation, Outcome
from lakectl.local.functions.runtime import Throttled
from lakectl.local.functions.service import LambdaService
from lakectl.local.functions.store import CHECKPOINT, MAPPING
from lakectl.local.iam import roles
from lakectl.local.seams import dynamodb

FIRST_RETRY_SECONDS, MOST_RETRY_SECONDS = 0.2, 60.0
POLL_SECONDS = 0.2  # within a batching window
FULL_BYTES = 5 << 20  # of records; an invocation takes 6 MB

log = logging.getLogger(__name__)

Record = dict[str, Any]


class StreamSource:
    """One mapping's; used by one thread."""

    def __init__(self, context: LocalContext, service: LambdaService, stop: threading.Event, region: str) -> None:
        self._context = context
        self._service = service
        self._stop = stop
        self._region = region
        self.working = False
        self._told = ""

    def close(self) -> None:
        """It has no threads of its own."""

    def step(self, mapping: Mapping[str, Any], target: AsyncTarget) -> bool:
        """Deliver one batch. False when there is nothing to do now."""
        records = self._next(mapping)
        if not records or self._refused(mapping, target):
            return False
        until = time.monotonic() + mapping["MaximumBatchingWindowInSeconds"]
        while len(records) < mapping["BatchSize"] and time.monotonic() < until:
            if self._stop.wait(POLL_SECONDS):
                return False
            records = self._next(mapping)
        self.working = True
        try:
            wanted = [record for record in records if filters.let_through(mapping.get("FilterCriteria"), record)]
            if not wanted or self._deliver(mapping, wanted):
                self._advance(mapping, _number(records[-1]))
        finally:
            self.working = False
        return True

    def _refused(self, mapping: Mapping[str, Any], target: AsyncTarget) -> bool:
        spec, arn = target.spec, mapping["EventSourceArn"]
        each = (roles.refusal(spec.role, spec.name, f"dynamodb:{action}", arn) for action in rules.STREAM_ACTIONS[:-1])
        refusal = next(filter(None, each), "")
        if refusal and refusal != self._told:  # asked each second
            log.warning("event source mapping %s: %s", mapping["UUID"], refusal)
            self._result(mapping, "PROBLEM: Lambda can't access the stream")
        self._told = refusal
        return bool(refusal)

    def _checkpoint(self, mapping: Mapping[str, Any]) -> dict[str, Any]:
        return self._service.kept.all(self._region, CHECKPOINT)[mapping["UUID"]]

    def _advance(self, mapping: Mapping[str, Any], after: int, attempts: int = 0) -> None:
        with self._service.kept.lock, self._context.database.transaction():
            if mapping["UUID"] in self._service.kept.all(self._region, MAPPING):
                place = {"after": after, "attempts": attempts}
                self._service.kept.put(self._region, CHECKPOINT, mapping["UUID"], place)

    def _next(self, mapping: Mapping[str, Any]) -> list[Record]:
        """The records behind the checkpoint that one batch takes."""
        with dynamodb.requests:  # what a request has not yet committed is not there
            shard = rules.shard_of(mapping["EventSourceArn"])
            if shard is None:
                return []
            start = max(0, self._checkpoint(mapping)["after"] + 1 - shard.starting_sequence_number)
            found = [each.record for each in shard.items[start : start + mapping["BatchSize"]]]
        records: list[Record] = []
        size = 0
        for each in found:
            record = event_record(mapping, each)
            size += len(json.dumps(record))
            if records and size > FULL_BYTES:
                break
            records.append(record)
        return records

    def _deliver(self, mapping: Mapping[str, Any], records: list[Record]) -> bool:
        """Until the function has taken all of them, or they are given up. False when the poller has to stop."""
        attempts = int(self._checkpoint(mapping)["attempts"])
        while records:
            records = self._without_expired(mapping, records, attempts)
            if not records:
                break
            outcome = self._invoke(mapping, records)
            if outcome is None or self._context.outbox.stopping:
                return False
            again = responses.failed(mapping, outcome, [_sequence(record) for record in records])
            self._result(mapping, "PROBLEM: Function call failed" if again else "OK")
            if not again:
                break
            first = next(at for at, record in enumerate(records) if _sequence(record) in again)
            if first:
                records = records[first:]
                attempts = 0
                self._advance(mapping, _number(records[0]) - 1)
                continue
            if mapping["BisectBatchOnFunctionError"] and len(records) > 1:
                middle = len(records) // 2
                if not self._deliver(mapping, records[:middle]):
                    return False
                self._advance(mapping, _number(records[middle]) - 1)
                records, attempts = records[middle:], 0
                continue
            attempts += 1
            if 0 <= mapping["MaximumRetryAttempts"] < attempts:
                self._give_up(mapping, records, "RetryAttemptsExhausted", attempts, outcome)
                break
            self._advance(mapping, _number(records[0]) - 1, attempts)
            if self._stop.wait(min(FIRST_RETRY_SECONDS * 2 ** (attempts - 1), MOST_RETRY_SECONDS)):
                return False
        return True

    def _without_expired(self, mapping: Mapping[str, Any], records: list[Record], attempts: int) -> list[Record]:
        most = mapping["MaximumRecordAgeInSeconds"]
        if most < 0:
            return records
        old = [record for record in records if time.time() - _created(record) > most]
        if old:
            self._give_up(mapping, old, "RecordAgeExceeded", attempts, None)
        return records[len(old) :]

    def _invoke(self, mapping: Mapping[str, Any], records: list[Record]) -> Outcome | None:
        """None when the poller has to stop, or the function is gone."""
        payload = json.dumps({"Records": records})
        while not self._stop.is_set():
            target = self._service.find(mapping["FunctionArn"])
            if target is None:
                return None
            try:
                if not target.pending:
                    return self._service.invoke(target, Invocation(payload, mapping["FunctionArn"]))
            except Throttled:
                log.info("event source mapping %s: throttled", mapping["UUID"])
            self._stop.wait(POLL_SECONDS)
        return None

    def _give_up(
        self, mapping: Mapping[str, Any], records: list[Record], condition: str, attempts: int, outcome: Outcome | None
    ) -> None:
        log.warning("event source mapping %s: %d records: %s", mapping["UUID"], len(records), condition)
        destination = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        target = self._service.find(mapping["FunctionArn"])
        if not destination or target is None:
            return
        action = ACTIONS[destination.split(":")[2]][0].lower()
        refusal = roles.refusal(target.spec.role, target.spec.name, action, destination)
        if refusal:
            log.warning("event source mapping %s: %s", mapping["UUID"], refusal)
            return
        body = failure_record(mapping, records, condition, attempts, outcome, target)
        send(self._context, destination, json.dumps(body))

    def _result(self, mapping: Mapping[str, Any], text: str) -> None:
        kept = self._service.kept
        with kept.lock, self._context.database.transaction():
            item = kept.all(self._region, MAPPING).get(mapping["UUID"])
            if item is not None and item.get("LastProcessingResult") != text:
                item["LastProcessingResult"] = text
                kept.put(self._region, MAPPING, mapping["UUID"], item)


def failure_record(
    mapping: Mapping[str, Any],
    records: list[Record],
    condition: str,
    attempts: int,
    outcome: Outcome | None,
    target: AsyncTarget,
) -> dict[str, Any]:
    """What the on-failure destination gets, as recorded on AWS: where the records are, and not what is in them."""
    body: dict[str, Any] = {
        "requestContext": {
            "requestId": outcome.request_id if outcome is not None else "",
            "functionArn": mapping["FunctionArn"],
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "version": "1.0",
        "timestamp": _iso(time.time(), "milliseconds"),
        "DDBStreamBatchInfo": {
            "shardId": rules.shard_of(mapping["EventSourceArn"]).id,
            "startSequenceNumber": _sequence(records[0]),
            "endSequenceNumber": _sequence(records[-1]),
            "approximateArrivalOfFirstRecord": _iso(_created(records[0]), "seconds"),
            "approximateArrivalOfLastRecord": _iso(_created(records[-1]), "seconds"),
            "batchSize": len(records),
            "streamArn": mapping["EventSourceArn"],
        },
    }
    if outcome is not None:
        body["responseContext"] = {"statusCode": 200, "executedVersion": target.spec.version}
        if outcome.error:
            body["responseContext"]["functionError"] = "Unhandled"
    return body


def event_record(mapping: Mapping[str, Any], record: Mapping[str, Any]) -> Record:
    """A stream's record as a function gets it: times are seconds, bytes are base64."""
    change: dict[str, Any] = {}
    for name, value in record["dynamodb"].items():
        if name == "ApproximateCreationDateTime":
            change[name] = float(int(value.replace(tzinfo=value.tzinfo or UTC).timestamp()))
        else:
            change[name] = _plain(value)
    return {**record, "dynamodb": change, "eventSourceARN": mapping["EventSourceArn"]}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | set | tuple) else value


def _sequence(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def _number(record: Record) -> int:
    return int(_sequence(record))


def _created(record: Record) -> float:
    return float(record["dynamodb"]["ApproximateCreationDateTime"])


def _iso(when: float, timespec: str) -> str:
    return datetime.fromtimestamp(when, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
