"""A function's configuration: what it may be, what it is when nothing is said, and how it is shown.

A version's configuration is a map as ``FunctionConfiguration`` of the API has it, without name and ARN. Names that
begin with ``_`` are ours: ``_code`` and ``_layers`` (SHA-256 of zips), ``_unzipped`` (bytes) and ``_change``, which is
another one after each change of code or configuration.
"""

from __future__ import annotations

import json
import re
import sys
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from lakectl.local.functions.errors import Refused, constrained, invalid, unsupported
from lakectl.local.functions.names import Reference
from lakectl.local.iam import roles
from lakectl.local.validation import constraint

ROLE_ARN = re.compile(r"arn:(aws[a-zA-Z-]*)?:iam::(\d{12}):role/?[a-zA-Z_0-9+=,.@\-_/]+")
ARN = re.compile(r"arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*")
RANGES = {"Timeout": (1, 900), "MemorySize": (128, 10240)}
STORAGE_MB = (512, 10240)
ENVIRONMENT_BYTES = 4096
ARCHITECTURES = ("x86_64", "arm64")
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
PENDING = {"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"}
IN_PROGRESS = {
    "LastUpdateStatus": "InProgress",
    "LastUpdateStatusReason": "The function is being created.",
    "LastUpdateStatusReasonCode": "Creating",
}
STATES = (*PENDING, *IN_PROGRESS)
# What would change how a function runs, and does not here: refused rather than ignored.
NOT_HERE = {
    "VpcConfig": ("SubnetIds", "a function in a VPC"),
    "FileSystemConfigs": ("", "a file system of EFS"),
    "CodeSigningConfigArn": ("", "code signing"),
    "ImageConfig": ("", "a function of a container image"),
    "TenancyConfig": ("", "tenant isolation"),
    "CapacityProviderConfig": ("", "a capacity provider"),
    "DurableConfig": ("", "a durable function"),
    "AcceleratorConfig": ("", "an accelerator"),
    "PublishTo": ("", "PublishTo"),
}


def check(spec: Mapping[str, Any], account: str) -> None:
    """Raises Refused for what CreateFunction and UpdateFunctionConfiguration may not say."""
    for field, (low, high) in RANGES.items():
        if spec.get(field) is not None:
            _between(spec[field], field[0].lower() + field[1:], low, high)
    if spec.get("EphemeralStorage"):
        _between(spec["EphemeralStorage"].get("Size"), "ephemeralStorage.size", *STORAGE_MB)
    _check_runtime(spec.get("Runtime"))
    for field, (inner, what) in NOT_HERE.items():
        if spec.get(field) and (not inner or spec[field].get(inner)):
            raise unsupported(what)
    if (spec.get("SnapStart") or {}).get("ApplyOn", "None") != "None":
        raise unsupported("SnapStart")
    if spec.get("PackageType") == "Image":
        raise unsupported("a function of a container image (PackageType Image)")
    _check_architectures(spec.get("Architectures"))
    dead_letter = (spec.get("DeadLetterConfig") or {}).get("TargetArn")
    if dead_letter and not ARN.fullmatch(dead_letter):
        rule = f"satisfy regular expression pattern: {ARN.pattern}"
        raise constrained(dead_letter, "deadLetterConfig.targetArn", rule)
    if len(spec.get("Description") or "") > 256:
        raise constrained(spec["Description"], "description", "have length less than or equal to 256")
    _check_environment((spec.get("Environment") or {}).get("Variables") or {})
    if spec.get("Role"):
        _check_role(spec["Role"], account)


def _between(value: Any, place: str, low: int, high: int) -> None:
    refusal = constraint.between(value, place, low, high)
    if refusal:
        raise Refused("ValidationException", refusal)


