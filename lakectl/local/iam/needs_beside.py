"""What a call needs beside its own action: to pass on the roles that it names, and to set the tags that it brings.

IAM user guide, "Granting a user permissions to pass a role to an AWS service"; Service Authorization Reference, each
service's page, "Dependent actions".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree

from lakectl.local.iam import roles
from lakectl.local.iam.calls import Call
from lakectl.local.iam.evaluator import Check

# (service, operation) → where its roles are, and which service shall take them on
PASSED = {
    ("lambda", "CreateFunction"): ("Role", "lambda.amazonaws.com"),
    ("lambda", "UpdateFunctionConfiguration"): ("Role", "lambda.amazonaws.com"),
    ("glue", "CreateJob"): ("Role", "glue.amazonaws.com"),
    ("glue", "UpdateJob"): ("JobUpdate.Role", "glue.amazonaws.com"),
    ("events", "PutRule"): ("RoleArn", "events.amazonaws.com"),
    ("events", "PutTargets"): ("Targets.RoleArn", "events.amazonaws.com"),
    ("logs", "PutSubscriptionFilter"): ("roleArn", "logs.amazonaws.com"),
    ("athena", "CreateWorkGroup"): ("Configuration.ExecutionRole", "athena.amazonaws.com"),
    ("athena", "UpdateWorkGroup"): ("ConfigurationUpdates.ExecutionRole", "athena.amazonaws.com"),
}
# (service, operation) → the parameter with the tags, and the action that sets them
TAGGED = {
    ("athena", "CreateWorkGroup"): ("Tags", "athena:TagResource"),
    ("dynamodb", "CreateTable"): ("Tags", "dynamodb:TagResource"),
    ("events", "PutRule"): ("Tags", "events:TagResource"),
    ("glue", "CreateDatabase"): ("Tags", "glue:TagResource"),
    ("glue", "CreateJob"): ("Tags", "glue:TagResource"),
    ("iam", "CreateRole"): ("Tags", "iam:TagRole"),
    ("iam", "CreateUser"): ("Tags", "iam:TagUser"),
    ("lambda", "CreateFunction"): ("Tags", "lambda:TagResource"),
    ("logs", "CreateLogGroup"): ("tags", "logs:TagResource"),
    ("s3", "CreateBucket"): ("Tags", "s3:TagResource"),
    ("sqs", "CreateQueue"): ("tags", "sqs:tagqueue"),
    ("sts", "AssumeRole"): ("Tags", "sts:TagSession"),
}


def checks(call: Call, own: list[Check], account: str) -> list[Check]:
    """``own``: what the operation itself needs. The last of it names the resource that is made."""
    passed = PASSED.get((call.service, call.operation))
    found = []
    if passed and own:
        path, service = passed
        for role in _values(call.parameters, path.split(".")):
            arn = role_arn(role, account)
            context = {"iam:passedtoservice": (service,), "iam:associatedresourcearn": (own[-1].resource,)}
            found.append(Check("iam:PassRole", arn, context))
    if tags(call) and own:
        found.append(Check(TAGGED[_kind(call)][1], own[-1].resource))
    return found


def context(call: Call) -> dict[str, tuple[str, ...]]:
    """``aws:RequestTag`` and ``aws:TagKeys`` of a call that sets tags."""
    found = tags(call)
    keys: dict[str, tuple[str, ...]] = {f"aws:requesttag/{name.lower()}": (value,) for name, value in found.items()}
    return keys | ({"aws:tagkeys": tuple(found)} if found else {})


def tags(call: Call) -> dict[str, str]:
    """The tags that the call gives to what it makes."""
    place = TAGGED.get(_kind(call))
    if place is None:
        return {}
    given = call.parameters.get(place[0])
    if call.service == "s3":
        return _of_bucket(call.parameters.get("body", b""))
    if isinstance(given, Mapping):
        return {str(key): str(value) for key, value in given.items()}
    if isinstance(given, list):
        return {str(tag.get("Key")): str(tag.get("Value")) for tag in given if isinstance(tag, Mapping)}
    return _of_form(call.parameters)


def role_arn(name: str, account: str) -> str:
    """Of a role's name or ARN: Glue takes either."""
    if name.startswith("arn:"):
        return name
    role = roles.find_role(name.rpartition("/")[2], account)
    return role.arn if role is not None else f"arn:aws:iam::{account}:role/{name}"


def _kind(call: Call) -> tuple[str, str]:
    if call.service == "s3" and call.address is not None:
        query, method = call.parameters["query"], call.parameters["method"]
        makes = method == "PUT" and call.parameters["bucket"] and not call.parameters["key"] and not query
        return ("s3", "CreateBucket" if makes else "")
    return call.service, call.operation


def _values(parameters: Any, path: list[str]) -> Iterable[str]:
    """All that stand at ``path``, through lists too."""
    if isinstance(parameters, list):
        return [value for each in parameters for value in _values(each, path)]
    if not path:
        return [str(parameters)] if parameters else []
    return _values(parameters.get(path[0]), path[1:]) if isinstance(parameters, Mapping) else []


def _of_form(parameters: Mapping[str, Any]) -> dict[str, str]:
    """``Tags.member.1.Key`` and ``Tags.member.1.Value``, as the query protocol writes a list; SQS: ``Tag.1.Key``."""
    found = {}
    for name, key in parameters.items():
        stem, _, last = name.rpartition(".")
        if last == "Key" and stem.startswith(("Tags.member.", "Tag.")):
            found[str(key)] = str(parameters.get(f"{stem}.Value", ""))
    return found


def _of_bucket(body: bytes) -> dict[str, str]:
    if b"<Tag" not in body:
        return {}
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - from a client of this machine; expat has its own limits
    except ElementTree.ParseError:
        return {}  # S3 answers MalformedXML
    found = {}
    for each in root.iter():
        if each.tag.rpartition("}")[2] == "Tag":
            fields = {child.tag.rpartition("}")[2]: child.text or "" for child in each}
            found[fields.get("Key", "")] = fields.get("Value", "")
    return found
