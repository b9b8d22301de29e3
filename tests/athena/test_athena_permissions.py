"""A query reads and writes with the permissions of whoever started it, in Glue and in S3."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from athena_lake import RESULTS, SILVER, WORKGROUP, Answer, Lake, finish
from botocore.exceptions import ClientError

from lakectl.local.control import Endpoint

Allowed = tuple[str | list[str], str | list[str]]
ATHENA: Allowed = ("athena:*", "*")
CATALOG: Allowed = (["glue:GetTable", "glue:GetDatabase"], "*")
READ: Allowed = (["s3:GetObject", "s3:ListBucket"], [f"arn:aws:s3:::{SILVER}", f"arn:aws:s3:::{SILVER}/*"])
RESULT: Allowed = (
    ["s3:GetBucketLocation", "s3:PutObject", "s3:GetObject"],
    [f"arn:aws:s3:::{RESULTS}", f"arn:aws:s3:::{RESULTS}/*"],
)
COUNT = "SELECT count(*) AS n, sum(qty) AS q FROM orders_silver"
Caller = Callable[..., Callable[[str], Any]]


@pytest.fixture
def caller(
    request: pytest.FixtureRequest,
    client: Callable[..., Any],
    endpoint: Endpoint,
    lake: Lake,  # noqa: ARG001 - it makes what the callers ask for
) -> Iterator[Caller]:
    """``caller(ATHENA, READ)("athena")``: a client of somebody who may do just that, and nothing else."""
    iam, name = client("iam"), f"query-{uuid.uuid4().hex[:8]}"
    kind = getattr(request, "param", "role")

    def make(*allowed: Allowed) -> Callable[[str], Any]:
        document = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": action, "Resource": on} for action, on in allowed],
        }
        if kind == "user":
            iam.create_user(UserName=name)
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
            keys = iam.create_access_key(UserName=name)["AccessKey"]
        else:
            trust = {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{endpoint.account_id}:root"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
            arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document))
            keys = client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
        return lambda service: boto3.client(
            service,
            endpoint_url=endpoint.url,
            region_name=endpoint.region,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
        )

    yield make
    if kind == "user":
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="p")
        iam.delete_user(UserName=name)
    else:
        iam.delete_role_policy(RoleName=name, PolicyName="p")
        iam.delete_role(RoleName=name)


def _run(athena: Any, sql: str) -> Answer:
    context = {"Database": "retail_silver"}
    started = athena.start_query_execution(QueryString=sql, WorkGroup=WORKGROUP, QueryExecutionContext=context)
    return finish(athena, started["QueryExecutionId"])


@pytest.mark.parametrize("caller", ["role", "user"], indirect=True)
def test_who_may_read_the_catalog_and_the_data_gets_the_rows(caller: Caller, lake: Lake) -> None:
    """Item 19: the permissions that Athena's guide asks for are enough."""
    answer = _run(caller(ATHENA, CATALOG, READ, RESULT)("athena"), COUNT)
    assert answer.state == "SUCCEEDED", answer.reason
    assert answer.rows == [["900", str(sum(order["qty"] for order in lake.orders))]]


@pytest.mark.parametrize("caller", ["role", "user"], indirect=True)
def test_without_the_data_s3_refuses(caller: Caller) -> None:
    """Item 19: who may not read a table's files does not get its rows from Athena."""
    athena = caller(ATHENA, CATALOG, RESULT)("athena")
    answer = _run(athena, COUNT)
    assert answer.state == "FAILED"
    assert answer.reason.startswith(f"Permission denied on S3 path: s3://{SILVER}/orders_silver/"), answer.reason


def test_without_the_data_files_s3_refuses(caller: Caller) -> None:
    """Item 19: the metadata of a table is not its rows."""
    metadata: Allowed = ("s3:GetObject", f"arn:aws:s3:::{SILVER}/orders_silver/metadata/*")
    answer = _run(caller(ATHENA, CATALOG, metadata, RESULT)("athena"), COUNT)
    assert answer.state == "FAILED"
    assert answer.reason.startswith(f"Permission denied on S3 path: s3://{SILVER}/orders_silver/data/"), answer.reason


def test_without_the_catalog_glue_refuses(caller: Caller) -> None:
    """Item 19: who may not see a table in the catalog can't query it."""
    athena = caller(ATHENA, READ, RESULT)("athena")
    for sql in (COUNT, "DESCRIBE orders_silver", "SHOW TABLES", "SHOW DATABASES", "DROP TABLE orders_silver"):
        answer = _run(athena, sql)
        assert answer.state == "FAILED", sql
        assert answer.reason.startswith("Insufficient permissions to execute the query. User: arn:aws:"), answer.reason
        assert "is not authorized to perform: glue:Get" in answer.reason


