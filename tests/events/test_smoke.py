"""The quick test walks each path, and names the one that is silent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from event_lakes import command, event_lake, queued_events
from lakes import bring_up
from program_process import run_program

from lakectl.local.control import Endpoint
from lakectl.ops.events import dead_letters
from lakectl.ops.events.smoke import HEARD, smoke
from lakectl.ops.lake import Lake


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    with event_lake(endpoint) as lake:
        yield lake


@pytest.fixture
def broken(lake: Lake) -> Iterator[Lake]:
    """The lake, put right again afterwards."""
    yield lake
    bring_up(lake)
    with dead_letters.opened(lake) as queue:
        for letter in queue.messages():
            queue.delete(letter)


def paths(lake: Lake) -> dict[str, str]:
    """The name of each path by a short one."""
    n = lake.names
    return {
        "log": f"S3 → {n.log_function}",
        "orders": f"S3 → EventBridge → {n.orders_rule} → {n.start_function}",
        "drain": f"{n.drain_rule} → {n.start_function}",
        "daily": f"{n.daily_rule} → {n.start_function}",
        "rules": f"rules → {n.dead_letter_queue}",
        "log failed": f"{n.log_function} → {n.dead_letter_queue}",
        "start failed": f"{n.start_function} → {n.dead_letter_queue}",
    }


def test_every_path_is_proved_and_nothing_is_left(lake: Lake) -> None:
    """Item 27: each trigger path, and failed events to the queue."""
    seen = smoke(lake, failures=True)
    assert {path.name: path.outcome for path in seen.paths} == dict.fromkeys(paths(lake).values(), "ok")
    details = {path.name: path.detail for path in seen.paths}
    assert details[paths(lake)["log failed"]] == details[paths(lake)["start failed"]] == "a failed event came"
    assert queued_events(lake) == 0
    kept = lake.client("dynamodb").query(
        TableName=lake.names.run_log,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": HEARD}},
    )
    assert kept["Items"] == []


def with_notifications(lake: Lake, style: str) -> Lake:
    landing = lake.config.landing.model_copy(update={"notifications": style})
    return replace(lake, config=lake.config.model_copy(update={"landing": landing}))


def assert_silent(lake: Lake, limit_s: float, *silent: str) -> None:
    seen = smoke(lake, limit_s)
    assert {path.name for path in seen.silent} == {paths(lake)[each] for each in silent}
    assert all(path.command.startswith("lakectl ") for path in seen.silent)


def test_all_that_is_silent_is_named(broken: Lake) -> None:
    """Item 27: both live paths, the schedule, the end of a run, and a function's failures."""
    names, events = broken.names, broken.client("events")
    broken.client("s3").put_bucket_notification_configuration(Bucket=names.raw_bucket, NotificationConfiguration={})
    events.disable_rule(Name=names.daily_rule)
    events.remove_targets(Rule=names.drain_rule, Ids=["lakectl-target"])
    broken.client("lambda").delete_function_event_invoke_config(FunctionName=names.log_function)
    assert_silent(broken, 1.0, "log", "orders", "drain", "daily", "log failed")


@pytest.mark.long  # the path that all have in common is in test_all_that_is_silent_is_named
def test_only_the_path_that_is_silent_is_named(broken: Lake) -> None:
    """Item 27: the log function hears of the file, the starter may not be invoked."""
    names = broken.names
    statement = f"lakectl-{names.orders_rule}"
    broken.client("lambda").remove_permission(FunctionName=names.start_function, StatementId=statement)
    assert_silent(broken, 8.0, "orders", "drain", "daily")


@pytest.mark.long
@pytest.mark.parametrize("style", ["single", "per-source"])
def test_a_bucket_that_tells_one_of_the_two_only(broken: Lake, style: str) -> None:
    """Item 27: the notification, and EventBridge, are switched on each by itself."""
    s3, bucket = broken.client("s3"), broken.names.raw_bucket
    bring_up(with_notifications(broken, style))
    live = s3.get_bucket_notification_configuration(Bucket=bucket)
    for kept, silent in (("EventBridgeConfiguration", "log"), ("LambdaFunctionConfigurations", "orders")):
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={kept: live[kept]})
        assert_silent(broken, 8.0, silent)


def test_the_command_says_which_path_is_silent_and_what_to_do(broken: Lake, tmp_path: Path) -> None:
    """Item 27: one line with the next command, and exit code 1."""
    broken.client("events").disable_rule(Name=broken.names.daily_rule)
    ended = run_program(*command(broken, "smoke", folder=tmp_path)[3:])
    assert ended.returncode == 1, ended.stderr
    error, hint = ended.stderr.splitlines()[-2:]
    assert error == (
        f"error: silent: {paths(broken)['daily']} (events-rule/{broken.names.daily_rule} differs in state)"
    )
    assert "lakectl up" in hint
