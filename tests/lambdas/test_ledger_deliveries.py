"""The ledger under deliveries that are late, doubled, out of order, or cut short."""

from __future__ import annotations

import random
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from landing_events import TABLE, ZONE, bridge_event, record_event

VERSIONS = [("v1", "a"), ("v2", "b"), ("v3", "a"), ("v4", "a"), ("v5", "c"), ("v6", "c")]


def deliver(ledger: Any, event: dict[str, Any]) -> Any:
    from lakectl.core import s3_events

    (landing,) = s3_events.landings(event, ZONE)
    return ledger.record(landing)


@pytest.mark.parametrize("seed", range(12))
def test_any_order_of_late_and_doubled_events_gives_the_same_ledger(ledger, rows, seed) -> None:
    shuffled = random.Random(seed)
    count = shuffled.randint(2, len(VERSIONS))
    events = []
    for number, (version, etag) in enumerate(VERSIONS[:count], start=1):
        fields = {"version": version, "etag": etag, "sequencer": f"{number:02X}"}
        time = f"2026-11-24T10:00:0{number}"
        events += [record_event(time=f"{time}.000Z", **fields), bridge_event(time=f"{time}Z", **fields)]
    events += shuffled.choices(events, k=3)
    shuffled.shuffle(events)
    for event in events:
        deliver(ledger, event)
    found = {item["version_id"]: item for item in rows("SRC#")}
    assert sorted(found) == [version for version, _ in VERSIONS[:count]]
    pending = [item for item in found.values() if item["load_status"] == "PENDING"]
    assert [item["etag"] for item in pending] == [VERSIONS[count - 1][1]]
    assert [item["sk"] for item in rows("PENDING#")] == [item["sk"] for item in pending]


def test_a_version_has_its_number_whatever_landed_after_it(ledger) -> None:
    """S3 tells times in seconds: the number is what puts the versions of one second in order, also when an older one is
    read once more."""
    entries = [
        deliver(ledger, record_event(version=version, etag=version, sequencer=f"{number:02X}"))
        for number, version in enumerate(("v1", "v2", "v3"), start=1)
    ]
    assert [ledger.number_of(entry.landing) for entry in entries] == [1, 2, 3]


def test_a_late_event_does_not_touch_what_is_loaded(ledger, rows) -> None:
    entry = deliver(ledger, record_event())
    ledger.claim(entry, "jr_1")
    ledger.loaded(entry, "jr_1", snapshot_id="7", rows=3)
    before = rows("SRC#")
    for _ in range(3):
        assert not deliver(ledger, bridge_event(time="2026-11-24T10:00:01Z")).is_new
    assert rows("SRC#") == before
    assert rows("PENDING#") == []


def test_without_versions_a_late_event_does_not_bring_back_what_is_loaded(ledger, rows) -> None:
    """The guard is called "null" for all overwrites, so it knows the last one only."""
    first = bridge_event(version="", etag="a", time="2026-11-24T10:00:00Z")
    entry = deliver(ledger, first)
    ledger.claim(entry, "jr_1")
    ledger.loaded(entry, "jr_1", snapshot_id="7", rows=3)
    deliver(ledger, bridge_event(version="", etag="b", time="2026-11-24T10:05:00Z"))
    again = deliver(ledger, first)
    assert (again.is_new, again.load_status) == (False, "LOADED")
    assert {item["etag"]: item["load_status"] for item in rows("SRC#")} == {"a": "LOADED", "b": "PENDING"}


def test_killed_between_its_write_and_its_answer_the_next_delivery_finishes_the_work(ledger, rows) -> None:
    deliver(ledger, record_event(version="v1", etag="a", sequencer="01"))

    def killed(_guards: Any) -> None:
        raise SystemExit

    second = record_event(version="v2", etag="b", sequencer="02")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "_settle", killed)
        with pytest.raises(SystemExit):
            deliver(ledger, second)
    assert not deliver(ledger, second).is_new
    assert {item["version_id"]: item["load_status"] for item in rows("SRC#")} == {"v1": "SUPERSEDED", "v2": "PENDING"}


class Throttle:
    """Answers the first ``times`` requests of an operation as a throttled DynamoDB does, below boto3's retries."""

    def __init__(self, client: Any, operation: str, times: int, code: str = "ThrottlingException") -> None:
        self.left = times
        answer = client._endpoint._do_get_response

        def throttled(request: Any, model: Any, context: Any) -> Any:
            if model.name != operation or not self.left:
                return answer(request, model, context)
            self.left -= 1
            error = {"Code": code, "Message": "Rate exceeded"}
            response = AWSResponse(request.url, 400, {}, None)
            response._content = b"{}"
            return (response, {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}), None

        client._endpoint._do_get_response = throttled


@pytest.mark.parametrize("operation", ["TransactWriteItems", "Query", "GetItem"])
@pytest.mark.parametrize("code", ["ThrottlingException", "ProvisionedThroughputExceededException"])
def test_throttling_is_waited_out(ledger, rows, operation, code) -> None:
    throttle = Throttle(ledger._table.client, operation, 2, code)
    assert deliver(ledger, record_event()).is_new
    assert not deliver(ledger, bridge_event()).is_new
    assert throttle.left == 0
    assert len(rows("SRC#")) == 1


def test_throttling_without_an_end_is_an_error_and_nothing_is_half_written(rows) -> None:
    from lakectl.core.ledger import Ledger

    client = boto3.client("dynamodb", config=Config(retries={"mode": "standard", "total_max_attempts": 2}))
    Throttle(client, "TransactWriteItems", 99)
    with pytest.raises(ClientError, match="ThrottlingException"):
        deliver(Ledger(TABLE, client), record_event())
    assert rows("") == []
    assert deliver(Ledger(TABLE), record_event()).is_new
