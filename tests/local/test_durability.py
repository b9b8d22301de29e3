"""What was acknowledged survives a stop and a kill; who may read it, who may not, and what it costs."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from local_helpers import kill, new_bucket, new_role, settled, until, zipped

from lakectl.errors import LakectlError
from lakectl.local import control
from lakectl.local.durable.database import FILE_NAME

PART = bytes(range(256)) * 20_480  # 5 MiB, the least that a part but the last may have

Client = Callable[[str], Any]
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}


def test_objects_versions_and_uploads_survive_a_kill(aws: Client) -> None:
    s3 = new_bucket(aws, "kept", versioned=True)
    for number in range(3):
        s3.put_object(Bucket="kept", Key="a/b", Body=b"%d" % number, Tagging="n=1", Metadata={"m": "v"})
    s3.delete_object(Bucket="kept", Key="a/b")
    upload = s3.create_multipart_upload(Bucket="kept", Key="big")["UploadId"]
    parts = [
        {
            "PartNumber": n,
            "ETag": s3.upload_part(Bucket="kept", Key="big", UploadId=upload, PartNumber=n, Body=PART)["ETag"],
        }
        for n in (1, 2)
    ]
    unfinished = s3.create_multipart_upload(Bucket="kept", Key="half")["UploadId"]
    s3.upload_part(Bucket="kept", Key="half", UploadId=unfinished, PartNumber=1, Body=PART)
    versions = s3.list_object_versions(Bucket="kept")

    kill()
    s3 = aws("s3")

    again = s3.list_object_versions(Bucket="kept")
    assert (again["Versions"], again["DeleteMarkers"]) == (versions["Versions"], versions["DeleteMarkers"])
    oldest = again["Versions"][-1]["VersionId"]
    found = s3.get_object(Bucket="kept", Key="a/b", VersionId=oldest)
    assert (found["Body"].read(), found["Metadata"], found["TagCount"]) == (b"0", {"m": "v"}, 1)
    assert s3.get_bucket_tagging(Bucket="kept")["TagSet"] == [{"Key": "owner", "Value": "me"}]
    s3.complete_multipart_upload(Bucket="kept", Key="big", UploadId=upload, MultipartUpload={"Parts": parts})
    across = s3.get_object(Bucket="kept", Key="big", Range=f"bytes={len(PART) - 2}-{len(PART) + 1}")["Body"].read()
    assert across == PART[-2:] + PART[:2]
    s3.copy_object(Bucket="kept", Key="copy", CopySource={"Bucket": "kept", "Key": "big"})
    big = next(each for each in s3.list_object_versions(Bucket="kept")["Versions"] if each["Key"] == "big")
    s3.delete_object(Bucket="kept", Key="big", VersionId=big["VersionId"])
    s3.abort_multipart_upload(Bucket="kept", Key="half", UploadId=unfinished)

    control.stop()
    s3 = aws("s3")

    assert s3.get_object(Bucket="kept", Key="copy")["Body"].read() == PART * 2
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="kept")


def test_versions_outlive_the_suspension_of_versioning(aws: Client) -> None:
    """[S3 user guide, "Adding objects to versioning-suspended buckets" and "Deleting objects from …"]"""
    s3 = new_bucket(aws, "suspended", versioned=True)
    first = s3.put_object(Bucket="suspended", Key="k", Body=b"1")["VersionId"]
    s3.put_bucket_versioning(Bucket="suspended", VersioningConfiguration={"Status": "Suspended"})
    for body in (b"2", b"3"):
        assert "VersionId" not in s3.put_object(Bucket="suspended", Key="k", Body=body)
    s3.put_bucket_versioning(Bucket="suspended", VersioningConfiguration={"Status": "Enabled"})
    fourth = s3.put_object(Bucket="suspended", Key="k", Body=b"4")["VersionId"]
    assert s3.get_object(Bucket="suspended", Key="k", VersionId="null")["Body"].read() == b"3"
    s3.put_bucket_versioning(Bucket="suspended", VersioningConfiguration={"Status": "Suspended"})
    assert s3.delete_object(Bucket="suspended", Key="k")["VersionId"] == "null"

    kill()

    s3 = aws("s3")
    found = s3.list_object_versions(Bucket="suspended")
    assert [each["VersionId"] for each in found["Versions"]] == [fourth, first]
    assert [(each["VersionId"], each["IsLatest"]) for each in found["DeleteMarkers"]] == [("null", True)]
    s3.delete_object(Bucket="suspended", Key="k", VersionId="null")
    assert s3.get_object(Bucket="suspended", Key="k")["Body"].read() == b"4"
    assert s3.get_object(Bucket="suspended", Key="k", VersionId=first)["Body"].read() == b"1"


def test_what_is_deleted_leaves_no_bytes(aws: Client, own_state: Path) -> None:
    s3 = new_bucket(aws, "emptied")
    before = control.state_size()
    for number in range(3):
        s3.put_object(Bucket="emptied", Key="same", Body=os.urandom(1_000_000 + number))
    s3.put_object(Bucket="emptied", Key="other", Body=os.urandom(1_000_000))
    upload = s3.create_multipart_upload(Bucket="emptied", Key="u")["UploadId"]
    for _ in range(2):
        s3.upload_part(Bucket="emptied", Key="u", UploadId=upload, PartNumber=1, Body=os.urandom(1_000_000))
    assert control.state_size() - before > 3_000_000
    s3.abort_multipart_upload(Bucket="emptied", Key="u", UploadId=upload)
    s3.delete_objects(Bucket="emptied", Delete={"Objects": [{"Key": "same"}, {"Key": "other"}]})
    s3.delete_bucket(Bucket="emptied")
    until(lambda: not [size for size in body_sizes(own_state) if 900_000 < size < 1_000_010])


def body_sizes(own_state: Path) -> list[int]:
    with suppress(FileNotFoundError):  # one is deleted just now
        return [file.stat().st_size for file in (own_state / "state" / "bodies").glob("??/*")]
    return body_sizes(own_state)


def test_a_reader_gets_the_whole_object_though_it_is_replaced(aws: Client) -> None:
    s3 = new_bucket(aws, "read-while-replaced")
    s3.put_object(Bucket="read-while-replaced", Key="k", Body=PART)
    body = s3.get_object(Bucket="read-while-replaced", Key="k")["Body"]
    first = body.read(1000)
    s3.put_object(Bucket="read-while-replaced", Key="k", Body=b"new")
    assert first + body.read() == PART


def test_items_survive_with_their_types(aws: Client) -> None:
    dynamodb = aws("dynamodb")
    key = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    types = [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"}]
    dynamodb.create_table(TableName="items", KeySchema=key, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST")
    item = {
        "pk": {"S": "a"},
        "sk": {"N": "1"},
        "all": {"L": [{"M": {"b": {"B": b"\0\xff"}}}, {"NULL": True}, {"BOOL": False}, {"NS": ["1", "2"]}]},
    }
    dynamodb.put_item(TableName="items", Item=item)
    for number in ("2", "3"):
        dynamodb.put_item(TableName="items", Item={"pk": {"S": "a"}, "sk": {"N": number}})
    update = {"UpdateExpression": "SET c = :c", "ExpressionAttributeValues": {":c": {"S": "new"}}}
    dynamodb.update_item(TableName="items", Key={"pk": {"S": "a"}, "sk": {"N": "1.0"}}, **update)
    dynamodb.delete_item(TableName="items", Key={"pk": {"S": "a"}, "sk": {"N": "2"}})
    refused = {"TableName": "items", "Key": item | {}, "ConditionExpression": "attribute_exists(nothing)"}
    refused["Key"] = {"pk": {"S": "a"}, "sk": {"N": "1"}}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "items", "Item": {"pk": {"S": "b"}, "sk": {"N": "1"}}}},
                {"Delete": refused},
            ]
        )
    before = dynamodb.scan(TableName="items")["Items"]

    kill()

    after = aws("dynamodb").scan(TableName="items")["Items"]
    assert after == before
    assert after[0] == item | {"c": {"S": "new"}}
    assert [each["sk"]["N"] for each in after] == ["1", "3"]


def test_everything_else_of_a_lake_survives(aws: Client) -> None:
    iam, functions, logs, glue, sqs = (aws(name) for name in ("iam", "lambda", "logs", "glue", "sqs"))
    role = new_role(aws("iam"), "r")  # its function calls nothing
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=json.dumps(POLICY))
    iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    code = {"ZipFile": zipped("def handler(event, context):\n    print('said')\n    return event")}
    functions.create_function(FunctionName="f", Role=role, Handler="handler.handler", Runtime="python3.12", Code=code)
    settled(functions, "f")
    assert functions.invoke(FunctionName="f", Payload=b'"x"')["Payload"].read() == b'"x"'
    logs.create_log_group(logGroupName="g", tags={"a": "b"})
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    for number in range(3):
        event = {"timestamp": int(time.time() * 1000), "message": f"line {number}"}
        logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=[event])
    glue.create_database(DatabaseInput={"Name": "db"})
    glue.create_table(DatabaseName="db", TableInput={"Name": "t", "Parameters": {"n": "1"}})
    glue.update_table(DatabaseName="db", TableInput={"Name": "t", "Parameters": {"n": "2"}})
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for text in ("one", "two"):
        sqs.send_message(QueueUrl=url, MessageBody=text)
    first = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"][0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    aws("events").put_rule(Name="rule", ScheduleExpression="rate(1 day)")
    aws("events").put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": "arn:aws:sqs:eu-west-1:123456789012:q"}])
    query = aws("athena").create_named_query(Name="n", Database="db", QueryString="SELECT 1")["NamedQueryId"]

    kill()

    iam, functions, logs, glue, sqs = (aws(name) for name in ("iam", "lambda", "logs", "glue", "sqs"))
    assert iam.get_role_policy(RoleName="r", PolicyName="p")["PolicyDocument"] == POLICY
    assert len(iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]) == 1
    assert functions.invoke(FunctionName="f", Payload=b'"y"')["Payload"].read() == b'"y"'
    events = logs.get_log_events(logGroupName="g", logStreamName="s", startFromHead=True)["events"]
    assert [each["message"] for each in events] == ["line 0", "line 1", "line 2"]
    table = glue.get_table(DatabaseName="db", Name="t")["Table"]
    assert (table["Parameters"], table["VersionId"]) == ({"n": "2"}, "2")
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]] == ["two"]
    assert aws("events").list_targets_by_rule(Rule="rule")["Targets"][0]["Id"] == "1"
    assert aws("athena").get_named_query(NamedQueryId=query)["NamedQuery"]["QueryString"] == "SELECT 1"


@pytest.mark.usefixtures("own_state")
def test_the_port_stays() -> None:
    before = control.ensure_running()
    control.stop()
    assert control.ensure_running().url == before.url


def test_nobody_else_may_read_the_state(aws: Client, own_state: Path) -> None:
    new_bucket(aws, "private").put_object(Bucket="private", Key="k", Body=b"x")
    open_to_others = [
        path for path in (own_state, *own_state.rglob("*")) if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    assert open_to_others == []


def test_a_second_server_on_the_same_state_is_refused(own_state: Path) -> None:
    control.ensure_running()
    command = [sys.executable, "-m", "lakectl.local.server", "--state-dir", str(own_state)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert second.returncode == control.ALREADY_RUNNING
    assert second.stderr.count("\n") == 1
    assert "another local endpoint already runs in" in second.stderr


@pytest.mark.parametrize("how", ["older format", "other moto", "not a database"])
def test_a_state_that_cannot_be_read_is_refused_and_left_alone(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = control.server_dir() / control.STATE_FOLDER
    folder.mkdir(parents=True)
    if how == "not a database":
        (folder / FILE_NAME).write_bytes(b"garbage" * 1000)
    else:
        with sqlite3.connect(folder / FILE_NAME) as state:
            state.execute("CREATE TABLE written_by (name TEXT PRIMARY KEY, version TEXT NOT NULL)")
            moto = "4.0.0" if how == "other moto" else "5.2.5"
            values = [("format", "0" if how == "older format" else "1"), ("moto", moto), ("lakectl", "0.0.1")]
            state.executemany("INSERT INTO written_by VALUES (?, ?)", values)
    before = (folder / FILE_NAME).read_bytes()
    with pytest.raises(LakectlError) as caught:
        control.ensure_running()
    wanted = "can't be read" if how == "not a database" else "was written by lakectl 0.0.1 with moto"
    assert wanted in caught.value.message
    assert "\n" not in caught.value.message
    assert "lakectl local reset" in str(caught.value.hint)
    assert (folder / FILE_NAME).read_bytes() == before
    assert control.reset()
    control.ensure_running()
    control.stop()
