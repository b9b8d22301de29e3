"""EventBridge: rules match what they say, targets get what they ask for, schedules fire, failures are kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_helpers import ACCOUNT, REGION, Queue, rules_may_send

from lakectl.local import event_bus, event_input
from lakectl.local.context import LocalContext


@pytest.fixture
def rule(client: Callable[..., Any], unique: str) -> Iterator[Callable[..., str]]:
    """``rule(targets, EventPattern=...)`` makes a rule and returns its name."""
    made: list[tuple[str, list[str]]] = []
    events = client("events")

    def make(targets: list[dict[str, Any]], **settings: Any) -> str:
        name = f"rule-{unique}-{len(made)}"
        if isinstance(settings.get("EventPattern"), dict):
            settings["EventPattern"] = json.dumps(settings["EventPattern"])
        events.put_rule(Name=name, **settings)
        targets = [{"Id": str(number)} | target for number, target in enumerate(targets)]
        events.put_targets(Rule=name, Targets=targets)
        made.append((name, [target["Id"] for target in targets]))
        return name

    yield make
    for name, ids in made:
        events.remove_targets(Rule=name, Ids=ids)
        events.delete_rule(Name=name)


def put(client: Any, source: str, detail: dict[str, Any], detail_type: str = "Test") -> None:
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
    answer = client("events").put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ({"detail": {"state": ["SUCCEEDED", "FAILED"]}}, {"state": "FAILED"}, {"state": "RUNNING"}),
        ({"detail": {"key": [{"suffix": "/orders.csv"}]}}, {"key": "a/orders.csv"}, {"key": "a/test_orders.csv"}),
        ({"detail": {"key": [{"wildcard": "r/*/d=*/o.csv"}]}}, {"key": "r/x/d=1/o.csv"}, {"key": "r/x/o.csv"}),
        ({"detail": {"size": [{"numeric": [">", 0, "<=", 5]}]}}, {"size": 5}, {"size": 0}),
        ({"detail": {"a": [{"exists": False}]}}, {"b": 1}, {"a": 1}),
        ({"detail": {"a": [{"anything-but": ["x"]}]}}, {"a": "y"}, {"a": "x"}),
        ({"detail": {"o": {"k": [{"prefix": "r/"}]}}}, {"o": {"k": "r/1"}}, {"o": {"k": "s/1"}}),
    ],
)
def test_a_rule_matches_what_it_says(
    client: Any, rule: Any, queue: Queue, unique: str, pattern: Any, matching: Any, other: Any
) -> None:
    rule([{"Arn": queue.arn}], EventPattern={"source": [unique]} | pattern)
    put(client, unique, other)
    put(client, unique, matching)
    (event,) = queue.messages(2, seconds=0.8)
    assert event["detail"] == matching
    assert (event["source"], event["detail-type"], event["region"]) == (unique, "Test", REGION)


def test_a_rule_with_a_schedule_only_matches_no_event(client: Any, rule: Any, queue: Queue, unique: str) -> None:
    rule([{"Arn": queue.arn}], ScheduleExpression="rate(1 day)")
    put(client, unique, {})
    assert queue.messages(1, seconds=0.5) == []


def test_a_pattern_can_be_tried_out(client: Any) -> None:
    event = {"id": "1", "source": "a", "detail-type": "t", "account": ACCOUNT, "region": REGION, "resources": []}
    event = json.dumps(event | {"time": "2025-09-15T00:00:00Z", "detail": {"n": 1}})
    for pattern, expected in (({"source": ["a"]}, True), ({"detail": {"n": [2]}}, False)):
        answer = client("events").test_event_pattern(EventPattern=json.dumps(pattern), Event=event)
        assert answer["Result"] is expected


def test_a_disabled_rule_is_silent(client: Any, rule: Any, queue: Queue, unique: str) -> None:
    rule([{"Arn": queue.arn}], EventPattern={"source": [unique]}, State="DISABLED")
    put(client, unique, {})
    assert queue.messages(1, seconds=0.5) == []


def permit(client: Any, arn: str, source_arn: str) -> None:
    client("lambda").add_permission(
        FunctionName=arn,
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=source_arn,
    )


def test_a_function_is_reached_and_gets_the_input_it_asked_for(
    client: Any, rule: Any, recorder: str, queue: Queue, unique: str
) -> None:
    permit(client, recorder, f"arn:aws:events:{REGION}:{ACCOUNT}:rule/rule-{unique}-*")
    template = '{"why": "<why>", "keys": <keys>}'
    paths = {"why": "$.detail.why", "keys": "$.detail.keys"}
    rule(
        [
            {"Arn": recorder, "Input": '{"fixed": true}'},
            {"Arn": recorder, "InputPath": "$.detail"},
            {"Arn": recorder, "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}},
        ],
        EventPattern={"source": [unique]},
    )
    detail = {"why": 'say "hi"', "keys": ["a", "b"]}
    put(client, unique, detail)
    got = sorted(queue.messages(3), key=json.dumps)
    assert got == sorted([{"fixed": True}, detail, detail], key=json.dumps)


def test_an_event_that_cant_be_delivered_goes_to_the_dead_letter_queue(
    client: Any, rule: Any, recorder: str, queue: Queue, make_queue: Callable[[str], Queue], unique: str
) -> None:
    dead = make_queue("dead")
    gone = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:gone"
    letters = {"DeadLetterConfig": {"Arn": dead.arn}}
    name = rule([{"Arn": recorder} | letters, {"Arn": gone} | letters], EventPattern={"source": [unique]})
    put(client, unique, {"n": 1})
    found = {attributes["TARGET_ARN"]: (body, attributes) for body, attributes in dead.full_messages(2)}
    assert found[recorder][1]["ERROR_CODE"] == "NO_PERMISSIONS"
    assert found[gone][1]["ERROR_CODE"] == "RESOURCE_NOT_FOUND"
    assert found[gone][0]["detail"] == {"n": 1}
    assert found[gone][1]["RULE_ARN"].endswith(f"rule/{name}")
    assert queue.messages(1, seconds=0.3) == []


def test_a_queue_gets_what_its_policy_lets_the_rule_send(
    client: Any, rule: Any, queue: Queue, make_queue: Callable[[str], Queue], unique: str
) -> None:
    """[EventBridge user guide, "Using resource-based policies": Amazon SQS permissions]"""
    dead = make_queue("dead")
    rule([{"Arn": queue.arn, "DeadLetterConfig": {"Arn": dead.arn}}], EventPattern={"source": [unique]})
    others = rules_may_send(queue.arn).replace("StringEquals", "StringNotEquals")
    client("sqs").set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": others})
    put(client, unique, {"n": 1})
    ((event, attributes),) = dead.full_messages(1)
    assert (event["detail"], attributes["ERROR_CODE"]) == ({"n": 1}, "NO_PERMISSIONS")
    client("sqs").set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": rules_may_send(queue.arn)})
    put(client, unique, {"n": 2})
    assert [each["detail"] for each in queue.messages(1)] == [{"n": 2}]


@pytest.fixture
def context(tmp_path: Path) -> Iterator[LocalContext]:
    made = LocalContext("http://127.0.0.1:1", REGION, ACCOUNT, tmp_path, "x", "y")
    yield made
    made.background.shutdown()


def sent(context: LocalContext, monkeypatch: pytest.MonkeyPatch, errors: list[Exception]) -> tuple[list[Any], Any]:
    """Give an event to a target that fails with ``errors`` first. Returns what arrived, and the dead letter."""
    arrived: list[Any] = []
    ended, dead = threading.Event(), []

    def send(_context: Any, _rule: str, _target: Any, event: Any) -> None:
        if errors:
            raise errors.pop(0)
        arrived.append(event)
        ended.set()

    def bury(_context: Any, arn: str, body: str, attributes: dict[str, str]) -> None:
        dead.append((arn, json.loads(body), attributes))
        ended.set()

    monkeypatch.setattr(event_bus, "_send", send)
    monkeypatch.setattr(event_bus, "_send_to_queue", bury)
    monkeypatch.setattr(event_bus, "_may_send", lambda *_: True)
    monkeypatch.setattr(event_bus, "retry_delay_seconds", lambda _attempts: 0.001)
    event_bus.register(context)
    target = {"Arn": "arn:target", "DeadLetterConfig": {"Arn": "arn:dead"}, "RetryPolicy": {"MaximumRetryAttempts": 3}}
    context.outbox.post(event_bus.TARGET, rule_name="r", rule_arn="arn:r", target=target, event={"n": 1})
    assert ended.wait(10)
    return arrived, dead


def unavailable() -> ClientError:
    return ClientError(
        {"Error": {"Code": "ServiceUnavailable"}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "Publish"
    )


def test_what_may_pass_is_tried_again(context: LocalContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """[EventBridge user guide, "How EventBridge retries delivering events"]"""
    assert sent(context, monkeypatch, [unavailable() for _ in range(3)]) == ([{"n": 1}], [])


def test_after_its_retries_an_event_is_a_dead_letter(context: LocalContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """[EventBridge user guide, "Using dead-letter queues to process undelivered events": the message attributes]"""
    arrived, ((arn, event, attributes),) = sent(context, monkeypatch, [unavailable() for _ in range(4)])
    assert (arrived, arn, event) == ([], "arn:dead", {"n": 1})
    assert attributes["RETRY_ATTEMPTS"] == "3"
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"


def test_a_missing_permission_is_not_tried_again(context: LocalContext, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = event_bus.TargetError("NO_PERMISSIONS", "no")
    _, ((_, _, attributes),) = sent(context, monkeypatch, [refused])
    assert (attributes["ERROR_CODE"], attributes["RETRY_ATTEMPTS"]) == ("NO_PERMISSIONS", "0")
    assert "EXHAUSTED_RETRY_CONDITION" not in attributes


def test_an_event_between_two_tries_is_on_disk(context: LocalContext, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = threading.Event()

    def send(*_: Any) -> None:
        tried.set()
        raise unavailable()

    monkeypatch.setattr(event_bus, "_send", send)
    monkeypatch.setattr(event_bus, "retry_delay_seconds", lambda _attempts: 3600.0)
    event_bus.register(context)
    context.outbox.post(event_bus.TARGET, rule_name="r", rule_arn="a", target={"Arn": "t"}, event={"n": 1})
    assert tried.wait(10)
    deadline = time.monotonic() + 5
    while (row := json.loads(context.database.rows("outbox")[0][2])).get("attempts") != 1:
        assert time.monotonic() < deadline, row
    assert row["event"] == {"n": 1}


def test_tags_are_taken_at_creation_and_ignored_afterwards(client: Any, unique: str) -> None:
    tags = [{"Key": "lakectl:lake", "Value": "demo"}]
    name = f"tags-{unique}"
    events = client("events")
    arn = events.put_rule(Name=name, ScheduleExpression="cron(15 1 * * ? *)", Tags=tags)["RuleArn"]
    events.put_rule(Name=name, ScheduleExpression="rate(1 day)", Tags=[{"Key": "other", "Value": "x"}])
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
    events.delete_rule(Name=name)


def test_a_wrong_schedule_is_refused(client: Any) -> None:
    with pytest.raises(ClientError, match="Parameter ScheduleExpression is not valid"):
        client("events").put_rule(Name="wrong", ScheduleExpression="cron(15 1 * * * *)")


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2025, 9, 15, 1, 14, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[Any, Clock, list[Any], list[Any]]]:
    """A scheduler with a clock of ours, the rules that it sees, and what it fired."""
    context = LocalContext("http://127.0.0.1:1", REGION, ACCOUNT, tmp_path, "x", "y")
    fired: list[Any] = []
    monkeypatch.setattr(event_bus, "send_to_targets", lambda _, rule, event: fired.append((rule.name, event)))
    rules: list[Any] = []
    made = event_bus.Scheduler(context, Clock())
    monkeypatch.setattr(made, "_scheduled_rules", lambda: [(REGION, rule) for rule in rules])
    yield made, made.clock, rules, fired  # type: ignore[misc]
    context.background.shutdown()


def scheduled(name: str, expression: str, state: str = "ENABLED") -> Any:
    return SimpleNamespace(name=name, arn=f"arn:{name}", scheduled_expression=expression, state=state)


def test_schedules_fire_when_their_time_comes(scheduler: Any) -> None:
    made, clock, rules, fired = scheduler
    rules += [scheduled("daily", "cron(15 1 * * ? *)"), scheduled("often", "rate(5 minutes)")]
    rules += [scheduled("off", "rate(1 minute)", "DISABLED")]
    started = clock.now
    for second in range(12 * 60):
        clock.now = started + timedelta(seconds=second)
        made.tick()
    times = [(name, event["time"]) for name, event in fired]
    assert times == [
        ("daily", "2025-09-15T01:15:00Z"),
        ("often", "2025-09-15T01:19:30Z"),
        ("often", "2025-09-15T01:24:30Z"),
    ]
    event = fired[0][1]
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.events", "Scheduled Event", {})
    assert event["resources"] == ["arn:daily"]


def test_a_machine_that_slept_fires_once(scheduler: Any) -> None:
    made, clock, rules, fired = scheduler
    rules.append(scheduled("often", "rate(1 minute)"))
    made.tick()
    clock.now += timedelta(hours=3)
    made.tick()
    made.tick()
    assert len(fired) == 1


def test_a_rule_that_is_gone_does_not_fire(scheduler: Any) -> None:
    made, clock, rules, fired = scheduler
    rules.append(scheduled("often", "rate(1 minute)"))
    made.tick()
    rules.clear()
    clock.now += timedelta(minutes=2)
    made.tick()
    rules.append(scheduled("often", "rate(1 minute)"))
    made.tick()
    assert fired == []


RULE = "arn:aws:events:eu-west-1:123456789012:rule/r"


def test_a_template_in_quotes_gives_a_string() -> None:
    event = {"detail": {"state": "FAILED", "n": 3}}
    target = {"InputTransformer": {"InputPathsMap": {"s": "$.detail.state"}, "InputTemplate": '"job is <s>"'}}
    assert json.loads(event_input.target_input(target, event, RULE)) == "job is FAILED"
    whole = {"InputTransformer": {"InputTemplate": '{"event": <aws.events.event.json>}'}}
    assert json.loads(event_input.target_input(whole, event, RULE)) == {"event": event}


def test_a_missing_path_is_null() -> None:
    assert event_input.json_path({"a": [{"b c": 1}]}, "$.a[0]['b c']") == 1
    assert event_input.json_path({"a": 1}, "$.a.b") is None
    assert event_input.json_path({"a": []}, "$.a[0]") is None
    assert event_input.json_path({"a": 1}, "$") == {"a": 1}
