"""Lambda, Glue, Athena: what a function, a job, a database, a workgroup may be."""

from __future__ import annotations

import io
import json
import zipfile

from contract_table import Call, Row, accepted, call, ref, refused

ACCOUNT = "123456789012"
LAMBDA = "https://docs.aws.amazon.com/lambda/latest/api/"
FUNCTION = LAMBDA + "API_CreateFunction.html"
LAMBDA_QUOTAS = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
GLUE = "https://docs.aws.amazon.com/glue/latest/webapi/"
JOB = GLUE + "API_CreateJob.html"
ATHENA = "https://docs.aws.amazon.com/athena/latest/APIReference/"


def trusting(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", "def handler(event, context):\n    return event\n")
    return buffer.getvalue()


def role_for(service: str) -> Call:
    return call("iam", "create_role", RoleName="r-<n>", AssumeRolePolicyDocument=trusting(service))


LAMBDA_ROLE = role_for("lambda.amazonaws.com")
GLUE_ROLE = role_for("glue.amazonaws.com")
DEFINITION = {
    "FunctionName": "f-<n>",
    "Runtime": "python3.12",
    "Handler": "handler.handler",
    "Role": ref(0, "Role", "Arn"),
    "Code": {"ZipFile": _zip()},
}
MAKE = call("lambda", "create_function", **DEFINITION)
CANNOT_ASSUME = "The role defined for the function cannot be assumed by Lambda."


def function(**changes: object) -> tuple[Call, ...]:
    return (LAMBDA_ROLE, call("lambda", "create_function", **(DEFINITION | changes)))


def on_function(operation: str, **parameters: object) -> tuple[Call, ...]:
    return (LAMBDA_ROLE, MAKE, call("lambda", operation, **({"FunctionName": "f-<n>"} | parameters)))


JOB_DEFINITION = {
    "Name": "j-<n>",
    "Role": ref(0, "Role", "Arn"),
    "GlueVersion": "5.1",
    "WorkerType": "G.1X",
    "NumberOfWorkers": 2,
    "Command": {"Name": "glueetl", "ScriptLocation": "s3://absent/job.py", "PythonVersion": "3"},
}


def job(**changes: object) -> tuple[Call, ...]:
    definition = {name: value for name, value in (JOB_DEFINITION | changes).items() if value is not None}
    return (GLUE_ROLE, call("glue", "create_job", **definition))


DATABASE = call("glue", "create_database", DatabaseInput={"Name": "d_<n>"})


def workgroup(**configuration: object) -> Call:
    return call("athena", "create_work_group", Name="w-<n>", Configuration=configuration)


INVALID = "InvalidParameterValueException"
CHECKED = "ValidationException"

LAMBDA_ROWS = [
    Row(
        "function-role-absent",
        function(Role=f"arn:aws:iam::{ACCOUNT}:role/absent-<n>"),
        refused(INVALID, 400, CANNOT_ASSUME),
        FUNCTION,
    ),
    Row(
        "function-role-trusts-another-service",
        (role_for("glue.amazonaws.com"), call("lambda", "create_function", **DEFINITION)),
        refused(INVALID, 400, CANNOT_ASSUME),
        FUNCTION,
    ),
    Row(
        "function-update-to-a-role-that-is-absent",
        on_function("update_function_configuration", Role=f"arn:aws:iam::{ACCOUNT}:role/absent-<n>"),
        refused(INVALID, 400, CANNOT_ASSUME),
        LAMBDA + "API_UpdateFunctionConfiguration.html",
    ),
    Row("function-name-with-a-space", function(FunctionName="f <n>"), refused(CHECKED, 400, "functionName"), FUNCTION),
    Row("function-name-65-characters", function(FunctionName="f" * 65), refused(CHECKED, 400), FUNCTION),
    Row("function-timeout-0", function(Timeout=0), refused(CHECKED, 400, "timeout"), FUNCTION),
    Row("function-timeout-901", function(Timeout=901), refused(CHECKED, 400, "timeout"), FUNCTION),
    Row("function-memory-127", function(MemorySize=127), refused(CHECKED, 400, "memorySize"), FUNCTION),
    Row("function-memory-10241", function(MemorySize=10241), refused(CHECKED, 400, "memorySize"), FUNCTION),
    Row("function-runtime-unknown", function(Runtime="python9.9"), refused(INVALID, 400, "runtime"), FUNCTION),
    Row(
        "function-environment-5-kb",
        function(Environment={"Variables": {"A": "x" * 5000}}),
        refused(INVALID, 400, "4KB"),
        LAMBDA_QUOTAS,
    ),
    Row(
        "function-environment-reserved-name",
        function(Environment={"Variables": {"AWS_REGION": "x"}}),
        refused(INVALID, 400, "reserved"),
        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
    ),
    Row("function-not-a-zip", function(Code={"ZipFile": b"no"}), refused(INVALID, 400, "unzip"), FUNCTION),
    Row(
        "function-twice",
        on_function("create_function", **DEFINITION),
        refused("ResourceConflictException", 409, "Function already exist"),
        FUNCTION,
    ),
    Row(
        "function-absent",
        (call("lambda", "get_function", FunctionName="absent-<n>"),),
        refused("ResourceNotFoundException", 404, "Function not found"),
        LAMBDA + "API_GetFunction.html",
    ),
    Row(
        "function-dead-letter-queue-absent",
        function(DeadLetterConfig={"TargetArn": "no-arn"}),
        refused(CHECKED, 400),
        FUNCTION,
    ),
    Row(
        "function-retries-3",
        on_function("put_function_event_invoke_config", MaximumRetryAttempts=3),
        refused(CHECKED, 400, "maximumRetryAttempts"),
        LAMBDA + "API_PutFunctionEventInvokeConfig.html",
    ),
    Row(
        "permission-given-twice",
        (
            LAMBDA_ROLE,
            MAKE,
            *(
                call(
                    "lambda",
                    "add_permission",
                    FunctionName="f-<n>",
                    StatementId="s",
                    Action="lambda:InvokeFunction",
                    Principal="s3.amazonaws.com",
                ),
            )
            * 2,
        ),
        refused("ResourceConflictException", 409),
        LAMBDA + "API_AddPermission.html",
    ),
    Row(
        "permission-never-given-removed",
        on_function("remove_permission", StatementId="absent"),
        refused("ResourceNotFoundException", 404),
        LAMBDA + "API_RemovePermission.html",
    ),
    Row(
        "invoke-with-no-json",
        on_function("invoke", Payload=b"{"),
        refused("InvalidRequestContentException", 400, "Could not parse request body into json"),
        LAMBDA + "API_Invoke.html",
    ),
    Row(
        "invoke-with-no-concurrency-left",
        (
            LAMBDA_ROLE,
            MAKE,
            call("lambda", "put_function_concurrency", FunctionName="f-<n>", ReservedConcurrentExecutions=0),
            call("lambda", "invoke", FunctionName="f-<n>"),
        ),
        refused("TooManyRequestsException", 429),
        LAMBDA + "API_Invoke.html",
    ),
]

GLUE_ROWS = [
    Row(
        "job-role-absent",
        job(Role=f"arn:aws:iam::{ACCOUNT}:role/absent-<n>"),
        refused("InvalidInputException", 400, "role"),
        JOB,
    ),
    Row(
        "job-role-trusts-another-service",
        (LAMBDA_ROLE, call("glue", "create_job", **JOB_DEFINITION)),
        refused("InvalidInputException", 400, "role"),
        JOB,
    ),
    Row("job-version-unknown", job(GlueVersion="9.9"), refused("InvalidInputException", 400), JOB),
    Row("job-worker-type-unknown", job(WorkerType="G.3X"), refused("InvalidInputException", 400), JOB),
    Row("job-workers-1", job(NumberOfWorkers=1), refused("InvalidInputException", 400), JOB),
    Row("job-workers-and-capacity", job(MaxCapacity=2.0), refused("InvalidInputException", 400), JOB),
    Row("job-without-role", job(Role=None), refused("InvalidInputException", 400), JOB),
    Row("job-timeout-0", job(Timeout=0), refused("InvalidInputException", 400), JOB),
    Row(
        "job-same-name-other-definition",
        (*job(), *job(Timeout=7)[1:]),
        refused("IdempotentParameterMismatchException", 400),
        JOB,
    ),
    Row(
        "job-tags-51",
        job(Tags={f"k{number}": "" for number in range(51)}),
        refused("InvalidInputException", 400),
        GLUE + "API_TagResource.html",
    ),
    Row(
        "job-absent",
        (call("glue", "get_job", JobName="absent-<n>"),),
        refused("EntityNotFoundException", 400),
        GLUE + "API_GetJob.html",
    ),
    Row(
        "job-absent-deleted",
        (call("glue", "delete_job", JobName="absent-<n>"),),
        accepted(),
        GLUE + "API_DeleteJob.html",
    ),
    Row(
        "run-of-no-job",
        (call("glue", "start_job_run", JobName="absent-<n>"),),
        refused("EntityNotFoundException", 400),
        GLUE + "API_StartJobRun.html",
    ),
    Row(
        "runs-more-than-allowed",
        (*job(), *(call("glue", "start_job_run", JobName="j-<n>"),) * 2),
        refused("ConcurrentRunsExceededException", 400),
        GLUE + "API_StartJobRun.html",
    ),
    Row(
        "run-absent",
        (*job(), call("glue", "get_job_run", JobName="j-<n>", RunId="jr_absent")),
        refused("EntityNotFoundException", 400),
        GLUE + "API_GetJobRun.html",
    ),
    Row(
        "database-twice", (DATABASE, DATABASE), refused("AlreadyExistsException", 400), GLUE + "API_CreateDatabase.html"
    ),
    Row(
        "database-absent",
        (call("glue", "get_database", Name="absent_<n>"),),
        refused("EntityNotFoundException", 400),
        GLUE + "API_GetDatabase.html",
    ),
    Row(
        "database-name-256",
        (call("glue", "create_database", DatabaseInput={"Name": "d" * 256}),),
        refused("InvalidInputException", 400),
        GLUE + "API_CreateDatabase.html",
    ),
    Row(
        "database-name-in-capitals-is-lowered",
        (call("glue", "create_database", DatabaseInput={"Name": "D_<n>"}), call("glue", "get_database", Name="d_<n>")),
        accepted(),
        "https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html",
    ),
    Row(
        "table-in-no-database",
        (call("glue", "create_table", DatabaseName="absent_<n>", TableInput={"Name": "t"}),),
        refused("EntityNotFoundException", 400),
        GLUE + "API_CreateTable.html",
    ),
    Row(
        "table-update-of-an-old-version",
        (
            DATABASE,
            call("glue", "create_table", DatabaseName="d_<n>", TableInput={"Name": "t"}),
            call("glue", "update_table", DatabaseName="d_<n>", TableInput={"Name": "t"}, VersionId="7"),
        ),
        refused("ConcurrentModificationException", 400),
        GLUE + "API_UpdateTable.html",
    ),
]

ATHENA_ROWS = [
    Row(
        "query-in-no-workgroup",
        (call("athena", "start_query_execution", QueryString="SELECT 1", WorkGroup="absent-<n>"),),
        refused("InvalidRequestException", 400, "is not found"),
        ATHENA + "API_StartQueryExecution.html",
    ),
    Row(
        "query-with-nowhere-to-put-results",
        (workgroup(), call("athena", "start_query_execution", QueryString="SELECT 1", WorkGroup="w-<n>")),
        refused("InvalidRequestException", 400, "No output location provided"),
        "https://docs.aws.amazon.com/athena/latest/ug/query-results-specify-location.html",
    ),
    Row(
        "query-results-not-in-s3",
        (
            workgroup(),
            call(
                "athena",
                "start_query_execution",
                QueryString="SELECT 1",
                WorkGroup="w-<n>",
                ResultConfiguration={"OutputLocation": "/results/x"},
            ),
        ),
        refused("InvalidRequestException", 400, "not a valid S3 path"),
        ATHENA + "API_ResultConfiguration.html",
    ),
    Row(
        "query-empty",
        (workgroup(), call("athena", "start_query_execution", QueryString="", WorkGroup="w-<n>")),
        refused("InvalidRequestException", 400),
        ATHENA + "API_StartQueryExecution.html",
    ),
    Row(
        "query-too-long",
        (workgroup(), call("athena", "start_query_execution", QueryString="SELECT " + "1" * 262144, WorkGroup="w-<n>")),
        refused("InvalidRequestException", 400),
        ATHENA + "API_StartQueryExecution.html",
    ),
    Row(
        "query-execution-absent",
        (call("athena", "get_query_execution", QueryExecutionId="00000000-0000-0000-0000-000000000000"),),
        refused("InvalidRequestException", 400, "was not found"),
        ATHENA + "API_GetQueryExecution.html",
    ),
    Row(
        "workgroup-twice",
        (workgroup(), workgroup()),
        refused("InvalidRequestException", 400, "already created"),
        ATHENA + "API_CreateWorkGroup.html",
    ),
    Row(
        "workgroup-name-with-a-space",
        (call("athena", "create_work_group", Name="w <n>"),),
        refused("InvalidRequestException", 400),
        ATHENA + "API_CreateWorkGroup.html",
    ),
    Row(
        "workgroup-cutoff-below-10-mb",
        (workgroup(BytesScannedCutoffPerQuery=10),),
        refused("InvalidRequestException", 400),
        ATHENA + "API_WorkGroupConfiguration.html",
    ),
    Row(
        "workgroup-absent",
        (call("athena", "get_work_group", WorkGroup="absent-<n>"),),
        refused("InvalidRequestException", 400, "is not found"),
        ATHENA + "API_GetWorkGroup.html",
    ),
    Row(
        "workgroup-primary-deleted",
        (call("athena", "delete_work_group", WorkGroup="primary"),),
        refused("InvalidRequestException", 400),
        "https://docs.aws.amazon.com/athena/latest/ug/deleting-workgroups.html",
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
        ATHENA + "API_DeleteWorkGroup.html",
    ),
    Row(
        "saved-query-absent",
        (call("athena", "get_named_query", NamedQueryId="00000000-0000-0000-0000-000000000000"),),
        refused("InvalidRequestException", 400),
        ATHENA + "API_GetNamedQuery.html",
    ),
]

ROWS = [*LAMBDA_ROWS, *GLUE_ROWS, *ATHENA_ROWS]
