"""The smallest request of an operation that botocore lets out, and a client on the local endpoint to send it."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from lakectl.local.control import Endpoint

CONFIG = Config(
    retries={"total_max_attempts": 1},
    inject_host_prefix=False,
    endpoint_discovery_enabled=False,
    s3={"addressing_style": "path"},
    parameter_validation=True,
)
_VALUES: dict[str, Any] = {
    "blob": b"x",
    "boolean": True,
    "timestamp": 1_700_000_000,
}


def made(endpoint: Endpoint, service: str) -> Any:
    """A client that tries once and puts no prefix before the host."""
    return boto3.client(
        service,
        endpoint_url=endpoint.url,
        region_name="eu-west-1",
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        config=CONFIG,
    )


def parameters(shape: Any) -> dict[str, Any]:
    """The required members, each as small as its shape lets it be."""
    return {name: value(shape.members[name]) for name in shape.required_members} if shape is not None else {}


def value(shape: Any, depth: int = 0) -> Any:
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_tagged_union", False):
            name = next(iter(shape.members))
            return {name: value(shape.members[name], depth + 1)}
        names = shape.required_members if depth < 8 else ()
        return {name: value(shape.members[name], depth + 1) for name in names}
    if kind == "list":
        return [value(shape.member, depth + 1) for _ in range(min(max(1, shape.metadata.get("min", 1)), 1000))]
    if kind == "map":
        return {value(shape.key, depth + 1): value(shape.value, depth + 1)}
    if kind in ("integer", "long", "float", "double"):
        return max(shape.metadata.get("min", 1), 1)
    if kind == "string":
        return shape.enum[0] if shape.enum else "x" * max(shape.metadata.get("min", 1), 1)
    return _VALUES[kind]


def code(client: Any, operation: str) -> tuple[str, int, str]:
    """What the operation is answered with its smallest request: the error's code, status, words; ("", 200, "")."""
    model = client.meta.service_model.operation_model(operation)
    name = next(name for name, each in client.meta.method_to_api_mapping.items() if each == operation)
    try:
        getattr(client, name)(**parameters(model.input_shape))
    except ClientError as error:
        about = error.response
        return about["Error"]["Code"], about["ResponseMetadata"]["HTTPStatusCode"], about["Error"].get("Message", "")
    return "", 200, ""
