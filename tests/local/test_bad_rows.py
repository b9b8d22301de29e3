"""A row of the state that can't be read is quarantined, with what depends on it; everything else is there."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_helpers import kill, new_bucket, until

from lakectl.local import control
from lakectl.local.durable.database import FILE_NAME

Client = Callable[[str], Any]
GARBAGE = b"\x80\x05garbage"
KINDS = ("s3-bucket", "s3-version", "s3-upload", "s3-part", "dynamodb-table", "dynamodb-item", "dynamodb-rest")
KINDS += ("part", "log-events", "sqs-message", "athena-execution", "schedule", "iam-used-action", "outbox")


def run(own_state: Path, statement: str, *values: Any) -> list[Any]:
    connection = sqlite3.connect(own_state / "state" / FILE_NAME, isolation_level=None)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def start() -> list[str]:
    """Start the server. Returns what the user is told meanwhile."""
    said: list[str] = []
    control.ensure_running(progress=said.append)
    return [line for line in said if "quarantined" in line]


def make(aws: Client, name: str) -> None:
    """Two of each, so that one can be bad and the other good."""
    s3 = new_bucket(aws, name)
    for key in ("first", "second"):
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
        upload = s3.create_multipart_upload(Bucket=name, Key=key)["UploadId"]
        s3.upload_part(Bucket=name, Key=key, UploadId=upload, PartNumber=1, Body=b"part")
    aws("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for key in ("first", "second"):
        aws("dynamodb").put_item(TableName=name, Item={"pk": {"S": key}})
    aws("glue").create_database(DatabaseInput={"Name": name})
    url = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    aws("logs").create_log_group(logGroupName=name)
    for key in ("first", "second"):
        aws("glue").create_table(DatabaseName=name, TableInput={"Name": key})
        aws("sqs").send_message(QueueUrl=url, MessageBody=key)
        aws("logs").create_log_stream(logGroupName=name, logStreamName=key)
        event = {"timestamp": int(time.time() * 1000), "message": key}
        aws("logs").put_log_events(logGroupName=name, logStreamName=key, logEvents=[event])


def spoil(own_state: Path, kind: str, scope: str = "%") -> None:
    """Make the last row of a kind unreadable; of log events the first, as nobody reads those of a bad stream."""
    which = "min" if kind == "log-events" else "max"
    row = run(own_state, f"SELECT {which}(seq) FROM state WHERE kind = ? AND scope LIKE ?", kind, scope)[0][0]
    run(own_state, "UPDATE state SET value = ? WHERE seq = ?", GARBAGE, row)


def quarantined(own_state: Path) -> list[tuple[str, str]]:
    return run(own_state, "SELECT kind, scope FROM quarantined ORDER BY seq")


def test_one_bad_row_of_each_kind_stops_no_start(aws: Client, own_state: Path) -> None:
    """Item 12: each bad row is quarantined, the user is told once, and what is good is there."""
    make(aws, "good-one")
    make(aws, "bad-one")
    aws("events").put_rule(Name="rule", ScheduleExpression="rate(1 day)")
    to = {"OutputLocation": "s3://good-one/results/"}
    aws("athena").start_query_execution(QueryString="SELECT 1", ResultConfiguration=to)
    until(lambda: bool(run(own_state, "SELECT 1 FROM state WHERE kind = 'schedule'")))
    control.stop()
    for kind in ("iam-used-action", "outbox"):
        run(own_state, "INSERT INTO state (kind, scope, id, value) VALUES (?, 's', 'i', ?)", kind, GARBAGE)
    for kind in KINDS:
        spoil(own_state, kind)

    said = start()

    found = quarantined(own_state)
    assert set(KINDS) == {kind for kind, _ in found}
    assert said == [f"{len(found)} rows of the state can't be read and are quarantined: see {own_state / 'server.log'}"]
    s3 = aws("s3")
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["good-one"]
    assert s3.get_object(Bucket="good-one", Key="second")["Body"].read() == b"second"
    assert len(s3.list_multipart_uploads(Bucket="good-one")["Uploads"]) == 2
    assert aws("dynamodb").list_tables()["TableNames"] == ["good-one"]
    assert len(aws("dynamodb").scan(TableName="good-one")["Items"]) == 2
    new_bucket(aws, "bad-one").put_object(Bucket="bad-one", Key="k", Body=b"new")  # its name is free
    assert quarantined(own_state) == found
    kill()
    told = start()
    assert quarantined(own_state) == found
    assert told == []
    assert aws("s3").get_object(Bucket="bad-one", Key="k")["Body"].read() == b"new"


def test_a_bad_row_takes_its_neighbours_with_it_only_where_it_must(aws: Client, own_state: Path) -> None:
    """Item 12: of a bucket, table, queue, log group or database one object each can't be read; the others can. The
    bytes of what is quarantined are kept.
    """
    control.stop()
    control.reset()
    make(aws, "mixed")
    control.stop()
    for kind in ("s3-version", "s3-part", "dynamodb-item", "sqs-message"):
        spoil(own_state, kind)
    for kind in ("LogStream", "FakeTable"):
        (row,) = run(own_state, "SELECT max(seq) FROM state WHERE kind = 'part' AND instr(value, ?)", kind.encode())
        run(own_state, "UPDATE state SET value = ? WHERE seq = ?", GARBAGE, row[0])
    bodies = sorted((own_state / "state" / "bodies").glob("??/*"))

    start()

    assert len(quarantined(own_state)) == 6
    s3 = aws("s3")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="mixed")["Contents"]] == ["first"]
    assert len(s3.list_multipart_uploads(Bucket="mixed")["Uploads"]) == 2
    assert aws("dynamodb").scan(TableName="mixed")["Items"] == [{"pk": {"S": "first"}}]
    assert [each["Name"] for each in aws("glue").get_tables(DatabaseName="mixed")["TableList"]] == ["first"]
    streams = aws("logs").describe_log_streams(logGroupName="mixed")["logStreams"]
    assert [each["logStreamName"] for each in streams] == ["first"]
    url = aws("sqs").get_queue_url(QueueName="mixed")["QueueUrl"]
    messages = aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [each["Body"] for each in messages] == ["first"]
    assert sorted((own_state / "state" / "bodies").glob("??/*")) == bodies


def test_a_backend_that_cannot_be_read_is_empty(aws: Client, own_state: Path) -> None:
    """Item 12: the service works; other services have lost nothing."""
    control.stop()
    control.reset()
    make(aws, "backend")
    control.stop()
    spoil(own_state, "backend", "glue/%")

    start()

    assert {scope.split("/")[0] for _, scope in quarantined(own_state)} == {"glue"}
    assert aws("glue").get_databases()["DatabaseList"] == []
    aws("glue").create_database(DatabaseInput={"Name": "again"})
    assert aws("sqs").get_queue_url(QueueName="backend")
    kill()
    assert start() == []
    assert [each["Name"] for each in aws("glue").get_databases()["DatabaseList"]] == ["again"]
