"""States that earlier versions wrote are read, with all that is in them; what this version writes depends on no other.

``states/format-1.tar.xz`` was written by lakectl 0.1.0 with moto 5.2.5, when rows were pickles.
"""

from __future__ import annotations

import json
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from lakectl.errors import LakectlError
from lakectl.local import control, saved
from lakectl.local.durable.database import FILE_NAME, FORMAT
from lakectl.local.durable.forms import Codec, Form, NewerForm, Unkept
from lakectl.local.forks import Forks

STATES = Path(__file__).with_name("states")
PICKLED = ("backend", "part")  # what the rows of moto's other backends still are


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state of format 1, where XDG_STATE_HOME is."""
    home = tmp_path_factory.mktemp("old")
    folder = home / "lakectl" / "local"
    folder.mkdir(parents=True)
    with tarfile.open(STATES / "format-1.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(home))
        yield home
        control.stop()


@pytest.fixture(scope="module")
def aws(home: Path, forks: Forks) -> Callable[[str], Any]:
    endpoint = forks.start_in(home)
    assert endpoint.quarantined == 0
    return lambda service: client(endpoint, service)


def client(endpoint: control.Endpoint, service: str) -> Any:
    keys = {"aws_access_key_id": endpoint.access_key_id, "aws_secret_access_key": endpoint.secret_access_key}
    return boto3.client(service, endpoint_url=endpoint.url, region_name=endpoint.region, **keys)


def rows(home: Path, query: str, *values: Any) -> list[Any]:
    connection = sqlite3.connect(home / "lakectl/local/state" / FILE_NAME, isolation_level=None)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def read_all(aws: Callable[[str], Any]) -> dict[str, Any]:
    """What the old state's S3, DynamoDB and Athena hold, as the API tells it."""
    s3, dynamodb, athena = (aws(name) for name in ("s3", "dynamodb", "athena"))
    bucket = {"Bucket": "old-bucket"}
    found = {
        "versions": [(v["Key"], v["VersionId"], v["IsLatest"]) for v in s3.list_object_versions(**bucket)["Versions"]],
        "markers": [each["Key"] for each in s3.list_object_versions(**bucket)["DeleteMarkers"]],
        "uploads": [each["Key"] for each in s3.list_multipart_uploads(**bucket)["Uploads"]],
        "object": s3.get_object(**bucket, Key="a", ChecksumMode="ENABLED"),
        "parts": s3.get_object(**bucket, Key="parts"),
        "item": dynamodb.query(
            TableName="old-table",
            IndexName="by-g",
            KeyConditionExpression="g = :g",
            ExpressionAttributeValues={":g": {"S": "x"}},
        )["Items"],
        "count": dynamodb.scan(TableName="old-table")["Count"],
        "table": dynamodb.describe_table(TableName="old-table")["Table"],
        "ttl": dynamodb.describe_time_to_live(TableName="old-table")["TimeToLiveDescription"],
        "query": athena.list_query_executions()["QueryExecutionIds"],
    }
    for name in ("tagging", "lifecycle_configuration", "cors", "encryption", "policy", "versioning"):
        answer = getattr(s3, f"get_bucket_{name}")(**bucket)
        found[name] = {key: each for key, each in answer.items() if key != "ResponseMetadata"}
    found["block"] = s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"]
    for name in ("object", "parts"):
        kept = ("ContentType", "Metadata", "TagCount", "ChecksumSHA256", "ETag", "VersionId", "LastModified")
        found[f"body of {name}"] = found[name]["Body"].read()
        found[name] = {key: each for key, each in found[name].items() if key in kept}
    return found


def test_all_that_a_state_of_format_1_holds_is_there(aws: Callable[[str], Any]) -> None:
    found = read_all(aws)
    assert found["body of object"] == b"two"
    assert found["object"]["ContentType"] == "text/csv"
    assert found["object"]["ChecksumSHA256"]
    assert found["body of parts"] == b"part"
    assert found["parts"]["Metadata"] == {"big": "yes"}
    assert {key for key, _, _ in found["versions"]} >= {"a", "gone", "parts"}
    assert (found["markers"], found["uploads"]) == (["gone"], ["half"])
    oldest = next(version for key, version, latest in found["versions"] if key == "a" and not latest)
    first = aws("s3").get_object(Bucket="old-bucket", Key="a", VersionId=oldest)
    assert (first["Body"].read(), first["Metadata"], first["TagCount"]) == (b"one", {"m": "v"}, 1)
    assert found["lifecycle_configuration"]["Rules"][0]["Filter"] == {"Prefix": "tmp/"}
    assert found["cors"]["CORSRules"][0]["AllowedOrigins"] == ["*"]
    assert found["tagging"]["TagSet"] == [{"Key": "owner", "Value": "me"}]
    assert found["block"]["BlockPublicAcls"] is True
    assert found["item"][0]["all"] == {
        "L": [{"M": {"b": {"B": b"\0\xff"}}}, {"NULL": True}, {"BOOL": False}, {"NS": ["1", "2"]}]
    }
    assert (found["count"], found["ttl"]["AttributeName"]) == (2, "ttl")
    assert found["table"]["GlobalSecondaryIndexes"][0]["IndexName"] == "by-g"
    (query,) = found["query"]
    result = aws("athena").get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    assert result[1]["Data"][0]["VarCharValue"] == "42"
    assert aws("athena").list_named_queries()["NamedQueryIds"]

    role = aws("iam").get_role(RoleName="old-role")["Role"]
    assert (role["Description"], role["Tags"]) == ("d", [{"Key": "owner", "Value": "me"}])
    assert len(aws("iam").list_attached_role_policies(RoleName="old-role")["AttachedPolicies"]) == 2
    assert aws("lambda").invoke(FunctionName="old-function", Payload=b'"x"')["Payload"].read() == b'"x"'
    events = aws("logs").get_log_events(logGroupName="old-group", logStreamName="s", startFromHead=True)["events"]
    assert [each["message"] for each in events] == ["line 0", "line 1", "line 2"]
    assert aws("glue").get_table(DatabaseName="old_db", Name="t")["Table"]["Parameters"] == {"n": "2"}
    assert aws("glue").get_job_runs(JobName="old-job")["JobRuns"][0]["JobRunState"] == "FAILED"
    queue = aws("sqs").get_queue_url(QueueName="old-queue")["QueueUrl"]
    attributes = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "2"
    assert {each["Name"] for each in aws("events").list_rules()["Rules"]} >= {"old-rule", "old-schedule"}
    assert len(aws("sns").list_topics()["Topics"]) == 1


