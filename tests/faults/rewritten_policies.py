"""Policies as AWS hands them back: another order, single values without an array, principals in their other form."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote, unquote

from recording_proxy import Call

from lakectl.resources.policy_document import statements

IN_XML = re.compile(rb"<(PolicyDocument|AssumeRolePolicyDocument)>(.*?)</\1>", re.DOTALL)


def rewritten(policy: dict[str, Any]) -> dict[str, Any]:
    """The same policy, written in another way wherever the grammar allows it."""
    found = [_statement(each) for each in reversed(statements(policy))]
    return {**policy, "Id": "rewritten", "Statement": found if len(found) > 1 else found[0]}


def _statement(statement: dict[str, Any]) -> dict[str, Any]:
    changed = {key: _turned(value) for key, value in statement.items()}
    if "Condition" in statement:
        changed["Condition"] = {
            operator: {key.swapcase(): _turned(value) for key, value in tests.items()}
            for operator, tests in statement["Condition"].items()
        }
    if "Principal" in statement:
        everybody = statement["Principal"] == "*"
        changed["Principal"] = {"AWS": "*"} if everybody else {k: _turned(v) for k, v in statement["Principal"].items()}
    changed["Effect"] = statement["Effect"]
    changed |= {"Sid": statement["Sid"]} if "Sid" in statement else {}
    return dict(reversed(changed.items()))


def _turned(value: Any) -> Any:
    if isinstance(value, list):
        return value[0] if len(value) == 1 else value[::-1]
    return [value] if isinstance(value, str) else value


def rewrite(call: Call, body: bytes) -> bytes:
    """For ``Proxy.rewrite``: the policies in answers of S3, SQS, IAM and Lambda."""
    if call.service == "s3" and call.operation.startswith("GET ") and call.operation.endswith("?policy"):
        found = json.loads(body) if body.startswith(b"{") else {}
        return json.dumps(rewritten(found)).encode() if "Statement" in found else body
    if call.service == "sqs" and call.operation == "GetQueueAttributes":
        answer = json.loads(body)
        if "Policy" in answer.get("Attributes", {}):
            answer["Attributes"]["Policy"] = json.dumps(rewritten(json.loads(answer["Attributes"]["Policy"])))
        return json.dumps(answer).encode()
    if call.service == "lambda" and re.fullmatch(r"GET /2015-03-31/functions/[^/]+/policy", call.operation):
        answer = json.loads(body)
        if "Policy" in answer:
            answer["Policy"] = json.dumps(rewritten(json.loads(answer["Policy"])))
        return json.dumps(answer).encode()
    if call.service == "iam":
        return IN_XML.sub(_in_xml, body)
    return body


def _in_xml(found: re.Match[bytes]) -> bytes:
    policy = json.loads(unquote(found[2].decode()).replace("&quot;", '"'))
    tag = found[1]
    return b"<" + tag + b">" + quote(json.dumps(rewritten(policy))).encode() + b"</" + tag + b">"
