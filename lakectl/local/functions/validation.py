"""Lambda: names, limits, the runtime, the environment, the role.

Wrapped: ``LambdaBackend.create_function``, ``get_function``, ``update_function_configuration`` and
``get_function_event_invoke_config``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from moto.awslambda.exceptions import InvalidRoleFormat, LambdaClientError, UnknownFunctionException
from moto.awslambda.models import LambdaBackend

from lakectl.local.iam import roles
from lakectl.local.validation import constraint

NAME = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
MAX_ARN, MAX_NAME = 140, 64
ROLE_ARN = re.compile(InvalidRoleFormat.pattern)
# Those that AWS was recorded to refuse, and what it recommends in their place.
RETIRED = {
    "dotnetcore3.1": "dotnet6",
    "go1.x": "provided.al2023",
    "java8": "java21",
    "nodejs12.x": "nodejs18.x",
    "nodejs14.x": "nodejs20.x",
    "provided": "provided.al2023",
    "python3.7": "python3.12",
    "ruby2.7": "ruby3.2",
}
ARN = re.compile(r"arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*")
RANGES = {"Timeout": (1, 900), "MemorySize": (128, 10240)}
INVALID = "InvalidParameterValueException"
ENVIRONMENT_BYTES = 4096
# "Defined runtime environment variables" of the developer guide: those that a function can't set.
RESERVED = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
}


class Refused(LambdaClientError):
    def __init__(self, message: str, kind: str = "ValidationException") -> None:
        super().__init__(kind, message)


class NotFound(Refused):
    code = 404

    def __init__(self, message: str) -> None:
        super().__init__(message, "ResourceNotFoundException")


def install() -> None:
    LambdaBackend.create_function = _creating(LambdaBackend.create_function)
    LambdaBackend.get_function = _here(LambdaBackend.get_function)
    LambdaBackend.update_function_configuration = _updating(LambdaBackend.update_function_configuration)
    LambdaBackend.get_function_event_invoke_config = _invoked(LambdaBackend.get_function_event_invoke_config)


def _creating(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_function(self: LambdaBackend, spec: dict[str, Any]) -> Any:
        name = str(spec.get("FunctionName", ""))
        if len(name) > MAX_ARN:
            raise Refused(constraint.text(name, "functionName", f"have length less than or equal to {MAX_ARN}"))
        if not NAME.fullmatch(name):
            rule = f"satisfy regular expression pattern: {NAME.pattern}"
            raise Refused(constraint.text(name, "functionName", rule))
        if ":" not in name and len(name) > MAX_NAME:
            rule = f"have length less than or equal to {MAX_NAME}"
            raise Refused(constraint.text(name, "functionName", rule), INVALID)
        _check_region(self, name)
        _check(self, spec)
        return original(self, spec)

    return create_function


def _here(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_function(self: LambdaBackend, function_name_or_arn: str, qualifier: str | None = None) -> Any:
        _check_region(self, function_name_or_arn)
        return original(self, function_name_or_arn, qualifier)

    return get_function


def _check_region(backend: LambdaBackend, name: str) -> None:
    named = name.split(":")[3] if name.startswith("arn:") else backend.region_name
    if named != backend.region_name:
        raise NotFound(f"Functions from '{named}' are not reachable in this region ('{backend.region_name}')")


def _invoked(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_function_event_invoke_config(self: LambdaBackend, function_name: str) -> Any:
        try:
            return original(self, function_name)
        except UnknownFunctionException as error:
            arn = f"arn:aws:lambda:{self.region_name}:{self.account_id}:function:{function_name}:$LATEST"
            raise NotFound(f"The function {arn} doesn't have an EventInvokeConfig") from error

    return get_function_event_invoke_config


def _updating(original: Callable[..., Any]) -> Callable[..., Any]:
    def update_function_configuration(
        self: LambdaBackend, function_name: str, qualifier: str, body: dict[str, Any]
    ) -> Any:
        self.get_function(function_name, qualifier)
        _check(self, body)
        return original(self, function_name, qualifier, body)

    return update_function_configuration


def _check(backend: LambdaBackend, spec: dict[str, Any]) -> None:
    for field, (low, high) in RANGES.items():
        if spec.get(field) is not None:
            place = field[0].lower() + field[1:]
            refusal = constraint.between(spec[field], place, low, high)
            if refusal:
                raise Refused(refusal)
    runtime = spec.get("Runtime")
    if runtime and runtime not in _runtimes():
        rule = f"satisfy enum value set: [{', '.join(_runtimes())}] or be a valid ARN"
        raise Refused(f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must {rule}", INVALID)
    if runtime in RETIRED:
        raise Refused(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            f"We recommend you use the new runtime ({RETIRED[runtime]}) while creating or updating functions.",
            INVALID,
        )
    dead_letter = (spec.get("DeadLetterConfig") or {}).get("TargetArn")
    if dead_letter and not ARN.fullmatch(dead_letter):
        rule = f"satisfy regular expression pattern: {ARN.pattern}"
        raise Refused(constraint.text(dead_letter, "deadLetterConfig.targetArn", rule))
    _check_environment((spec.get("Environment") or {}).get("Variables") or {})
    if spec.get("Role"):
        if not ROLE_ARN.fullmatch(spec["Role"]):
            raise InvalidRoleFormat(spec["Role"])
        _check_role(backend, spec["Role"])


def _check_environment(variables: dict[str, str]) -> None:
    reserved = sorted(RESERVED & variables.keys())
    if reserved:
        raise Refused(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}",
            INVALID,
        )
    if len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode()) > ENVIRONMENT_BYTES:
        raise Refused(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided exceeded the 4KB limit.",
            INVALID,
        )


def _check_role(backend: LambdaBackend, arn: str) -> None:
    role = roles.find_role(arn, backend.account_id, backend.partition)
    if role is None or not roles.may_be_assumed(role, "lambda.amazonaws.com"):
        raise Refused("The role defined for the function cannot be assumed by Lambda.", INVALID)


@cache
def _runtimes() -> tuple[str, ...]:
    """What botocore knows: it is as new as the boto3 that is installed."""
    from botocore.session import get_session

    return tuple(get_session().get_service_model("lambda").shape_for("Runtime").enum)
