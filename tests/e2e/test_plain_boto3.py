"""The endpoint as any AWS client sees it: plain boto3 puts files, and looks at what the Lambdas, the
Spark job and Athena made of them. lakectl only makes the resources."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lakes import bring_up, open_test_lake, tear_down
from program import wait_for

from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake

pytestmark = pytest.mark.long

Client = Callable[..., Any]

CUSTOMERS = "customer_id,customer_name,region,signup_date\n1,Ann,North,01/02/2024\n2,Bob,South,01/02/2024\n"
PRODUCTS = 'product_id,product_name,category,list_price\n10,Pen,Office,1.50\n11,Mug,Kitchen,"7,25"\n'
ORDERS = (
    "order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"
    '100,24/07/2025,1,10,2,"147,43",web\n'
    "101,25/07/2025,2,11,1,10.00,store\n"
    "102,25/07/2025,1,11,3,2.50,mobile\n"
)
FOLDER = "ingest_date=2025-07-26"


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    lake = open_test_lake(endpoint)
    bring_up(lake)
    yield lake
    tear_down(lake)


def run_items(client: Client, lake: Lake, source: str) -> list[dict[str, Any]]:
    answer = client("dynamodb").query(
        TableName=lake.names.run_log,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"SRC#{source}"}},
        ConsistentRead=True,
    )
    return [{key: next(iter(value.values())) for key, value in item.items()} for item in answer["Items"]]


def athena(client: Client, lake: Lake, sql: str) -> list[list[str | None]]:
    api = client("athena")
    query = api.start_query_execution(QueryString=sql, WorkGroup=lake.names.workgroup)["QueryExecutionId"]
    ended = ("SUCCEEDED", "FAILED", "CANCELLED")
    execution = wait_for(
        lambda: (
            e
            if (e := api.get_query_execution(QueryExecutionId=query)["QueryExecution"])["Status"]["State"] in ended
            else None
        ),
        what=sql,
    )
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    rows = api.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]


@pytest.fixture(scope="module")
def landed(client: Client, lake: Lake) -> None:
    """Three plain puts, dimensions first, and the wait until the last is in silver."""
    for source, text in (("customers", CUSTOMERS), ("products", PRODUCTS), ("orders", ORDERS)):
        key = f"retail/{source}/{FOLDER}/{source}.csv"
        client("s3").put_object(Bucket=lake.names.raw_bucket, Key=key, Body=text.encode())
    wait_for(
        lambda: any(item["load_status"] == "LOADED" for item in run_items(client, lake, "orders")),
        what="loading the orders",
    )
    wait_for(
        lambda: all(
            run["JobRunState"] in ("SUCCEEDED", "FAILED")
            for run in client("glue").get_job_runs(JobName=lake.names.glue_job)["JobRuns"]
        ),
        what="the end of the run",
    )


@pytest.mark.usefixtures("landed")
def test_the_log_function_wrote_each_landing_once_with_its_decoded_key(client: Client, lake: Lake) -> None:
    for source in ("customers", "products", "orders"):
        (item,) = run_items(client, lake, source)
        assert item["key"] == f"retail/{source}/{FOLDER}/{source}.csv"
        assert item["status"] == "LANDED"
        assert item["sk"].startswith("INGEST#20")
        head = client("s3").head_object(Bucket=lake.names.raw_bucket, Key=item["key"])
        assert (item["version_id"], item["etag"]) == (head["VersionId"], head["ETag"].strip('"'))


@pytest.mark.usefixtures("landed")
def test_the_functions_left_their_logs(client: Client, lake: Lake) -> None:
    for function in (lake.names.log_function, lake.names.start_function):
        events = client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        messages = [event["message"] for event in events]
        assert any(message.startswith("START RequestId:") for message in messages)
        assert any(message.startswith("REPORT RequestId:") for message in messages)


@pytest.mark.usefixtures("landed")
def test_the_landing_started_one_run(client: Client, lake: Lake) -> None:
    runs = client("glue").get_job_runs(JobName=lake.names.glue_job)["JobRuns"]
    assert [run["JobRunState"] for run in runs] == ["SUCCEEDED"]


@pytest.mark.usefixtures("landed")
def test_spark_typed_and_enriched_the_rows_and_athena_reads_them(client: Client, lake: Lake) -> None:
    header, *rows = athena(
        client,
        lake,
        "SELECT order_id, order_date, qty, unit_price, channel, region, category, sales_amount, "
        "_lake_ingest_date, _lake_file "
        f"FROM {lake.names.silver_database}.orders_silver ORDER BY order_id",
    )
    assert header[:3] == ["order_id", "order_date", "qty"]
    file = f"s3://{lake.names.raw_bucket}/retail/orders/{FOLDER}/orders.csv"
    lineage = ["2025-07-26", file]
    assert rows == [
        ["100", "2025-07-24", "2", "147.43", "web", "North", "Office", "294.86", *lineage],
        ["101", "2025-07-25", "1", "10.0", "store", "South", "Kitchen", "10.0", *lineage],
        ["102", "2025-07-25", "3", "2.5", "mobile", "North", "Kitchen", "7.5", *lineage],
    ]


@pytest.mark.usefixtures("landed")
def test_the_job_logs_are_in_its_own_groups(client: Client, lake: Lake) -> None:
    events = client("logs").filter_log_events(logGroupName=f"{lake.names.glue_log_prefix}/output")["events"]
    assert any("to write: insert 3" in event["message"] for event in events)


@pytest.mark.usefixtures("landed")
def test_the_run_wrote_its_result_into_the_run_log(client: Client, lake: Lake) -> None:
    (run,) = client("glue").get_job_runs(JobName=lake.names.glue_job)["JobRuns"]
    key = {"pk": {"S": f"RUN#{run['Id']}"}, "sk": {"S": "RESULT"}}
    item = client("dynamodb").get_item(TableName=lake.names.run_log, Key=key, ConsistentRead=True)["Item"]
    details = json.loads(item["details"]["S"])
    assert item["pages"] == {"N": "0"}
    assert details["sources"]["orders"]["rows_inserted"] == 3
    assert len(details["landings_loaded"]) == 3


@pytest.mark.usefixtures("landed")
def test_the_same_bytes_put_again_are_one_load_and_one_duplicate(client: Client, lake: Lake) -> None:
    key = f"retail/orders/{FOLDER}/orders.csv"
    client("s3").put_object(Bucket=lake.names.raw_bucket, Key=key, Body=ORDERS.encode())
    items = wait_for(
        lambda: found if len(found := run_items(client, lake, "orders")) == 2 else None, what="the second row"
    )
    states = wait_for(
        lambda: (
            s if "PENDING" not in (s := sorted(i["load_status"] for i in run_items(client, lake, "orders"))) else None
        ),
        what="settling",
    )
    assert states == ["DUPLICATE", "LOADED"]
    assert len({item["version_id"] for item in items}) == 2


def test_both_functions_can_be_invoked_and_answer(client: Client, lake: Lake) -> None:
    for function in (lake.names.log_function, lake.names.start_function):
        answer = client("lambda").invoke(FunctionName=function, Payload=b"{}")
        assert answer["StatusCode"] == 200
        assert "FunctionError" not in answer
        assert isinstance(json.loads(answer["Payload"].read()), dict)


def test_events_delivered_again_add_nothing(client: Client, lake: Lake) -> None:
    before = len(run_items(client, lake, "customers"))
    bucket, key = lake.names.raw_bucket, "retail/customers/ingest_date=2025-08-01/customers.csv"
    put = client("s3").put_object(Bucket=bucket, Key=key, Body=CUSTOMERS.encode())
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "eventSource": "aws:s3",
        "s3": {
            "bucket": {"name": bucket},
            "object": {
                "key": key.replace("=", "%3D"),
                "size": len(CUSTOMERS),
                "eTag": put["ETag"].strip('"'),
                "versionId": put["VersionId"],
            },
        },
    }
    for _ in range(3):
        client("lambda").invoke(FunctionName=lake.names.log_function, Payload=json.dumps({"Records": [record]}))
    wait_for(lambda: len(run_items(client, lake, "customers")) == before + 1 or None, what="the run item")
    assert [item["key"] for item in run_items(client, lake, "customers")].count(key) == 1
