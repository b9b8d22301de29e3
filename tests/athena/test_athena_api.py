"""Athena's API with plain boto3: states, results, limits, workgroups, named queries."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from athena_lake import RESULTS, SILVER, WORKGROUP, Lake, Query, finish
from botocore.exceptions import ClientError
from pyiceberg.schema import Schema
from pyiceberg.types import DoubleType, NestedField

T = "retail_silver.orders_silver"
SLOW = (
    "SELECT COUNT(*) FROM UNNEST(sequence(1, 10000)) AS a (x) CROSS JOIN UNNEST(sequence(1, 10000)) AS b (y) "
    "CROSS JOIN UNNEST(sequence(1, 10000)) AS c (z) WHERE x * y + z % 7 = 3"
)
PAGED = (
    "SELECT x, CASE WHEN x % 7 = 0 THEN NULL WHEN x % 7 = 1 THEN '' "
    "ELSE 'a\"b,' || chr(10) || CAST(x AS varchar) END AS v "
    "FROM UNNEST(sequence(1, 2500)) AS t (x) ORDER BY x"
)


@pytest.fixture(scope="module")
def athena(client: Callable[..., Any], lake: Lake) -> Any:  # noqa: ARG001
    return client("athena")


def _refused(call: Callable[[], Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call()
    response: dict[str, Any] = caught.value.response
    return response


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEKT 1", "line 1:1: mismatched input 'SELEKT'. Expecting: 'ALTER'"),
        ("SELECT 1 FROM", "line 1:14: mismatched input '<EOF>'"),
        ("SELECT 1;\nSELECT 2", "Only one sql statement is allowed"),
        ("USE retail_silver", "Queries of this type are not supported"),
        ("", "line 1:1: mismatched input '<EOF>'"),
        ("SELECT ?", "INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters: expected 1 but found 0"),
    ],
)
def test_sql_that_does_not_parse_is_refused_at_start(athena: Any, sql: str, message: str) -> None:
    if not sql:
        sql = " "
    response = _refused(lambda: athena.start_query_execution(QueryString=sql, WorkGroup=WORKGROUP))
    assert response["Error"]["Code"] == "InvalidRequestException"
    assert response["Error"]["Message"].startswith(message)


def test_a_finished_query_tells_its_whole_story(query: Query, client: Callable[..., Any]) -> None:
    answer = query("SELECT 'a\"b' AS x, '' AS y, NULL AS z")
    execution = answer.execution
    assert execution["StatementType"] == "DML"
    assert execution["SubstatementType"] == "SELECT"
    assert execution["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    assert execution["WorkGroup"] == WORKGROUP
    assert execution["Status"]["CompletionDateTime"] >= execution["Status"]["SubmissionDateTime"]
    statistics = execution["Statistics"]
    assert statistics["TotalExecutionTimeInMillis"] >= statistics["EngineExecutionTimeInMillis"] >= 0
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://{RESULTS}/athena/{execution['QueryExecutionId']}.csv"
    body = client("s3").get_object(Bucket=RESULTS, Key=location.removeprefix(f"s3://{RESULTS}/"))["Body"].read()
    assert body == b'"x","y","z"\n"a""b","",\n'
    assert answer.lines == [["x", "y", "z"], ['a"b', "", None]]


def test_column_info(query: Query) -> None:
    """Precisions as PyAthena's own tests have them of AWS."""
    texts = "CAST('a' AS varchar(10)) AS v, CAST('a' AS varchar) AS s, X'00' AS x, TIME '01:02:03.000' AS t"
    answer = query(f"SELECT CAST(1.5 AS decimal(10,2)) AS d, BIGINT '1' AS b, {texts}")
    assert answer.page is not None
    info = answer.page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [(item["Type"], item["Precision"], item["Scale"]) for item in info] == [
        ("decimal", 10, 2),
        ("bigint", 19, 0),
        ("varchar", 10, 0),
        ("varchar", 2147483647, 0),
        ("varbinary", 1073741824, 0),
        ("time", 3, 0),
    ]
    assert {item["Nullable"] for item in info} == {"UNKNOWN"}


