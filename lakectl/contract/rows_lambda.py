"""Lambda: what a function may be, and who may call it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from lakectl.contract.sources import both, model, page, recorded, reported
from lakectl.contract.table import ACCOUNT, REGION, Call, Row, accepted, call, ref, refused

TESTS = "lambda_/test_lambda_api.snapshot.json"
NAMES = recorded(TESTS, "TestLambdaFunction::test_function_arns")
ABSENT = recorded(TESTS, "TestLambdaFunction::test_ops_on_nonexisting_fn")
ENVIRONMENT = page("https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html")


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
DEFINITION: dict[str, Any] = {
    "FunctionName": "f-<n>",
    "Runtime": "python3.12",
    "Handler": "handler.handler",
    "Role": ref(0, "Role", "Arn"),
    "Code": {"ZipFile": _zip()},
}
MAKE = call("lambda", "create_function", **DEFINITION)
PERMIT = call(
    "lambda",
    "add_permission",
    FunctionName="f-<n>",
    StatementId="s",
    Action="lambda:InvokeFunction",
    Principal="s3.amazonaws.com",
)
CANNOT_ASSUME = "The role defined for the function cannot be assumed by Lambda."
INVALID = "InvalidParameterValueException"
CHECKED = "ValidationException"  # a value outside the API model's constraints, as recorded for names and ARNs


def function(**changes: Any) -> tuple[Call, ...]:
    return (LAMBDA_ROLE, call("lambda", "create_function", **(DEFINITION | changes)))


def on_function(operation: str, **parameters: Any) -> tuple[Call, ...]:
    return (LAMBDA_ROLE, MAKE, call("lambda", operation, **({"FunctionName": "f-<n>"} | parameters)))


def of_no_function(operation: str) -> tuple[Call, ...]:
    return (call("lambda", operation, FunctionName="absent-<n>"),)


def outside(shape: str) -> str:
    return both(model("lambda", shape), NAMES)


NOT_FOUND = refused(
    "ResourceNotFoundException", 404, f"Function not found: arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
)
NOT_HERE = refused("ResourceNotFoundException", 404, f"are not reachable in this region ('{REGION}')")
ELSEWHERE = f"arn:aws:lambda:ap-southeast-1:{ACCOUNT}:function:f-<n>"
ROLE_REPORTS = reported("cloudyr/aws.lambda#2", "nficano/python-lambda#28", "alexcasalboni/aws-lambda-power-tuning#69")

ROWS = [
    Row(
        "function-role-absent",
        function(Role=f"arn:aws:iam::{ACCOUNT}:role/absent-<n>"),
        refused(INVALID, 400, CANNOT_ASSUME),
        ROLE_REPORTS,
    ),
    Row(
        "function-role-trusts-another-service",
        (role_for("glue.amazonaws.com"), MAKE),
        refused(INVALID, 400, CANNOT_ASSUME),
        ROLE_REPORTS,
    ),
    Row(
        "function-update-to-a-role-that-is-absent",
        on_function("update_function_configuration", Role=f"arn:aws:iam::{ACCOUNT}:role/absent-<n>"),
        refused(INVALID, 400, CANNOT_ASSUME),
        both(ROLE_REPORTS, model("lambda", "UpdateFunctionConfiguration")),
    ),
    Row("function-role-no-arn", function(Role="r1"), refused(CHECKED, 400), outside("RoleArn")),
    Row(
        "function-name-with-colons",
        function(FunctionName="invalid:function:name"),
        refused(CHECKED, 400, "at 'functionName' failed to satisfy constraint: Member must satisfy regular expression"),
        NAMES,
    ),
    Row("function-name-with-a-space", function(FunctionName="f <n>"), refused(CHECKED, 400, "functionName"), NAMES),
    Row(
        "function-name-65-characters",
        function(FunctionName="a" * 65),
        refused(
            INVALID,
            400,
            "at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64",
        ),
        NAMES,
    ),
    Row(
        "function-arn-141-characters",
        function(FunctionName=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:".ljust(141, "a")),
        refused(
            CHECKED,
            400,
            "at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 140",
        ),
        NAMES,
    ),
    Row("function-arn-of-another-region", function(FunctionName=ELSEWHERE), NOT_HERE, NAMES),
    Row(
        "function-got-of-another-region",
        (call("lambda", "get_function", FunctionName=ELSEWHERE),),
        NOT_HERE,
        recorded(TESTS, "TestLambdaFunction::test_get_function_wrong_region"),
    ),
    Row("function-timeout-0", function(Timeout=0), refused(CHECKED, 400), outside("Timeout")),
    Row("function-timeout-5401", function(Timeout=5401), refused(CHECKED, 400), outside("Timeout")),
    Row("function-memory-127", function(MemorySize=127), refused(CHECKED, 400), outside("MemorySize")),
    Row("function-memory-32769", function(MemorySize=32769), refused(CHECKED, 400), outside("MemorySize")),
    Row(
        "function-runtime-of-the-past",
        function(Runtime="python3.7"),
        refused(INVALID, 400, "The runtime parameter of python3.7 is no longer supported for creating or updating"),
        recorded(TESTS, "TestRuntimeValidation::test_create_deprecated_function_runtime_with_validation_enabled"),
    ),
    Row(
        "function-environment-over-4-kb",
        function(Environment={"Variables": {"A": "x" * 4200}}),
        refused(INVALID, 400, "the environment variables you have provided exceeded the 4KB limit."),
        both(reported("nasa/cumulus#2174", "aws-samples/aws-genai-llm-chatbot#583"), model("lambda", INVALID)),
    ),
    Row(
        "function-environment-reserved-name",
        function(Environment={"Variables": {"AWS_REGION": "x"}}),
        refused(
            INVALID,
            400,
            "contains reserved keys that are currently not supported for modification. "
            "Reserved keys used in this request: AWS_REGION",
        ),
        both(reported("mattermost/mattermost-cloud-monitoring#264"), ENVIRONMENT, model("lambda", INVALID)),
    ),
    Row(
        "function-twice",
        on_function("create_function", **DEFINITION),
        refused("ResourceConflictException", 409),
        model("lambda", "ResourceConflictException", "CreateFunction"),
    ),
    Row("function-absent", of_no_function("get_function"), NOT_FOUND, ABSENT),
    Row("function-absent-deleted", of_no_function("delete_function"), NOT_FOUND, ABSENT),
    Row("function-absent-configuration", of_no_function("get_function_configuration"), NOT_FOUND, ABSENT),
    Row(
        "function-absent-retries",
        of_no_function("get_function_event_invoke_config"),
        refused("ResourceNotFoundException", 404, "doesn't have an EventInvokeConfig"),
        ABSENT,
    ),
    Row(
        "function-dead-letter-target-no-arn",
        function(DeadLetterConfig={"TargetArn": "no-arn"}),
        refused(CHECKED, 400),
        outside("ResourceArn"),
    ),
    Row(
        "function-retries-3",
        on_function("put_function_event_invoke_config", MaximumRetryAttempts=3),
        refused(CHECKED, 400),
        outside("MaximumRetryAttempts"),
    ),
    Row(
        "permission-given-twice",
        (LAMBDA_ROLE, MAKE, PERMIT, PERMIT),
        refused("ResourceConflictException", 409),
        model("lambda", "ResourceConflictException", "AddPermission"),
    ),
    Row(
        "permission-never-given-removed",
        on_function("remove_permission", StatementId="absent"),
        refused("ResourceNotFoundException", 404),
        model("lambda", "ResourceNotFoundException", "RemovePermission"),
    ),
    Row(
        "invoke-with-no-json",
        on_function("invoke", Payload=b"{"),
        refused("InvalidRequestContentException", 400),
        model("lambda", "InvalidRequestContentException"),
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
        model("lambda", "Invoke", "TooManyRequestsException"),
    ),
    Row(
        "function-updated-in-part",
        on_function("update_function_configuration", Description="d"),
        accepted(Description="d"),
        recorded(TESTS, "TestLambdaFunction::test_redundant_updates"),
    ),
]
