"""Which parameters an operation has, from botocore's models."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from moto.core.utils import get_service_model

from lakectl.local.iam import refusals
from lakectl.local.iam.refusals import Refused

# Signing name → botocore's, where they differ; for other services whose names differ nothing is known here.
NAMES = {"monitoring": "cloudwatch", "execute-api": "apigatewaymanagementapi"}
TARGETS = {"DynamoDBStreams_20120810": "dynamodbstreams"}
COMMON = {"Action", "Version", "ContentType"}


@lru_cache(maxsize=512)
def service(signing_name: str) -> Any:
    """moto's view of botocore's model; None for a signing name that is no service's name."""
    try:
        return get_service_model(NAMES.get(signing_name, signing_name))
    except (UnknownServiceError, ValueError, OSError):
        return None


@lru_cache(maxsize=4096)
def parameters(signing_name: str, operation: str, prefix: str) -> frozenset[str] | None:
    """Of an operation that an ``X-Amz-Target`` of this prefix names; None when the service is not known.

    Raises Refused for an operation that the service does not have.
    """
    model = service(TARGETS.get(prefix, signing_name))
    if model is None:
        return None
    if model.metadata.get("targetPrefix") != prefix:
        raise Refused(refusals.UNKNOWN_OPERATION)
    shape = _input(model, operation)
    return frozenset(shape.members) if shape is not None else frozenset()


@lru_cache(maxsize=4096)
def query_parameters(signing_name: str, operation: str) -> frozenset[str] | None:
    """What the names in a form begin with, up to the first dot; None when the service is not known."""
    model = service(signing_name)
    if model is None:
        return None
    protocols = {model.protocol, *model.metadata.get("protocols", ())}
    if not protocols & {"query", "ec2"}:
        raise Refused(refusals.UNKNOWN_OPERATION)
    shape = _input(model, operation)
    names = set(COMMON)
    for name, member in (shape.members if shape is not None else {}).items():
        names |= {name, str(member.serialization.get("name", name))}
        element = getattr(member, "member", None) or getattr(member, "key", None)
        names |= {
            str(each.serialization["name"]) for each in (element,) if each is not None and "name" in each.serialization
        }
        # SQS names the elements of its lists in the singular, and its maps too.
        names |= {name.removesuffix("s"), name.removesuffix("ies") + "y"} if signing_name == "sqs" else set()
    if signing_name == "sqs" and operation.endswith("Batch"):
        names.add(f"{operation}RequestEntry")
    return frozenset(names) if "query" in protocols else None


def _input(model: Any, operation: str) -> Any:
    try:
        return model.operation_model(operation).input_shape
    except OperationNotFoundError:
        raise Refused(refusals.UNKNOWN_OPERATION) from None