def test_results_come_in_pages_of_a_thousand(athena: Any, query: Query) -> None:
    execution_id = query(PAGED).execution["QueryExecutionId"]
    pages = list(athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution_id))
    assert [len(page["ResultSet"]["Rows"]) for page in pages] == [1000, 1000, 501]
    rows = [[item.get("VarCharValue") for item in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]
    assert rows[0] == ["x", "v"]
    for number, row in enumerate(rows[1:], 1):
        value = {0: None, 1: ""}.get(number % 7, f'a"b,\n{number}')
        assert row == [str(number), value]
    small = athena.get_query_results(QueryExecutionId=execution_id, MaxResults=2)
    assert len(small["ResultSet"]["Rows"]) == 2
    assert "NextToken" in small


def test_the_same_token_starts_one_query(athena: Any) -> None:
    token = "t" * 32
    start = {"QueryString": "SELECT 1", "WorkGroup": WORKGROUP, "ClientRequestToken": token}
    first, second = (athena.start_query_execution(**start)["QueryExecutionId"] for _ in range(2))
    assert first == second
    response = _refused(lambda: athena.start_query_execution(**{**start, "QueryString": "SELECT 2"}))
    assert response["Error"]["Message"] == "Idempotent parameters do not match"


def test_a_running_query_is_cancelled(athena: Any) -> None:
    execution_id = athena.start_query_execution(QueryString=SLOW, WorkGroup=WORKGROUP)["QueryExecutionId"]
    while athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]["Status"]["State"] == "QUEUED":
        time.sleep(0.01)
    response = _refused(lambda: athena.get_query_results(QueryExecutionId=execution_id))
    assert response["Error"]["Message"] == "Query has not yet finished. Current state: RUNNING"
    athena.stop_query_execution(QueryExecutionId=execution_id)
    assert finish(athena, execution_id, seconds=10).state == "CANCELLED"
    gone = _refused(lambda: athena.get_query_results(QueryExecutionId=execution_id))
    assert (gone["Error"]["Message"], gone["AthenaErrorCode"]) == ("Could not find results", "RESULT_NOT_FOUND")


def test_twenty_queries_at_once_each_count_their_own_bytes(athena: Any) -> None:
    started = [
        athena.start_query_execution(
            QueryString=f"SELECT SUM(sales_amount), {number} FROM {T} WHERE order_date = DATE '2025-09-15'",
            WorkGroup=WORKGROUP,
        )["QueryExecutionId"]
        for number in range(20)
    ]
    answers = [finish(athena, execution_id) for execution_id in started]
    assert [answer.rows[0][1] for answer in answers] == [str(number) for number in range(20)]
    assert len({answer.execution["Statistics"]["DataScannedInBytes"] for answer in answers}) == 1
    batch = athena.batch_get_query_execution(QueryExecutionIds=[*started, "nope"])
    assert len(batch["QueryExecutions"]) == 20
    assert [entry["QueryExecutionId"] for entry in batch["UnprocessedQueryExecutionIds"]] == ["nope"]
    listed = athena.list_query_executions(WorkGroup=WORKGROUP, MaxResults=5)
    assert listed["QueryExecutionIds"][0] == started[-1]
    assert "NextToken" in listed


def test_a_query_that_reads_more_than_the_workgroup_allows_is_cancelled(athena: Any, lake: Lake, query: Query) -> None:
    height = 2_000_000  # 16 MB of doubles that do not compress; 10 MB is the least limit that Athena takes
    table = lake.catalog.create_table(
        "retail_silver.wide", Schema(NestedField(1, "x", DoubleType())), location=f"s3://{SILVER}/wide"
    )
    try:
        numbers = pa.array((number * 2654435761 % 4294967291) / 7 for number in range(height))
        table.append(pa.table({"x": numbers}))
        athena.create_work_group(
            Name="limited",
            Configuration={
                "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/limited/"},
                "BytesScannedCutoffPerQuery": 10_000_000,
            },
        )
        answer = query("SELECT SUM(x) FROM wide", WorkGroup="limited")
        assert (answer.state, answer.reason) == ("CANCELLED", "Bytes scanned limit was exceeded")
        assert query("SELECT COUNT(*) FROM wide", WorkGroup="limited").rows == [[str(height)]]
        assert query("SELECT SUM(x) FROM wide").execution["Statistics"]["DataScannedInBytes"] > 10_000_000
    finally:
        lake.catalog.drop_table("retail_silver.wide")


def test_output_location_belongs_to_the_workgroup_that_enforces_it(athena: Any, query: Query) -> None:
    own = {"OutputLocation": f"s3://{RESULTS}/mine"}
    enforced = query("SELECT 1", ResultConfiguration=own).execution["ResultConfiguration"]["OutputLocation"]
    assert enforced.startswith(f"s3://{RESULTS}/athena/")
    free = query("SELECT 1", WorkGroup="primary", ResultConfiguration=own).execution
    assert free["ResultConfiguration"]["OutputLocation"] == f"s3://{RESULTS}/mine/{free['QueryExecutionId']}.csv"
    response = _refused(lambda: athena.start_query_execution(QueryString="SELECT 1", WorkGroup="primary"))
    assert response["Error"]["Message"].startswith("No output location provided.")
    missing = {"OutputLocation": "s3://no-such-bucket-here/"}
    response = _refused(
        lambda: athena.start_query_execution(QueryString="SELECT 1", WorkGroup="primary", ResultConfiguration=missing)
    )
    assert response["Error"]["Message"] == "Unable to verify/create output bucket no-such-bucket-here"


