"""Values that AWS refuses though the model says nothing of them, and moto fails on: an ARN that is none, a text that is
no JSON, a token that nobody gave out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from lakectl.local.iam.calls import Call
from lakectl.local.iam.refusals import Refusal, bad_request

TRANSACTED = ("Put", "Update", "Delete", "ConditionCheck")


def refusal(call: Call, service: str, operation: str) -> Refusal | None:
    look = _OF_OPERATION.get((service, operation)) or _OF_SERVICE.get(service)
    return look(call) if look is not None else None


def _same(code: str, message: str) -> Refusal:
    return bad_request(message, code, code, code)


def _publish(call: Call) -> Refusal | None:
    """[SNS, Publish: "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter"]"""
    if not call.parameters.get("TopicArn") and not call.parameters.get("TargetArn"):
        reason = "Reason: no value for required parameter"
        return _same("InvalidParameter", f"Invalid parameter: TopicArn or TargetArn {reason}")
    return _sns(call)


def _sns(call: Call) -> Refusal | None:
    """[SNS: "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"]"""
    for name in ("TopicArn", "TargetArn", "SubscriptionArn", "ResourceArn"):
        parts = len(str(call.parameters.get(name, ":::::")).split(":"))
        if parts < 6:
            reason = f"Reason: An ARN must have at least 6 elements, not {parts}"
            return _same("InvalidParameter", f"Invalid parameter: {name} {reason}")
    token = str(call.parameters.get("NextToken") or "0")
    return None if _is_count(token) else _same("InvalidParameter", "Invalid parameter: NextToken")


def _secrets(call: Call) -> Refusal | None:
    token = call.parameters.get("NextToken")
    if token and not _is_count(token):
        return _same("InvalidNextTokenException", "Invalid Token")
    if any(not tag.get("Key") for tag in call.parameters.get("Tags") or []):
        return _same("InvalidParameterException", "You must provide a key for each tag.")
    return None


def _random(call: Call) -> Refusal | None:
    """[KMS, GenerateRandom: "You must use the NumberOfBytes parameter"]"""
    missing = call.parameters.get("NumberOfBytes") is None
    return _same("ValidationException", "NumberOfBytes is required") if missing else None


def _ssm(call: Call) -> Refusal | None:
    token = call.parameters.get("NextToken")
    return None if not token or _is_count(token) else _same("InvalidNextToken", "The specified token is not valid.")


def _update_table(call: Call) -> Refusal | None:
    missing = call.parameters.get("TableInput") is None
    return _same("InvalidInputException", "TableInput is required") if missing else None


# Those that are mandatory [TestEventPattern, API reference, "Event"].
EVENT_FIELDS = ("id", "account", "source", "time", "region", "detail-type")


def _test_event(call: Call) -> Refusal | None:
    try:
        event = json.loads(call.parameters["Event"])
        fits = isinstance(event, dict) and event.keys() >= set(EVENT_FIELDS)
    except (ValueError, RecursionError):
        fits = False
    return None if fits else _same("ValidationException", "Parameter Event is not valid.")


def _transaction(call: Call) -> Refusal | None:
    for item in call.parameters["TransactItems"]:
        if sum(item.get(name) is not None for name in TRANSACTED) != 1:
            words = "TransactItems can only contain one of Check, Put, Update or Delete"
            return _same("ValidationException", words)
    return None


def _is_count(text: Any) -> bool:
    return str(text).isascii() and str(text).isdecimal() and len(str(text)) < 10


Look = Callable[[Call], Refusal | None]
_OF_SERVICE: dict[str, Look] = {"secretsmanager": _secrets, "sns": _sns, "ssm": _ssm}
_OF_OPERATION: dict[tuple[str, str], Look] = {
    ("dynamodb", "TransactWriteItems"): _transaction,
    ("events", "TestEventPattern"): _test_event,
    ("glue", "UpdateTable"): _update_table,
    ("kms", "GenerateRandom"): _random,
    ("sns", "Publish"): _publish,
}
