"""What nobody could handle is kept, shown, and sent again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from event_lakes import (
    DRAIN,
    changed_function,
    event_lake,
    orders_key,
    put,
    queued_events,
    record_event,
    rows_of,
    run_lakectl,
    settle_runs,
    wait_for,
)

from lakectl.local.control import Endpoint
from lakectl.ops.events import dead_letters
from lakectl.ops.events import replay as ops
from lakectl.ops.lake import Lake
from lakectl.resources.rule import Rule

FAILS = "\n\ndef handler(event, context):\n    raise RuntimeError('DynamoDB is away')\n"


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    with event_lake(endpoint, DRAIN.format(seconds=0)) as lake:
        yield lake


def test_what_a_function_failed_on_is_shown_and_replayed_and_the_queue_is_empty(lake: Lake, tmp_path: Path) -> None:
    keys = [f"retail/customers/ingest_date=2026-11-01/batch={n:04d}/customers.csv" for n in range(3)]
    with changed_function(lake, "log_ingestion_run", lake.names.log_function, added=FAILS):
        for key in keys:
            put(lake, key)
        wait_for(lambda: queued_events(lake) == 3, what="three events in the queue")
    assert f"3 events are in {lake.names.dead_letter_queue}" in run_lakectl(lake, "runs", "--failed", folder=tmp_path)
    letters = dead_letters.listed(lake)
    assert {letter.function for letter in letters} == {lake.names.log_function}
    assert {letter.reason for letter in letters} == {"DynamoDB is away"}
    assert sorted(letter.about.replace("%3D", "=") for letter in letters) == keys
    assert queued_events(lake) == 3, "looking takes nothing out"
    said = json.loads(run_lakectl(lake, "replay", "--json", folder=tmp_path))
    assert [each["outcome"] for each in said] == ["replayed"] * 3
    assert [len(rows_of(lake, key)) for key in keys] == [1, 1, 1]
    assert queued_events(lake) == 0
    assert ops.replay(lake) == []


def test_what_a_rule_could_not_deliver_is_replayed_to_its_target(lake: Lake) -> None:
    function, statement = lake.names.start_function, f"lakectl-{lake.names.orders_rule}"
    lambdas = lake.client("lambda")
    lambdas.remove_permission(FunctionName=function, StatementId=statement)
    key = orders_key(1)
    put(lake, key)
    wait_for(lambda: queued_events(lake) == 1, what="the event in the queue")
    (letter,) = dead_letters.listed(lake)
    assert (letter.function, letter.about) == (function, key)
    assert "NO_PERMISSIONS" in letter.reason
    assert [each.outcome for each in ops.replay(lake)] == ["replayed"]
    wait_for(lambda: [run.load_status for run in rows_of(lake, key)] == ["LOADED"] or None, what="loading")
    assert queued_events(lake) == 0
    settle_runs(lake)
    lambdas.add_permission(
        FunctionName=function,
        StatementId=statement,
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=Rule.arn_of(lake.names.place, lake.names.orders_rule),
        SourceAccount=lake.names.account,
    )


@pytest.mark.long
def test_an_event_that_fails_again_stays_in_the_queue_until_it_is_discarded(lake: Lake, tmp_path: Path) -> None:
    event = record_event(lake, "retail/customers/ingest_date=2026-11-02/customers.csv")
    del event["Records"][0]["s3"]["bucket"]
    lake.client("lambda").invoke(
        FunctionName=lake.names.log_function, InvocationType="Event", Payload=json.dumps(event).encode()
    )
    wait_for(lambda: queued_events(lake) == 1, what="the event in the queue")
    (kept,) = ops.replay(lake)
    assert (kept.outcome, kept.reason.partition(":")[0]) == ("kept", "NotRecorded")
    assert "stays in the queue: NotRecorded" in run_lakectl(lake, "replay", folder=tmp_path, code=1)
    (letter,) = dead_letters.listed(lake)
    assert "1 of 1 records not recorded" in letter.reason
    assert [each.outcome for each in ops.replay(lake, discard={letter.id})] == ["discarded"]
    assert queued_events(lake) == 0


def test_a_message_of_another_kind_is_left_alone(lake: Lake) -> None:
    sqs = lake.client("sqs")
    url = sqs.get_queue_url(QueueName=lake.names.dead_letter_queue)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="what is this?")
    (kept,) = ops.replay(lake)
    assert (kept.outcome, kept.reason) == ("kept", "it is for no function, which is not of this lake")
    ops.replay(lake, discard={kept.letter.id})


@pytest.mark.long  # 9 s
def test_replay_pages_through_more_than_one_batch(lake: Lake) -> None:
    with changed_function(lake, "log_ingestion_run", lake.names.log_function, added=FAILS):
        for number in range(37):
            put(lake, f"retail/products/ingest_date=2026-11-03/batch={number:04d}/products.csv")
        wait_for(lambda: queued_events(lake) == 37, what="37 events in the queue")
    done = ops.replay(lake)
    assert sum(each.outcome == "replayed" for each in done) == 37
    assert queued_events(lake) == 0