def test_workgroups(athena: Any, endpoint: Any) -> None:
    athena.create_work_group(
        Name="wg-life",
        Description="first",
        Configuration={
            "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/life/"},
            "EngineVersion": {"SelectedEngineVersion": "AUTO"},
        },
        Tags=[{"Key": "lakectl:lake", "Value": "x"}],
    )
    group = athena.get_work_group(WorkGroup="wg-life")["WorkGroup"]
    assert group["Configuration"]["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    assert group["Configuration"]["EnforceWorkGroupConfiguration"] is True
    arn = f"arn:aws:athena:{endpoint.region}:{endpoint.account_id}:workgroup/wg-life"
    assert athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "lakectl:lake", "Value": "x"}]
    athena.update_work_group(
        WorkGroup="wg-life",
        Description="second",
        ConfigurationUpdates={
            "BytesScannedCutoffPerQuery": 10_000_000,
            "ResultConfigurationUpdates": {"OutputLocation": f"s3://{RESULTS}/life2/"},
        },
    )
    group = athena.get_work_group(WorkGroup="wg-life")["WorkGroup"]
    assert group["Description"] == "second"
    assert group["Configuration"]["BytesScannedCutoffPerQuery"] == 10_000_000
    assert group["Configuration"]["ResultConfiguration"]["OutputLocation"] == f"s3://{RESULTS}/life2/"
    athena.update_work_group(WorkGroup="wg-life", State="DISABLED")
    response = _refused(lambda: athena.start_query_execution(QueryString="SELECT 1", WorkGroup="wg-life"))
    assert response["Error"]["Message"] == "WorkGroup wg-life is disabled."
    response = _refused(lambda: athena.create_work_group(Name="wg-life"))
    assert response["Error"]["Message"] == "WorkGroup is already created"
    athena.create_named_query(Name="q", Database="d", QueryString="SELECT 1", WorkGroup="wg-life")
    response = _refused(lambda: athena.delete_work_group(WorkGroup="wg-life"))
    assert response["Error"]["Message"] == "WorkGroup wg-life is not empty"
    athena.delete_work_group(WorkGroup="wg-life", RecursiveDeleteOption=True)
    for call in (
        lambda: athena.get_work_group(WorkGroup="wg-life"),
        lambda: athena.start_query_execution(QueryString="SELECT 1", WorkGroup="wg-life"),
        lambda: athena.list_named_queries(WorkGroup="wg-life"),
    ):
        assert _refused(call)["Error"]["Message"] == "WorkGroup wg-life is not found."


def test_named_queries_belong_to_their_workgroup(athena: Any) -> None:
    ids = [
        athena.create_named_query(Name=f"n{number}", Database="d", QueryString="SELECT 1", WorkGroup=WORKGROUP)[
            "NamedQueryId"
        ]
        for number in range(3)
    ]
    assert set(ids) <= set(athena.list_named_queries(WorkGroup=WORKGROUP)["NamedQueryIds"])
    assert not set(ids) & set(athena.list_named_queries()["NamedQueryIds"])
    found = athena.batch_get_named_query(NamedQueryIds=[ids[0], "nope"])
    assert [entry["Name"] for entry in found["NamedQueries"]] == ["n0"]
    assert found["UnprocessedNamedQueryIds"][0]["NamedQueryId"] == "nope"
    athena.update_named_query(NamedQueryId=ids[0], Name="n0", QueryString="SELECT 2")
    assert athena.get_named_query(NamedQueryId=ids[0])["NamedQuery"]["QueryString"] == "SELECT 2"
    for query_id in ids:
        athena.delete_named_query(NamedQueryId=query_id)
    assert _refused(lambda: athena.get_named_query(NamedQueryId=ids[0]))["Error"]["Code"] == "InvalidRequestException"


def test_the_catalog_is_glues(athena: Any) -> None:
    names = [entry["Name"] for entry in athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]]
    assert "retail_silver" in names
    table = athena.get_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName="retail_silver", TableName="orders_silver"
    )
    assert table["TableMetadata"]["Columns"][0] == {"Name": "order_id", "Type": "bigint"}


def test_glues_errors_hold_its_code_where_clients_look_for_it(athena: Any) -> None:
    """As seen on AWS: https://github.com/DyfanJones/noctua/issues/205"""
    asked = {"CatalogName": "AwsDataCatalog", "DatabaseName": "retail_silver", "TableName": "nope"}
    error = _refused(lambda: athena.get_table_metadata(**asked))["Error"]
    assert error["Code"] == "MetadataException"
    head, _, tail = error["Message"].partition("Request ID: ")
    assert head == (
        "Entity Not Found (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; "
    )
    assert tail.endswith("; Proxy: null)")
