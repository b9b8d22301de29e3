"""What was acknowledged reaches the function, though the server is killed before that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from local_helpers import ACCOUNT, OWN_LOGS, REGION, Queue, kill, new_role, queue_arn, settled, zipped
from test_event_sources import ACTIONS, CODE, SECONDS, STREAM

Client = Callable[[str], Any]


@pytest.mark.long  # 9 s
def test_messages_and_records_outlive_a_kill(aws: Client) -> None:
    """A mapping, its place in its stream, the records behind it, and messages that a killed function had received."""
    role = new_role(
        aws("iam"),
        "reader",
        *OWN_LOGS,
        *((f"sqs:{action}", queue_arn("*")) for action in (*ACTIONS, "SendMessage")),
        *((f"dynamodb:{action}", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/*") for action in STREAM),
    )
    seen = Queue(aws("sqs"), "seen")
    url = aws("sqs").create_queue(QueueName="source", Attributes={"VisibilityTimeout": "10"})["QueueUrl"]
    stream = aws("dynamodb").create_table(
        TableName="source",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )["TableDescription"]["LatestStreamArn"]
    functions = aws("lambda")
    for name, source, settings in (
        ("of-queue", queue_arn("source"), {}),
        ("of-stream", stream, {"StartingPosition": "LATEST"}),
    ):
        functions.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="handler.handler",
            Role=role,
            Timeout=10,
            Code={"ZipFile": zipped(CODE)},
            Environment={"Variables": {"QUEUE_URL": seen.url, "SLEEP": "2"}},
        )
        settled(functions, name)
        functions.create_event_source_mapping(FunctionName=name, EventSourceArn=source, BatchSize=1, **settings)
    aws("sqs").send_message(QueueUrl=url, MessageBody="message")
    for each in ("one", "two"):
        aws("dynamodb").put_item(TableName="source", Item={"id": {"S": each}})
    kill()
    again = Queue(aws("sqs"), "seen")
    bodies: list[str] = []
    while {"message", "one", "two"} - set(bodies):
        found = again.messages(1, SECONDS)
        assert found, bodies
        bodies += found[0][0]
    assert bodies.index("one") < bodies.index("two")
    aws("dynamodb").put_item(TableName="source", Item={"id": {"S": "three"}})
    while "three" not in bodies:
        bodies += again.messages(1, SECONDS)[0][0]