@pytest.mark.parametrize(
    ("sql", "action"),
    [
        ("INSERT INTO orders_silver SELECT * FROM orders_silver WHERE order_id = 1", "s3:"),
        ("DELETE FROM orders_silver WHERE order_id = 1", "s3:"),
        ("UPDATE orders_silver SET qty = 1 WHERE order_id = 1", "s3:"),
        ("DROP TABLE orders_silver", "glue:DeleteTable"),
        ("CREATE DATABASE mine", "glue:CreateDatabase"),
        (
            f"CREATE TABLE mine WITH (table_type='ICEBERG', is_external=false, location='s3://{SILVER}/mine/') AS "
            "SELECT 1 AS a",
            "s3:",
        ),
    ],
)
def test_who_may_only_read_changes_nothing(
    caller: Caller, client: Callable[..., Any], lake: Lake, sql: str, action: str
) -> None:
    """Item 19: a query writes with its caller's permissions."""
    before = lake.table.refresh().metadata_location
    answer = _run(caller(ATHENA, CATALOG, READ, RESULT)("athena"), sql)
    assert answer.state == "FAILED", answer.page
    expected = "Permission denied on S3 path: s3://" if action == "s3:" else action
    assert expected in answer.reason, answer.reason
    assert lake.table.refresh().metadata_location == before
    assert [table["Name"] for table in client("glue").get_tables(DatabaseName="retail_silver")["TableList"]] == [
        "orders_silver"
    ]


def test_the_results_are_written_with_the_callers_permissions(caller: Caller) -> None:
    """Item 19: without s3:PutObject on the results location the query fails, in Athena's words."""
    location: Allowed = ("s3:GetBucketLocation", f"arn:aws:s3:::{RESULTS}")
    answer = _run(caller(ATHENA, CATALOG, READ, location)("athena"), "SELECT 1")
    assert answer.state == "FAILED"
    assert answer.reason.startswith(f"Access denied when writing output to url: s3://{RESULTS}/athena/"), answer.reason


def test_a_results_bucket_that_the_caller_does_not_know_is_refused_at_once(caller: Caller) -> None:
    """Item 19: StartQueryExecution looks at the results bucket as its caller."""
    with pytest.raises(ClientError, match=f"Unable to verify/create output bucket {RESULTS}"):
        _run(caller(ATHENA, CATALOG, READ)("athena"), "SELECT 1")


def test_results_are_read_with_the_callers_permissions(caller: Caller, client: Callable[..., Any]) -> None:
    """Item 19: GetQueryResults needs s3:GetObject on the result (Athena API reference)."""
    started = client("athena").start_query_execution(QueryString="SELECT 1", WorkGroup=WORKGROUP)["QueryExecutionId"]
    finish(client("athena"), started)
    with pytest.raises(ClientError, match="AccessDenied"):
        caller(ATHENA)("athena").get_query_results(QueryExecutionId=started)


def test_of_many_small_files_each_is_judged(caller: Caller, client: Callable[..., Any], lake: Lake) -> None:
    """They are read in one request; one that its reader may not see ends the query."""
    assert lake
    prefix = "pings/ingest"
    for number in range(60):
        client("s3").put_object(Bucket=SILVER, Key=f"{prefix}/{number:02d}.csv", Body=b"1\n")
    client("glue").create_table(
        DatabaseName="retail_silver",
        TableInput={
            "Name": "pings_raw",
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {
                "Columns": [{"Name": "id", "Type": "string"}],
                "Location": f"s3://{SILVER}/{prefix}/",
                "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde"},
            },
        },
    )
    few: Allowed = ("s3:GetObject", [f"arn:aws:s3:::{SILVER}/{prefix}/{tens}*" for tens in range(5)])
    listing: Allowed = ("s3:ListBucket", f"arn:aws:s3:::{SILVER}")
    athena = caller(ATHENA, CATALOG, listing, few, RESULT)("athena")
    answer = _run(athena, "SELECT count(*) FROM pings_raw")
    assert answer.state == "FAILED"
    assert f"{prefix}/50.csv" in answer.reason, answer.reason
    mine = client("athena")
    assert _run(mine, "SELECT count(*) FROM pings_raw").rows == [["60"]]
    client("glue").delete_table(DatabaseName="retail_silver", Name="pings_raw")
