"""How asynchronous invocations are retried, and where they end: a configuration for each qualifier.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
"""

from __future__ import annotations

import re
import time
from typing import Any

from lakectl.local.functions import names
from lakectl.local.functions.errors import Refused, constrained, invalid, not_found
from lakectl.local.functions.lifecycle import Functions
from lakectl.local.functions.names import LATEST, Reference
from lakectl.local.functions.pages import page
from lakectl.local.iam import roles
from lakectl.local.validation import constraint

RANGES = {"MaximumRetryAttempts": (0, 2), "MaximumEventAgeInSeconds": (60, 21_600)}
DESTINATION = re.compile(
    r"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|"
    r"(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"
)
# What Lambda does to a destination, by the service of its ARN: Lambda developer guide, "Adding a destination".
ACTIONS = {
    "sqs": ("sqs:SendMessage", "SendMessage on SQS"),
    "sns": ("sns:Publish", "Publish on SNS"),
    "events": ("events:PutEvents", "PutEvents on EventBridge"),
    "lambda": ("lambda:InvokeFunction", "InvokeFunction on Lambda"),
}


class InvokeConfigs:
    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def put(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        return self._write(region, request, {})

    def update(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        """What the request does not say stays."""
        reference, found = self._find(region, request)
        if found is None:
            raise _absent(reference)
        return self._write(region, request, found)

    def _write(self, region: str, request: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        reference = self._functions.reference(region, request)
        for field, (low, high) in RANGES.items():
            if request.get(field) is not None:
                refusal = constraint.between(request[field], field[0].lower() + field[1:], low, high)
                if refusal:
                    raise Refused("ValidationException", refusal)
        try:
            made = self._functions.find(reference)
        except Refused:
            raise not_found("The function doesn't exist.") from None
        if all(request.get(field) is None for field in (*RANGES, "DestinationConfig")):
            raise invalid("You must specify at least one of error handling or destination setting.")
        config = {**before, **{field: request[field] for field in RANGES if request.get(field) is not None}}
        if request.get("DestinationConfig") is not None:
            self._check_destinations(reference, made, request["DestinationConfig"])
            config["DestinationConfig"] = request["DestinationConfig"]
        config["LastModified"] = time.time()
        item = self._functions.item(reference)
        item["InvokeConfigs"][reference.qualifier or LATEST] = config
        self._functions.put(region, item)
        return _shown(reference, config)

    def _check_destinations(self, reference: Reference, made: dict[str, Any], given: dict[str, Any]) -> None:
        for kind in ("OnSuccess", "OnFailure"):
            arn = (given.get(kind) or {}).get("Destination")
            if not arn:
                continue
            if not DESTINATION.fullmatch(arn):
                place = f"destinationConfig.{kind[0].lower()}{kind[1:]}.destination"
                raise constrained(arn, place, f"satisfy regular expression pattern: {DESTINATION.pattern}")
            service = arn.split(":")[2]
            if service not in ACTIONS:
                each = {name: (given.get(name) or {}).get("Destination") or None for name in ("OnSuccess", "OnFailure")}
                shown = ", ".join(
                    f"{name[0].lower()}{name[1:]}={f'{name}(destination={value})' if value else 'null'}"
                    for name, value in each.items()
                )
                raise invalid(f"The provided destination config DestinationConfig({shown}) is invalid.")
            if service == "lambda":
                target = names.of_arn(arn)
                if target is not None and target.name == reference.name:
                    raise invalid("You can't specify the function as a destination for itself.")
                if target is None or target.name not in self._functions.kept.all(reference.region, "function"):
                    raise invalid(f"The destination ARN {arn} is invalid.")
            action, told = ACTIONS[service]
            if roles.refusal(made["Role"], reference.name, action, arn):
                raise invalid(f"The function's execution role does not have permissions to call {told}.")

    def get(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        reference, found = self._find(region, request)
        if found is None:
            raise _absent(reference)
        return _shown(reference, found)

    def delete(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        reference, found = self._find(region, request)
        if found is None:
            raise _absent(reference)
        item = self._functions.item(reference)
        del item["InvokeConfigs"][reference.qualifier or LATEST]
        self._functions.put(region, item)
        return {}

    def list(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        function = self._functions.unqualified(region, request)
        found = [
            _shown(Reference(region, function.account, function.name, qualifier), config)
            for qualifier, config in self._functions.item(function)["InvokeConfigs"].items()
        ]
        return page(found, "FunctionEventInvokeConfigs", request)

    def _find(self, region: str, request: dict[str, Any]) -> tuple[Reference, dict[str, Any] | None]:
        reference = self._functions.reference(region, request)
        item = self._functions.kept.all(region, "function").get(reference.name)
        return reference, item["InvokeConfigs"].get(reference.qualifier or LATEST) if item else None


def _absent(reference: Reference) -> Refused:
    arn = f"{reference.function_arn}:{reference.qualifier or LATEST}"
    return not_found(f"The function {arn} doesn't have an EventInvokeConfig")


def _shown(reference: Reference, config: dict[str, Any]) -> dict[str, Any]:
    destinations = {
        kind: (config.get("DestinationConfig") or {}).get(kind) or {} for kind in ("OnSuccess", "OnFailure")
    }
    return {
        **config,
        "FunctionArn": f"{reference.function_arn}:{reference.qualifier or LATEST}",
        "DestinationConfig": destinations,
    }
