"""A name that was deleted a moment ago: AWS refuses it for a while, `up` waits and says what for."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from fault_lakes import Subject, connect
from recording_proxy import Answer, Call, Proxy, json_error, xml_error

from lakectl.engine.apply import Event
from lakectl.ops import provision

REFUSED_S = 1.5
QUEUE_GONE = json_error(
    "QueueDeletedRecently", "You must wait 60 seconds after deleting a queue before you can create another of its name."
)
BUCKET_BUSY = xml_error("OperationAborted", "A conflicting conditional operation is in progress.", 409)


def is_queue(call: Call) -> bool:
    return call.operation == "CreateQueue"


def is_bucket(call: Call) -> bool:
    return (
        call.service == "s3" and call.path.count("/") == 1 and call.operation.startswith("PUT") and "?" not in call.path
    )


def refuse(proxy: Proxy, which: Callable[[Call], bool], answer: Answer) -> None:
    """Answer ``which`` with ``answer`` until 1.5 s after its first call."""
    until = 0.0

    def before(call: Call) -> Answer | None:
        nonlocal until
        if not which(call):
            return None
        until = until or time.monotonic() + REFUSED_S
        return answer if time.monotonic() < until else None

    proxy.before = before


@pytest.mark.parametrize(
    ("which", "answer", "kind", "says"),
    [
        pytest.param(is_queue, QUEUE_GONE, "sqs-queue", "SQS to release the name", marks=pytest.mark.long),
        pytest.param(is_bucket, BUCKET_BUSY, "s3-bucket", "S3 to finish deleting", marks=pytest.mark.long),
    ],
)
def test_up_waits_for_a_name_that_was_just_deleted_and_says_what_for(
    subject: Subject, proxy: Proxy, which: Callable[[Call], bool], answer: Answer, kind: str, says: str
) -> None:
    refuse(proxy, which, answer)
    lake = subject.lake(connect(subject.endpoint, proxy.url))
    events: list[Event] = []
    result = provision.up(lake, provision.plan(lake), events.append)
    assert result.ok, {key: error.message for key, error in result.failed.items()}
    waiting = [event for event in events if event.outcome == "waiting"]
    assert {event.step.resource.kind for event in waiting} == {kind}
    assert all(says in event.waiting_for for event in waiting)
    subject.assert_complete()


def test_a_real_up_shows_what_it_waits_for(subject: Subject, proxy: Proxy) -> None:
    refuse(proxy, is_queue, QUEUE_GONE)
    ended = subject.run(proxy.url, "up")
    assert ended.returncode == 0, ended.stdout
    name = subject.lake().names.dead_letter_queue
    assert f"sqs-queue {name} waits for SQS to release the name" in ended.stdout
    subject.assert_complete()


def test_down_and_up_at_once_converge(subject: Subject) -> None:
    subject.assert_converges_up()
    subject.assert_converges_down()
    subject.assert_converges_up()
