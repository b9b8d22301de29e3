"""Glue and Athena: what a job, a database, a workgroup, a query may be."""

from __future__ import annotations

from typing import Any

from lakectl.contract.rows_lambda import GLUE_ROLE
from lakectl.contract.sources import both, model, reported
from lakectl.contract.table import Call, Row, accepted, call, ref, refused

WORKERS_REPORTED = reported("aws-samples/cql-replicator#181")
JOB_DEFINITION: dict[str, Any] = {
    "Name": "j-<n>",
    "Role": ref(0, "Role", "Arn"),
    "GlueVersion": "5.1",
    "WorkerType": "G.1X",
    "NumberOfWorkers": 2,
    "Command": {"Name": "glueetl", "ScriptLocation": "s3://absent/job.py", "PythonVersion": "3"},
}
JOB_NAMED = {"JobName": "j-<n>"}


def job(**changes: Any) -> tuple[Call, ...]:
    definition = {name: value for name, value in (JOB_DEFINITION | changes).items() if value is not None}
    return (GLUE_ROLE, call("glue", "create_job", **definition))


DATABASE = call("glue", "create_database", DatabaseInput={"Name": "d_<n>"})
TABLE = call("glue", "create_table", DatabaseName="d_<n>", TableInput={"Name": "t"})


def workgroup(**configuration: Any) -> Call:
    return call("athena", "create_work_group", Name="w-<n>", Configuration=configuration)


def saved_query(**parameters: Any) -> Call:
    named = {"Name": "q", "Database": "d", "QueryString": "SELECT 1", "WorkGroup": "w-<n>", "Description": "one"}
    return call("athena", "create_named_query", **(named | {"ClientRequestToken": "<n>" * 4} | parameters))


def query(sql: str = "SELECT 1", **parameters: Any) -> Call:
    return call("athena", "start_query_execution", QueryString=sql, **({"WorkGroup": "w-<n>"} | parameters))


NOT_FOUND = refused("EntityNotFoundException")
GLUE_ROWS = [
    Row(
        "job-worker-type-newer-than-its-version",
        job(GlueVersion="2.0", WorkerType="G.4X"),
        refused("InvalidInputException", 400, "Worker type G.4X is not supported for Glue Version 2.0"),
        both(reported("hashicorp/terraform-provider-aws#44420"), model("glue", "CreateJob")),
    ),
    Row(
        "job-streaming-worker-type-for-a-batch-job",
        job(WorkerType="G.025X"),
        refused("InvalidInputException"),
        model("glue", "CreateJob", "InvalidInputException"),
    ),
    Row(
        "job-workers-and-capacity",
        job(MaxCapacity=2.0),
        refused("InvalidInputException"),
        both(reported("boto/boto3#2644"), model("glue", "CreateJob", "InvalidInputException")),
    ),
    Row(
        "run-of-1-worker",
        (*job(), call("glue", "start_job_run", JobName="j-<n>", WorkerType="G.1X", NumberOfWorkers=1)),
        refused(
            "InvalidInputException", 0, "To use Worker Type G.1X, minimum allowed value of Number of Workers is 2."
        ),
        WORKERS_REPORTED,
    ),
    Row(
        "job-absent",
        (call("glue", "get_job", JobName="absent-<n>"),),
        NOT_FOUND,
        model("glue", "GetJob", "EntityNotFoundException"),
    ),
    Row(
        "job-absent-deleted",
        (call("glue", "delete_job", JobName="absent-<n>"),),
        accepted(),
        model("glue", "DeleteJob"),
    ),
    Row(
        "run-of-no-job",
        (call("glue", "start_job_run", JobName="absent-<n>"),),
        NOT_FOUND,
        model("glue", "StartJobRun", "EntityNotFoundException"),
    ),
    Row(
        "run-absent",
        (*job(), call("glue", "get_job_run", RunId="jr_absent", **JOB_NAMED)),
        NOT_FOUND,
        model("glue", "GetJobRun", "EntityNotFoundException"),
    ),
    Row(
        "database-twice",
        (DATABASE, DATABASE),
        refused("AlreadyExistsException"),
        model("glue", "CreateDatabase", "AlreadyExistsException"),
    ),
    Row(
        "database-absent",
        (call("glue", "get_database", Name="absent_<n>"),),
        NOT_FOUND,
        model("glue", "GetDatabase", "EntityNotFoundException"),
    ),
    Row(
        "database-name-in-capitals-is-lowered",
        (call("glue", "create_database", DatabaseInput={"Name": "D_<n>"}), call("glue", "get_database", Name="d_<n>")),
        accepted(),
        model("glue", "DatabaseInput"),
    ),
    Row(
        "table-in-no-database",
        (call("glue", "create_table", DatabaseName="absent_<n>", TableInput={"Name": "t"}),),
        NOT_FOUND,
        model("glue", "CreateTable", "EntityNotFoundException"),
    ),
    Row(
        "catalog-table-twice",
        (DATABASE, TABLE, TABLE),
        refused("AlreadyExistsException"),
        model("glue", "CreateTable", "AlreadyExistsException"),
    ),
    Row(
        "catalog-table-absent",
        (DATABASE, call("glue", "get_table", DatabaseName="d_<n>", Name="absent")),
        NOT_FOUND,
        model("glue", "GetTable", "EntityNotFoundException"),
    ),
    Row(
        "table-update-of-an-old-version",
        (
            DATABASE,
            TABLE,
            call("glue", "update_table", DatabaseName="d_<n>", TableInput={"Name": "t"}, VersionId="7"),
        ),
        refused("ConcurrentModificationException"),
        model("glue", "UpdateTable", "ConcurrentModificationException"),
    ),
]

