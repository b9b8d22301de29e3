"""Event source mappings: queues and streams are read in the background, retried, and given up as on AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_helpers import ACCOUNT, OWN_LOGS, REGION, Queue, new_role, queue_arn, until

# What it gets is sent on; what it is told to is failed on, or takes long.
CODE = """
import json, os, time, boto3
sqs, dynamodb = boto3.client("sqs"), boto3.client("dynamodb")

def text(record):
    return record["body"] if "body" in record else record["dynamodb"]["Keys"]["id"]["S"]

def identifier(record):
    return record["messageId"] if "body" in record else record["dynamodb"]["SequenceNumber"]

def handler(event, context):
    texts = [text(record) for record in event["Records"]]
    if "list" in os.environ.get("CALLS", ""):
        dynamodb.describe_table(TableName=os.environ["TABLE"])
    time.sleep(float(os.environ.get("SLEEP", "0")))
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps([texts, event["Records"][0]]))
    bad = [identifier(record) for record in event["Records"] if text(record).startswith("bad")]
    if bad and os.environ.get("REPORT"):
        return {"batchItemFailures": [{"itemIdentifier": each} for each in bad]}
    if bad:
        raise ValueError("bad")
"""
SECONDS = 60.0  # a machine that does other things, too
ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
STREAM = ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams", "DescribeTable")


@pytest.fixture(scope="module")
def reader(client: Callable[..., Any]) -> str:
    """A role that may read the sources of these tests."""
    return new_role(
        client("iam"),
        "test-event-sources",
        *OWN_LOGS,
        *((f"sqs:{action}", queue_arn("source-*")) for action in ACTIONS),
        *((f"dynamodb:{action}", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/source-*") for action in STREAM),
        ("sqs:SendMessage", queue_arn("seen-*")),
        ("sqs:SendMessage", queue_arn("failed-*")),
    )


@pytest.fixture
def function(deploy: Callable[..., str], reader: str, queue: Queue) -> Callable[..., str]:
    def make(timeout: int = 5, **variables: str) -> str:
        environment = {"Variables": {"QUEUE_URL": queue.url, **variables}}
        return deploy(CODE, Role=reader, Timeout=timeout, Environment=environment)

    return make


@pytest.fixture
def mapped(client: Callable[..., Any]) -> Iterator[Callable[..., str]]:
    """``mapped(function, source, BatchSize=1)`` makes a mapping, waits until it is enabled, and gives its UUID."""
    functions, made = client("lambda"), []

    def make(function: str, source: str, **settings: Any) -> str:
        answer = functions.create_event_source_mapping(FunctionName=function, EventSourceArn=source, **settings)
        assert answer["State"] == "Creating"
        made.append(answer["UUID"])
        wanted = "Enabled" if settings.get("Enabled", True) else "Disabled"
        until(lambda: functions.get_event_source_mapping(UUID=answer["UUID"])["State"] == wanted)
        return str(answer["UUID"])

    yield make
    for identity in made:
        functions.delete_event_source_mapping(UUID=identity)


@pytest.fixture
def source(client: Callable[..., Any], unique: str) -> Callable[..., tuple[str, str]]:
    """(URL, ARN) of a queue with these attributes."""

    def make(name: str = "a", **attributes: str) -> tuple[str, str]:
        full = f"source-{name}-{unique}"
        settings = {"VisibilityTimeout": "5", **attributes}
        return client("sqs").create_queue(QueueName=full, Attributes=settings)["QueueUrl"], queue_arn(full)

    return make


@pytest.fixture
def table(client: Callable[..., Any], unique: str) -> Iterator[tuple[str, str]]:
    """(name, ARN of its stream)."""
    name, dynamodb = f"source-{unique}", client("dynamodb")
    made = dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    yield name, made["TableDescription"]["LatestStreamArn"]
    dynamodb.delete_table(TableName=name)


def put(client: Callable[..., Any], table: str, *identities: str) -> None:
    for each in identities:
        client("dynamodb").put_item(TableName=table, Item={"id": {"S": each}})


def texts(queue: Queue, count: int, seconds: float = SECONDS) -> list[list[str]]:
    return [body[0] for body in queue.messages(count, seconds)]


def test_a_message_is_delivered_in_the_background_and_deleted(
    client: Any, function: Any, mapped: Any, source: Any, queue: Queue
) -> None:
    """[Lambda developer guide, "Using Lambda with Amazon SQS"]"""
    sqs, (url, arn) = client("sqs"), source(VisibilityTimeout="60")
    mapped(function(timeout=60, SLEEP="2"), arn)
    began = time.monotonic()
    attribute = {"a": {"DataType": "String", "StringValue": "1"}}
    sqs.send_message(QueueUrl=url, MessageBody="one", MessageAttributes=attribute)
    assert time.monotonic() - began < 2
    ((seen, record),) = queue.messages(1, SECONDS)
    assert seen == ["one"]
    assert (record["eventSource"], record["eventSourceARN"], record["awsRegion"]) == ("aws:sqs", arn, REGION)
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["a"]["stringValue"] == "1"
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def left() -> set[str]:
        return set(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values())

    until(lambda: left() == {"0"})


def test_a_batch_waits_for_its_window_and_a_filter_drops_messages(
    client: Any, function: Any, mapped: Any, source: Any, queue: Queue
) -> None:
    """[Lambda developer guide, "Batching behavior"; "Control which events Lambda sends to your function"]"""
    url, arn = source(VisibilityTimeout="30")
    wanted = {"Filters": [{"Pattern": json.dumps({"body": {"size": [{"numeric": [">", 1]}]}})}]}
    mapped(function(timeout=30), arn, BatchSize=20, MaximumBatchingWindowInSeconds=2, FilterCriteria=wanted)
    bodies = [json.dumps({"size": size}) for size in (1, 2, 3)] + ["no json"]
    for body in bodies:
        client("sqs").send_message(QueueUrl=url, MessageBody=body)
    assert texts(queue, 1) == [bodies[1:3]]
    assert texts(queue, 1, seconds=1.5) == []


def test_what_a_function_fails_on_comes_back_and_ends_in_the_dead_letter_queue(
    client: Any, function: Any, mapped: Any, source: Any, queue: Queue, make_queue: Callable[[str], Queue]
) -> None:
    """[Lambda developer guide, "Handling errors for an SQS event source": partial batch responses]"""
    dead = make_queue("dead")
    redrive = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 2})
    url, arn = source(VisibilityTimeout="3", RedrivePolicy=redrive)
    name = function(timeout=3, REPORT="1")
    client("lambda").invoke(FunctionName=name, Payload=b'{"Records": []}')  # a cold start could outlast the visibility
    mapped(name, arn, FunctionResponseTypes=["ReportBatchItemFailures"])
    entries = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(("good", "bad"))]
    client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    seen = [text for batch in texts(queue, 3, seconds=8) for text in batch]
    assert sorted(seen) == ["bad", "bad", "good"]
    found: list[str] = []

    def buried() -> bool:
        answer = client("sqs").receive_message(QueueUrl=dead.url)
        found.extend(message["Body"] for message in answer.get("Messages", []))
        return bool(found)

    until(buried)
    assert found == ["bad"]


def test_a_mapping_that_is_disabled_reads_nothing(
    client: Any, function: Any, mapped: Any, source: Any, queue: Queue
) -> None:
    url, arn = source()
    identity = mapped(function(), arn, Enabled=False)
    client("sqs").send_message(QueueUrl=url, MessageBody="later")
    assert texts(queue, 1, seconds=1.5) == []
    assert client("lambda").update_event_source_mapping(UUID=identity, Enabled=True)["State"] == "Updating"
    assert texts(queue, 1) == [["later"]]


def test_what_a_mapping_may_not_be_is_refused(
    client: Any, function: Any, deploy: Any, source: Any, mapped: Any, table: tuple[str, str]
) -> None:
    functions, (_, arn), name = client("lambda"), source(VisibilityTimeout="3"), function(timeout=3)

    def refused(message: str, kind: str = "InvalidParameterValueException", **request: Any) -> None:
        with pytest.raises(ClientError, match=rf"\({kind}\).*{message}"):
            functions.create_event_source_mapping(**{"FunctionName": name, "EventSourceArn": arn, **request})

    refused("Function does not exist", FunctionName="absent")
    refused("Unrecognized event source", EventSourceArn="")
    refused("Queue visibility timeout: 3 seconds is less than Function timeout: 5 seconds", FunctionName=function())
    refused("does not have permissions to call ReceiveMessage on SQS", FunctionName=deploy("def handler(e, c): 1"))
    refused("greater than 0 if maximum batch size is greater than 10", BatchSize=11)
    refused("Invalid filter pattern definition", FilterCriteria={"Filters": [{"Pattern": "no"}]})
    refused("Unsupported DestinationConfig", DestinationConfig={"OnFailure": {"Destination": arn}})
    refused("startingPosition", EventSourceArn=table[1])
    refused("Unsupported starting position", EventSourceArn=table[1], StartingPosition="AT_TIMESTAMP")
    refused("Stream not found", EventSourceArn=f"{table[1]}0", StartingPosition="LATEST")
    parallel = {"StartingPosition": "LATEST", "ParallelizationFactor": 2}
    refused("NOT_SUPPORTED: a ParallelizationFactor above 1", EventSourceArn=table[1], **parallel)
    mapped(name, arn)
    refused("already exists", "ResourceConflictException")


def test_a_stream_is_read_in_order_by_a_function_that_calls_dynamodb(
    client: Any, function: Any, mapped: Any, table: tuple[str, str], queue: Queue
) -> None:
    """[Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB"]"""
    name, stream = table
    put(client, name, "before")
    mapped(function(CALLS="list", TABLE=name), stream, StartingPosition="LATEST", BatchSize=2)
    began = time.monotonic()
    put(client, name, "a", "b", "c")
    client("dynamodb").update_item(
        TableName=name,
        Key={"id": {"S": "a"}},
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": "1"}},
    )
    put(client, name, "b")  # changes nothing
    client("dynamodb").delete_item(TableName=name, Key={"id": {"S": "c"}})
    assert time.monotonic() - began < 5
    found: list[tuple[list[str], dict[str, Any]]] = []
    until(lambda: found.extend(queue.messages(1, 1)) or sum(len(each[0]) for each in found) == 5)  # type: ignore[func-returns-value]
    assert [text for each in found for text in each[0]] == ["a", "b", "c", "a", "c"]
    first = found[0][1]
    assert (first["eventName"], first["eventSource"], first["eventSourceARN"]) == ("INSERT", "aws:dynamodb", stream)
    assert first["dynamodb"]["NewImage"] == {"id": {"S": "a"}}
    assert isinstance(first["dynamodb"]["ApproximateCreationDateTime"], float)


def test_a_batch_of_a_stream_is_retried_split_and_given_up(
    client: Any,
    function: Any,
    mapped: Any,
    table: tuple[str, str],
    queue: Queue,
    make_queue: Callable[[str], Queue],
) -> None:
    """[Lambda developer guide, "Retain discarded records": RetryAttemptsExhausted]"""
    (name, stream), failed = table, make_queue("failed")
    put(client, name, "a", "bad", "c")
    mapped(
        function(),
        stream,
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=1,
        BisectBatchOnFunctionError=True,
        DestinationConfig={"OnFailure": {"Destination": failed.arn}},
    )
    (record,) = failed.messages(1, SECONDS)
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["DDBStreamBatchInfo"]["batchSize"] == 1
    assert record["DDBStreamBatchInfo"]["streamArn"] == stream
    put(client, name, "d")
    seen = texts(queue, 8, seconds=3)
    assert ["a", "bad", "c"] in seen
    assert seen.count(["bad"]) == 2
    assert ["c"] in seen
    assert seen[-1] == ["d"]


def test_a_function_reads_a_stream_as_far_as_its_role_may(client: Any, deploy: Any, reader: str, table: Any) -> None:
    """[Service Authorization Reference, DynamoDB: the stream is the resource of GetRecords]"""
    code = """
import boto3
streams = boto3.client("dynamodbstreams")
def handler(stream, context):
    shard = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return len(streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"])
"""
    name, stream = table
    put(client, name, "a", "b")
    answers = [
        json.loads(client("lambda").invoke(FunctionName=each, Payload=json.dumps(stream))["Payload"].read())
        for each in (deploy(code, Role=reader), deploy(code))
    ]
    assert answers[0] == 2
    assert "not authorized to perform: dynamodb:DescribeStream" in answers[1]["errorMessage"]


def test_a_failed_transaction_writes_no_record(client: Any, table: tuple[str, str]) -> None:
    """[DynamoDB developer guide, "Change data capture for DynamoDB Streams"]"""
    name, stream = table
    streams, dynamodb = client("dynamodbstreams"), client("dynamodb")
    put(client, name, "a")
    operations = [
        {"Put": {"TableName": name, "Item": {"id": {"S": "b"}}}},
        {"Put": {"TableName": name, "Item": {"id": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(id)"}},
    ]
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        dynamodb.transact_write_items(TransactItems=operations)
    shard = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in records] == ["a"]
