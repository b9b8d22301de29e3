"""Lambda: names, limits, the environment, the role.

Wrapped: ``LambdaBackend.create_function``, ``update_function_configuration``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend

from lakectl.local.iam import roles
from lakectl.local.validation import constraint

NAME = re.compile(r"[a-zA-Z0-9-_]{1,64}")
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


def install() -> None:
    LambdaBackend.create_function = _creating(LambdaBackend.create_function)
    LambdaBackend.update_function_configuration = _updating(LambdaBackend.update_function_configuration)


def _creating(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_function(self: LambdaBackend, spec: dict[str, Any]) -> Any:
        name = str(spec.get("FunctionName", ""))
        short = name.rpartition(":")[2] if name.startswith("arn:") else name
        if not NAME.fullmatch(short):
            rule = f"satisfy regular expression pattern: {NAME.pattern}"
            raise Refused(constraint.text(name, "functionName", rule))
        _check(self, spec)
        return original(self, spec)

    return create_function


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
    dead_letter = (spec.get("DeadLetterConfig") or {}).get("TargetArn")
    if dead_letter and not ARN.fullmatch(dead_letter):
        rule = f"satisfy regular expression pattern: {ARN.pattern}"
        raise Refused(constraint.text(dead_letter, "deadLetterConfig.targetArn", rule))
    _check_environment((spec.get("Environment") or {}).get("Variables") or {})
    if spec.get("Role"):
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