BAD_REQUEST = refused("InvalidRequestException")
ATHENA_ROWS = [
    Row(
        "query-in-no-workgroup",
        (query(WorkGroup="absent-<n>"),),
        refused("InvalidRequestException", 0, "is not found"),
        reported("ColeMurray/aws-athena-mcp#23"),
    ),
    Row(
        "query-with-nowhere-to-put-results",
        (workgroup(), query()),
        refused(
            "InvalidRequestException",
            400,
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input.",
        ),
        both(reported("awsdocs/amazon-athena-user-guide#36"), model("athena", "ResultConfiguration")),
    ),
    Row(
        "query-results-not-in-s3",
        (workgroup(), query(ResultConfiguration={"OutputLocation": "/results/x"})),
        BAD_REQUEST,
        model("athena", "ResultConfiguration", "InvalidRequestException"),
    ),
    Row(
        "query-empty", (workgroup(), query("")), BAD_REQUEST, model("athena", "QueryString", "InvalidRequestException")
    ),
    Row(
        "query-too-long",
        (workgroup(), query("SELECT " + "1" * 262144)),
        BAD_REQUEST,
        model("athena", "QueryString", "InvalidRequestException"),
    ),
    Row(
        "query-execution-absent",
        (call("athena", "get_query_execution", QueryExecutionId="00000000-0000-0000-0000-000000000000"),),
        BAD_REQUEST,
        model("athena", "GetQueryExecution", "InvalidRequestException"),
    ),
    Row(
        "workgroup-twice",
        (workgroup(), workgroup()),
        BAD_REQUEST,
        model("athena", "CreateWorkGroup", "InvalidRequestException"),
    ),
    Row(
        "workgroup-name-with-a-space",
        (call("athena", "create_work_group", Name="w <n>"),),
        BAD_REQUEST,
        model("athena", "WorkGroupName", "InvalidRequestException"),
    ),
    Row(
        "workgroup-cutoff-below-10-mb",
        (workgroup(BytesScannedCutoffPerQuery=10),),
        BAD_REQUEST,
        model("athena", "BytesScannedCutoffValue", "InvalidRequestException"),
    ),
    Row(
        "workgroup-absent",
        (call("athena", "get_work_group", WorkGroup="absent-<n>"),),
        BAD_REQUEST,
        model("athena", "GetWorkGroup", "InvalidRequestException"),
    ),
    Row(
        "workgroup-primary-deleted",
        (call("athena", "delete_work_group", WorkGroup="primary"),),
        BAD_REQUEST,
        model("athena", "DeleteWorkGroup", "InvalidRequestException"),
        not_asked="it names the account's own primary workgroup",
    ),
    Row(
        "workgroup-not-empty",
        (
            workgroup(),
            call(
                "athena", "create_named_query", Name="q", Database="default", QueryString="SELECT 1", WorkGroup="w-<n>"
            ),
            call("athena", "delete_work_group", WorkGroup="w-<n>"),
        ),
        refused("InvalidRequestException", 400, "is not empty"),
        reported("aws-samples/coast-grafana-cost-intelligence-dashboards#9"),
    ),
    Row(
        "saved-query-token-again-after-deletion",
        (
            workgroup(),
            saved_query(),
            call("athena", "delete_named_query", NamedQueryId=ref(1, "NamedQueryId")),
            saved_query(),
            call("athena", "get_named_query", NamedQueryId=ref(3, "NamedQueryId")),
        ),
        BAD_REQUEST,
        model("athena", "CreateNamedQuery"),
    ),
    Row(
        "saved-query-token-with-another-description",
        (workgroup(), saved_query(), saved_query(Description="another")),
        BAD_REQUEST,
        model("athena", "CreateNamedQuery"),
    ),
    Row(
        "saved-query-absent",
        (call("athena", "get_named_query", NamedQueryId="00000000-0000-0000-0000-000000000000"),),
        BAD_REQUEST,
        model("athena", "GetNamedQuery", "InvalidRequestException"),
    ),
]

ROWS = [*GLUE_ROWS, *ATHENA_ROWS]