def test_it_is_rewritten_and_read_again(aws: Callable[[str], Any], home: Path, forks: Forks) -> None:
    before = read_all(aws)
    assert dict(rows(home, "SELECT name, version FROM written_by"))["format"] == str(FORMAT)
    old = rows(home, "SELECT DISTINCT kind FROM state WHERE substr(value, 1, 1) = X'80'")
    assert {kind for (kind,) in old} <= set(PICKLED)
    control.stop()

    endpoint = forks.start_in(home)
    assert endpoint.quarantined == 0
    assert read_all(lambda service: client(endpoint, service)) == before
    assert "is not kept" not in (home / "lakectl/local/server.log").read_text()


@pytest.mark.usefixtures("aws")
def test_another_version_of_moto_costs_what_is_pickled_and_nothing_else(home: Path, forks: Forks) -> None:
    before = read_all(lambda service: client(control.ensure_running(), service))
    control.stop()
    rows(home, "UPDATE written_by SET version = '5.2.4' WHERE name = 'moto'")

    endpoint = forks.start_in(home)

    assert read_all(lambda service: client(endpoint, service)) == before
    assert endpoint.quarantined > 0
    log = (home / "lakectl/local/server.log").read_text()
    assert "sns" in log
    assert "kept by moto 5.2.4, and this is moto" in log
    assert client(endpoint, "sns").list_topics()["Topics"] == []
    control.stop()
    assert forks.start_in(home).quarantined == 0  # it is said once


@pytest.mark.usefixtures("aws")
def test_a_row_of_a_later_version_is_refused_by_name(home: Path, forks: Forks) -> None:
    control.stop()
    ((value,),) = rows(home, "SELECT value FROM state WHERE kind = 'dynamodb-table'")
    row = json.loads(value)
    row["global_indexes"][0]["v"] = 7
    rows(home, "UPDATE state SET value = ? WHERE kind = 'dynamodb-table'", json.dumps(row).encode())

    endpoint = forks.start_in(home)

    assert endpoint.quarantined == 3  # the table and its two items
    reasons = rows(home, "SELECT reason FROM quarantined WHERE kind = 'dynamodb-table'")
    assert reasons == [("NewerForm: dynamodb-global-index has version 7, and this lakectl reads versions up to 1",)]
    assert client(endpoint, "s3").get_object(Bucket="old-bucket", Key="a")["Body"].read() == b"two"


@pytest.mark.usefixtures("aws")
def test_a_saved_state_of_a_later_format_is_refused_before_it_replaces_anything(home: Path) -> None:
    saved.save("later")
    connection = sqlite3.connect(home / "lakectl/local/saved/later" / FILE_NAME, isolation_level=None)
    connection.execute("UPDATE written_by SET version = ? WHERE name = 'format'", (str(FORMAT + 1),))
    connection.close()
    with pytest.raises(LakectlError, match="was saved by lakectl"):
        saved.restore("later")
    assert control.running() is not None


class Point:
    def __init__(self, x: int) -> None:
        self.x = x


def test_an_older_form_is_migrated_step_by_step() -> None:
    written = Codec([Form("point", Point, "x")]).dumps([Point(1), {"$": b"\0", 2: (3, {4})}])
    two = {1: lambda fields: {"y": fields["x"] + 10}, 2: lambda fields: {"x": fields["y"], "z": 0}}
    codec = Codec([Form("point", Point, "x z", version=3, older=two)])
    point, rest = codec.loads(written)
    assert vars(point) == {"x": 11, "z": 0}
    assert rest == {"$": b"\0", 2: (3, {4})}
    with pytest.raises(NewerForm, match="point has version 3"):
        Codec([Form("point", Point, "x")]).loads(codec.dumps(point))
    with pytest.raises(Unkept, match=r"test_formats\.Point has no form"):
        Codec([]).dumps(point)