def _check_runtime(runtime: str | None) -> None:
    if runtime and runtime not in runtimes():
        rule = f"satisfy enum value set: [{', '.join(runtimes())}] or be a valid ARN"
        raise invalid(f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must {rule}")
    if runtime in RETIRED:
        raise invalid(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            f"We recommend you use the new runtime ({RETIRED[runtime]}) while creating or updating functions."
        )


def _check_architectures(given: list[str] | None) -> None:
    shown = f"[{', '.join(given or ())}]"
    if given and len(given) > 1:
        raise constrained(shown, "architectures", "have length less than or equal to 1")
    if given and given[0] not in ARCHITECTURES:
        rule = "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
        raise constrained(shown, "architectures", rule)


def _check_environment(variables: Mapping[str, str]) -> None:
    reserved = sorted(RESERVED & variables.keys())
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > ENVIRONMENT_BYTES:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {measured}"
        )


def _check_role(arn: str, account: str) -> None:
    found = ROLE_ARN.fullmatch(arn)
    if found is None:
        raise constrained(arn, "role", f"satisfy regular expression pattern: {ROLE_ARN.pattern}")
    if found[2] != account:
        raise Refused("AccessDeniedException", "Cross-account pass role is not allowed.")
    role = roles.find_role(arn, account, arn.split(":")[1])
    if role is None or not roles.may_be_assumed(role, "lambda.amazonaws.com"):
        raise invalid("The role defined for the function cannot be assumed by Lambda.")


@cache
def runtimes() -> tuple[str, ...]:
    """What botocore knows: it is as new as the boto3 that is installed."""
    from botocore.session import get_session

    return tuple(get_session().get_service_model("lambda").shape_for("Runtime").enum)


def new(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of ``$LATEST`` of a new function, but for its code."""
    made: dict[str, Any] = {
        "Runtime": spec["Runtime"],
        "Role": spec["Role"],
        "Handler": spec["Handler"],
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "PackageType": "Zip",
        "Architectures": list(spec.get("Architectures") or ["x86_64"]),
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{spec['FunctionName']}"},
        "RuntimeVersionConfig": {"RuntimeVersionArn": f"arn:aws:lambda:::runtime:{sys.version.split()[0]}"},
        **PENDING,
    }
    change(made, spec)
    return made


PLAIN = ("Role", "Handler", "Description", "Timeout", "MemorySize", "Runtime", "KMSKeyArn", "EphemeralStorage")


def change(configuration: dict[str, Any], spec: Mapping[str, Any]) -> None:
    """Set what a request says, and leave the rest."""
    for field in PLAIN:
        if spec.get(field) is not None:
            configuration[field] = spec[field]
    if spec.get("TracingConfig"):
        configuration["TracingConfig"] = {"Mode": spec["TracingConfig"].get("Mode") or "PassThrough"}
    if spec.get("Environment") is not None:
        configuration["Environment"] = {"Variables": dict(spec["Environment"].get("Variables") or {})}
    if spec.get("LoggingConfig"):
        configuration["LoggingConfig"] = configuration["LoggingConfig"] | spec["LoggingConfig"]
    if spec.get("DeadLetterConfig") is not None:
        configuration.pop("DeadLetterConfig", None)
        if spec["DeadLetterConfig"].get("TargetArn"):
            configuration["DeadLetterConfig"] = {"TargetArn": spec["DeadLetterConfig"]["TargetArn"]}
    touch(configuration)


def touch(configuration: dict[str, Any]) -> None:
    """Code or configuration has changed now."""
    configuration["_change"] = uuid.uuid4().hex
    configuration["LastModified"] = modified()
    revise(configuration)


def revise(configuration: dict[str, Any]) -> None:
    configuration["RevisionId"] = str(uuid.uuid4())


def modified(when: float | None = None) -> str:
    moment = datetime.fromtimestamp(time.time() if when is None else when, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def shown(configuration: Mapping[str, Any], reference: Reference) -> dict[str, Any]:
    """As answers have it; ``reference``: the function and the qualifier that its ARN is to have."""
    found = {name: value for name, value in configuration.items() if not name.startswith("_")}
    return found | {"FunctionName": reference.name, "FunctionArn": reference.arn}
