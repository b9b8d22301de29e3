"""Prepared statements, execution parameters, reuse of results, and what the API refuses by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from athena_lake import RESULTS, WORKGROUP, Lake, Query, finish
from botocore.exceptions import ClientError
from test_athena_permissions import ATHENA, RESULT, Caller, caller  # noqa: F401 - a fixture

SQL = "SELECT ? AS a, '?' AS mark FROM (VALUES 1, 2, 3) AS t(x) WHERE x < ?"


@pytest.fixture(scope="module")
def athena(client: Callable[..., Any], lake: Lake) -> Any:  # noqa: ARG001
    return client("athena")


@pytest.fixture
def prepared(athena: Any) -> Iterator[str]:
    athena.create_prepared_statement(StatementName="two", WorkGroup=WORKGROUP, QueryStatement=SQL, Description="d")
    yield "two"
    athena.delete_prepared_statement(StatementName="two", WorkGroup=WORKGROUP)


def _refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_the_api_keeps_prepared_statements(athena: Any, prepared: str) -> None:
    name = {"WorkGroup": WORKGROUP, "StatementName": prepared}
    found = athena.get_prepared_statement(**name)["PreparedStatement"]
    assert (found["QueryStatement"], found["Description"], found["WorkGroupName"]) == (SQL, "d", WORKGROUP)
    assert "already exists" in _refused(lambda: athena.create_prepared_statement(**name, QueryStatement="SELECT 1"))[1]
    athena.update_prepared_statement(**name, QueryStatement="SELECT 2")
    assert athena.get_prepared_statement(**name)["PreparedStatement"]["QueryStatement"] == "SELECT 2"
    athena.create_prepared_statement(WorkGroup=WORKGROUP, StatementName="other", QueryStatement="SELECT 1")
    listed = athena.list_prepared_statements(WorkGroup=WORKGROUP, MaxResults=1)
    assert [each["StatementName"] for each in listed["PreparedStatements"]] == [prepared]
    rest = athena.list_prepared_statements(WorkGroup=WORKGROUP, NextToken=listed["NextToken"])
    assert [each["StatementName"] for each in rest["PreparedStatements"]] == ["other"]
    batch = athena.batch_get_prepared_statement(WorkGroup=WORKGROUP, PreparedStatementNames=["other", "none"])
    assert [each["QueryStatement"] for each in batch["PreparedStatements"]] == ["SELECT 1"]
    assert [each["StatementName"] for each in batch["UnprocessedPreparedStatementNames"]] == ["none"]
    athena.delete_prepared_statement(WorkGroup=WORKGROUP, StatementName="other")
    assert _refused(lambda: athena.get_prepared_statement(WorkGroup=WORKGROUP, StatementName="other")) == (
        "ResourceNotFoundException",
        f"PreparedStatement other was not found in workGroup {WORKGROUP}",
    )
    for sql in ("SELEC 1", "SHOW TABLES"):
        code, _ = _refused(
            lambda sql=sql: athena.create_prepared_statement(  # type: ignore[misc]
                WorkGroup=WORKGROUP, StatementName="bad", QueryStatement=sql
            )
        )
        assert code == "InvalidRequestException"


def test_prepare_execute_deallocate(query: Query, prepared: str) -> None:
    assert query(f"EXECUTE {prepared} USING 'a,b?', 3").rows == [["a,b?", "?"]] * 2
    assert query(f"execute {prepared} using DATE '2025-01-01', (1 + 1)").rows == [["2025-01-01", "?"]]
    assert query(f"EXECUTE {prepared}", ExecutionParameters=["1.5", "2"]).rows == [["1.5", "?"]]
    assert query(f"EXECUTE {prepared}", ExecutionParameters=["Washington", "2"]).rows == [["Washington", "?"]]
    unload = query(
        f"UNLOAD (SELECT ? AS a WHERE 1 = ?) TO 's3://{RESULTS}/unloaded/' WITH (format = 'PARQUET')",
        ExecutionParameters=["'x'", "1"],
    )
    assert unload.state == "SUCCEEDED", unload.reason
    done = query("PREPARE mine FROM SELECT ? + 1")
    assert (done.execution["StatementType"], done.execution["SubstatementType"]) == ("DDL", "PREPARE")
    assert query("PREPARE mine FROM SELECT ? + 2").state == "SUCCEEDED"
    assert query("EXECUTE mine USING -1").rows == [["1"]]
    assert query("DEALLOCATE PREPARE mine").state == "SUCCEEDED"
    assert query("DEALLOCATE PREPARE mine").reason == (
        f"NOT_FOUND: PreparedStatement mine was not found in workGroup {WORKGROUP}"
    )
    assert query("PREPARE mine FROM SHOW TABLES").state == "FAILED"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("EXECUTE nothing USING 1", f"PreparedStatement nothing was not found in workGroup {WORKGROUP}"),
        ("EXECUTE two", "INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters: expected 2 but found 0"),
        ("EXECUTE two USING 1", "INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters: expected 2 but"),
        ("EXECUTE two USING x, 1", "INVALID_PARAMETER_USAGE: not a constant: x"),
        ("EXECUTE two USING (SELECT 1), 1", "INVALID_PARAMETER_USAGE: not a constant: (SELECT 1)"),
        ("EXECUTE two USING 1, 2 -- comment", "INVALID_PARAMETER_USAGE: not a constant"),
        ("EXECUTE two USING 1, 2) UNION (SELECT 1, 2", "INVALID_PARAMETER_USAGE: "),
        ("EXECUTE two WITH 1", "line 1:13: mismatched input 'WITH'"),
        ("EXECUTE", "line 1:8: mismatched input '<EOF>'"),
        ("PREPARE SELECT 1", "Queries of this type are not supported"),
    ],
)
def test_what_can_not_be_executed_is_refused(athena: Any, prepared: str, sql: str, message: str) -> None:  # noqa: ARG001
    code, said = _refused(lambda: athena.start_query_execution(QueryString=sql, WorkGroup=WORKGROUP))
    assert (code, said[: len(message)]) == ("InvalidRequestException", message)


def test_prepared_statements_need_their_own_permissions(prepared: str, caller: Caller) -> None:  # noqa: F811
    may = caller(("athena:StartQueryExecution", "*"), ("athena:GetQuery*", "*"), RESULT)("athena")
    code, _ = _refused(
        lambda: may.start_query_execution(QueryString=f"EXECUTE {prepared} USING 1, 2", WorkGroup=WORKGROUP)
    )
    assert code == "AccessDeniedException"
    started = may.start_query_execution(QueryString="PREPARE theirs FROM SELECT 1", WorkGroup=WORKGROUP)
    answer = finish(may, started["QueryExecutionId"])
    assert (answer.state, "athena:CreatePreparedStatement" in answer.reason) == ("FAILED", True)


def test_whoever_may_prepares_and_executes(caller: Caller) -> None:  # noqa: F811
    athena = caller(ATHENA, RESULT)("athena")
    for sql in ("PREPARE theirs FROM SELECT ?", "PREPARE theirs FROM SELECT ? + 1", "EXECUTE theirs USING 1"):
        started = athena.start_query_execution(QueryString=sql, WorkGroup=WORKGROUP)
        answer = finish(athena, started["QueryExecutionId"])
        assert answer.state == "SUCCEEDED", answer.reason
    assert answer.rows == [["2"]]
    started = athena.start_query_execution(QueryString="DEALLOCATE PREPARE theirs", WorkGroup=WORKGROUP)
    assert finish(athena, started["QueryExecutionId"]).state == "SUCCEEDED"


def test_results_are_reused_by_age(query: Query, client: Callable[..., Any]) -> None:
    sql, wanted = "SELECT count(*) FROM orders_silver WHERE qty > 1", {"Enabled": True, "MaxAgeInMinutes": 60}
    options = {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": wanted}}
    first = query(sql)
    again = query(sql, **options)
    assert again.execution["Statistics"]["ResultReuseInformation"] == {"ReusedPreviousResult": True}
    assert again.execution["ResultReuseConfiguration"] == options["ResultReuseConfiguration"]
    assert again.execution["Statistics"]["DataScannedInBytes"] == 0
    assert (again.rows, again.columns) == (first.rows, first.columns)
    assert again.execution["QueryExecutionId"] != first.execution["QueryExecutionId"]

    def reused(sql: str, database: str = "retail_silver", minutes: int = 60, **more: Any) -> bool:
        asked = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": minutes}}
        answer = query(sql, database, ResultReuseConfiguration=asked, **more)
        return bool(answer.execution["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"])

    assert not query(sql).execution["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]
    assert not reused(sql + " AND true")
    query("SELECT random()")
    assert not reused("SELECT random()")
    time.sleep(0.1)
    assert not reused(sql, minutes=0)
    location = first.execution["ResultConfiguration"]["OutputLocation"]
    assert reused(sql)
    listing = client("s3").list_objects_v2(Bucket=RESULTS, Prefix="athena/")["Contents"]
    for entry in listing:
        client("s3").delete_object(Bucket=RESULTS, Key=entry["Key"])
    assert location
    assert not reused(sql)


OPERATIONS = [
    ("create_data_catalog", {"Name": "x", "Type": "LAMBDA"}),
    ("create_notebook", {"WorkGroup": "primary", "Name": "n"}),
    ("start_session", {"WorkGroup": "primary", "EngineConfiguration": {"MaxConcurrentDpus": 2}}),
    ("create_capacity_reservation", {"TargetDpus": 24, "Name": "c"}),
]
REFUSED = [
    ("create_work_group", {"Name": "pays", "Configuration": {"RequesterPaysEnabled": True}}),
    ("create_work_group", {"Name": "spark", "Configuration": {"ExecutionRole": "arn:aws:iam::123456789012:role/r"}}),
]


def test_what_the_local_athena_does_not_do_is_refused_by_name(athena: Any) -> None:
    for operation, request in REFUSED:
        code, message = _refused(lambda operation=operation, request=request: getattr(athena, operation)(**request))  # type: ignore[misc]
        assert code == "InvalidRequestException", operation
        assert message.startswith("NOT_SUPPORTED: "), message
    for operation, request in OPERATIONS:
        code, message = _refused(lambda operation=operation, request=request: getattr(athena, operation)(**request))  # type: ignore[misc]
        assert (code, message.endswith(" of Amazon Athena; it works on AWS")) == ("NotImplemented", True), message


def test_requests_are_held_to_the_model(athena: Any) -> None:
    for call, says in (
        (
            lambda: athena.create_work_group(Name="a b"),
            "Value at 'name' failed to satisfy constraint: Member must",
        ),
        (lambda: athena.get_query_results(QueryExecutionId="x", MaxResults=1001), "QueryExecution x was not found"),
        (lambda: athena.list_named_queries(MaxResults=51), "Member must have value less than or equal to 50"),
        (lambda: athena.list_named_queries(NextToken="zzz"), "Invalid pagination token: zzz"),
        (lambda: athena.get_data_catalog(Name="other"), "DataCatalog other was not found"),
    ):
        code, message = _refused(call)
        assert code == "InvalidRequestException"
        assert says in message
    elsewhere = {"Catalog": "other"}
    code, message = _refused(
        lambda: athena.start_query_execution(
            QueryString="SELECT 1", WorkGroup=WORKGROUP, QueryExecutionContext=elsewhere
        )
    )
    assert message == "CATALOG_NOT_FOUND: Catalog 'other' does not exist"
    context = {"Catalog": "AwsDataCatalog", "Database": "retail_silver"}
    token = {"QueryString": "SELECT 1", "ClientRequestToken": "c" * 32, "QueryExecutionContext": context}
    first = athena.start_query_execution(**token, WorkGroup=WORKGROUP)["QueryExecutionId"]
    assert athena.start_query_execution(**token, WorkGroup=WORKGROUP, ExecutionParameters=["1"])[
        "QueryExecutionId"
    ] == (first)
    execution = finish(athena, first).execution
    assert execution["QueryExecutionContext"] == {"Catalog": "awsdatacatalog", "Database": "retail_silver"}
    code, message = _refused(
        lambda: athena.start_query_execution(**{**token, "QueryExecutionContext": {"Database": "x"}})
    )
    assert message == "Idempotent parameters do not match"
    owner = {"OutputLocation": f"s3://{RESULTS}/x/", "ExpectedBucketOwner": "999999999999"}
    code, message = _refused(lambda: athena.start_query_execution(QueryString="SELECT 1", ResultConfiguration=owner))
    assert message == f"Unable to verify/create output bucket {RESULTS}"


def test_workgroups_carry_tags(athena: Any, client: Callable[..., Any]) -> None:
    account = client("sts").get_caller_identity()["Account"]
    arn = f"arn:aws:athena:{athena.meta.region_name}:{account}:workgroup/{WORKGROUP}"
    athena.tag_resource(ResourceARN=arn, Tags=[{"Key": "team", "Value": "a"}])
    athena.tag_resource(ResourceARN=arn, Tags=[{"Key": "team", "Value": "b"}])
    assert {"Key": "team", "Value": "b"} in athena.list_tags_for_resource(ResourceARN=arn)["Tags"]
    athena.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert [tag["Key"] for tag in athena.list_tags_for_resource(ResourceARN=arn)["Tags"]] == ["lakectl:lake"]
    assert _refused(lambda: athena.list_tags_for_resource(ResourceARN=arn + "x"))[0] == "ResourceNotFoundException"
    versions = athena.list_engine_versions()["EngineVersions"]
    assert {each["EffectiveEngineVersion"] for each in versions} == {"Athena engine version 3"}
