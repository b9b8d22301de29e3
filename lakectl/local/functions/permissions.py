"""Resource policies of functions, of their versions and aliases, and of layers.

https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html: a permission holds for the ARN that it
was given to. One without a qualifier says nothing about a version or an alias.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from lakectl.local.functions.errors import changed, conflict, constrained, invalid, not_found
from lakectl.local.functions.lifecycle import Functions
from lakectl.local.functions.names import LATEST, Reference
from lakectl.local.functions.store import LAYER, Item

SID = re.compile(r"[a-zA-Z0-9-_]+")
ACTION = re.compile(r"lambda:[*]|lambda:[a-zA-Z]+|[*]")
SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?")
ABSENT = "The resource you requested does not exist."


class Permissions:
    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def add(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        reference = self._functions.reference(region, request)
        _check_sid(request)
        if not ACTION.fullmatch(str(request.get("Action"))):
            raise constrained(request.get("Action"), "action", f"satisfy regular expression pattern: {ACTION.pattern}")
        if reference.qualifier == LATEST:
            raise invalid("We currently do not support adding policies for $LATEST.")
        self._functions.find(reference)
        item = self._functions.item(reference)
        policies = item["Policies"]
        statement = {
            "Sid": request["StatementId"],
            "Effect": "Allow",
            "Principal": _principal(str(request.get("Principal"))),
            "Action": request["Action"],
            "Resource": reference.arn,
        } | _condition(request)
        policies[reference.qualifier or ""] = _with(
            policies.get(reference.qualifier or ""), statement, request, "GetPolicy"
        )
        self._functions.put(region, item)
        return {"Statement": json.dumps(statement)}

    def remove(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        reference = self._functions.reference(region, request)
        if reference.name not in self._functions.kept.all(region, "function"):
            raise not_found(f"No policy found for: {reference.arn}")
        item = self._functions.item(reference)
        key = reference.qualifier or ""
        left = _without(item["Policies"].get(key), request, "GetPolicy")
        item["Policies"].pop(key, None)
        if left["Statements"]:
            item["Policies"][key] = left
        self._functions.put(region, item)
        return {}

    def get(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        reference = self._functions.reference(region, request)
        found = self._functions.item(reference)["Policies"].get(reference.qualifier or "")
        if found is None:
            raise not_found(ABSENT)
        return _shown(found)


class LayerPermissions:
    """Of layer versions. Who is of another account can't ask here; what the policy says is kept and shown."""

    def __init__(self, functions: Functions) -> None:
        self._kept = functions.kept

    def add(self, region: str, layer: Item, version: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
        _check_sid(request)
        if request.get("Action") != "lambda:GetLayerVersion":
            rule = "satisfy regular expression pattern: lambda:GetLayerVersion"
            raise constrained(request.get("Action"), "action", rule)
        principal = str(request.get("Principal"))
        statement: dict[str, Any] = {
            "Sid": request["StatementId"],
            "Effect": "Allow",
            "Principal": "*" if principal == "*" else _principal(principal),
            "Action": request["Action"],
            "Resource": version["LayerVersionArn"],
        }
        if request.get("OrganizationId"):
            statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": request["OrganizationId"]}}
        version["_policy"] = _with(version.get("_policy"), statement, request, "GetLayerPolicy")
        self._kept.put(region, LAYER, layer["LayerName"], layer)
        return {"Statement": json.dumps(statement), "RevisionId": version["_policy"]["RevisionId"]}

    def remove(self, region: str, layer: Item, version: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
        version["_policy"] = _without(version.get("_policy"), request, "GetLayerPolicy")
        self._kept.put(region, LAYER, layer["LayerName"], layer)
        return {}

    def get(self, version: dict[str, Any]) -> dict[str, Any]:
        if not (version.get("_policy") or {}).get("Statements"):
            raise not_found("No policy is associated with the given resource.")
        return _shown(version["_policy"])


def document(item: Item, reference: Reference) -> str | None:
    """The policy of exactly the ARN that ``reference`` stands for; None without one."""
    found = item["Policies"].get(reference.qualifier or "")
    return json.dumps(_document(found)) if found is not None else None


def _document(policy: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Id": "default", "Statement": policy["Statements"]}


def _shown(policy: dict[str, Any]) -> dict[str, Any]:
    return {"Policy": json.dumps(_document(policy)), "RevisionId": policy["RevisionId"]}


def _check_sid(request: dict[str, Any]) -> None:
    if not SID.fullmatch(str(request.get("StatementId"))):
        rule = f"satisfy regular expression pattern: ({SID.pattern})"
        raise constrained(request.get("StatementId"), "statementId", rule)


def _principal(text: str) -> Any:
    if text == "*":
        return "*"
    if text.isdigit() and len(text) == 12:
        return {"AWS": f"arn:aws:iam::{text}:root"}
    if text.startswith("arn:"):
        return {"AWS": text}
    if SERVICE.fullmatch(text):
        return {"Service": text}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


def _condition(request: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, dict[str, str]] = {}
    equals = {
        "AWS:SourceAccount": request.get("SourceAccount"),
        "lambda:EventSourceToken": request.get("EventSourceToken"),
        "aws:PrincipalOrgID": request.get("PrincipalOrgID"),
        "lambda:FunctionUrlAuthType": request.get("FunctionUrlAuthType"),
    }
    named = {key: str(value) for key, value in equals.items() if value}
    if named:
        found["StringEquals"] = named
    if request.get("SourceArn"):
        found["ArnLike"] = {"AWS:SourceArn": request["SourceArn"]}
    return {"Condition": found} if found else {}


def _with(
    policy: dict[str, Any] | None, statement: dict[str, Any], request: dict[str, Any], how_to_ask: str
) -> dict[str, Any]:
    statements = list(policy["Statements"]) if policy else []
    _check_revision(policy, request, how_to_ask)
    if any(each["Sid"] == statement["Sid"] for each in statements):
        raise conflict(
            f"The statement id ({statement['Sid']}) provided already exists. "
            "Please provide a new statement id, or remove the existing statement."
        )
    return {"RevisionId": str(uuid.uuid4()), "Statements": [*statements, statement]}


def _without(policy: dict[str, Any] | None, request: dict[str, Any], how_to_ask: str) -> dict[str, Any]:
    if not policy or not policy["Statements"]:
        raise not_found("No policy is associated with the given resource.")
    _check_revision(policy, request, how_to_ask)
    left = [each for each in policy["Statements"] if each["Sid"] != request["StatementId"]]
    if len(left) == len(policy["Statements"]):
        raise not_found(f"Statement {request['StatementId']} is not found in resource policy.")
    return {"RevisionId": str(uuid.uuid4()), "Statements": left}


def _check_revision(policy: dict[str, Any] | None, request: dict[str, Any], how_to_ask: str) -> None:
    if request.get("RevisionId") and (policy or {}).get("RevisionId") != request["RevisionId"]:
        raise changed(how_to_ask)
