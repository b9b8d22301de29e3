"""Errors as AWS words them: code, message and HTTP status, in the form of each service's protocol.

From the API references' error lists and from reports in public issues; ``docs/aws-notes.md`` names them.
"""

from __future__ import annotations

import json
import re

from recording_proxy import Answer, xml_error

BUSY_BUCKET = "A conflicting conditional operation is currently in progress against this resource. Please try again."
CONCURRENT_ROLE = (
    "The request was rejected because multiple requests to change this object were submitted simultaneously. "
    "Wait a few minutes and submit your request again."
)
BUSY_GROUP = "A conflicting operation is currently in progress against this resource. Please try again."


def s3(code: str, message: str, status: int) -> Answer:
    return xml_error(code, message, status)


def iam(code: str, message: str, status: int) -> Answer:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    body = f'<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">{error}</ErrorResponse>'
    return Answer(status, body.encode(), {"Content-Type": "text/xml"})


def lambda_(code: str, message: str, status: int) -> Answer:
    """REST-JSON: the code is a header."""
    body = json.dumps({"Type": "User", "Message": message, "message": message})
    return Answer(status, body.encode(), {"Content-Type": "application/json", "x-amzn-ErrorType": code})


def json_1_1(code: str, message: str) -> Answer:
    """DynamoDB, Glue, EventBridge, CloudWatch Logs, Athena: 400, with the code in the body."""
    body = json.dumps({"__type": code, "message": message, "Message": message})
    return Answer(400, body.encode(), {"Content-Type": "application/x-amz-json-1.1"})


def sqs(code: str, query_code: str, message: str) -> Answer:
    body = json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": message})
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-query-error": f"{query_code};Sender"}
    return Answer(400, body.encode(), headers)


def code_of(answer: Answer) -> str:
    """The error code of any of these answers."""
    body = answer.body.decode()
    found = re.search(r'(?:<Code>|"__type": "|"ErrorCode": ")([\w.#]+)', body)
    return answer.headers.get("x-amzn-ErrorType") or (found[1] if found else "")


def failed_target(code: str, message: str) -> Answer:
    """PutTargets and RemoveTargets: 200."""
    entry = {"TargetId": "lakectl-target", "ErrorCode": code, "ErrorMessage": message}
    body = json.dumps({"FailedEntryCount": 1, "FailedEntries": [entry]})
    return Answer(200, body.encode(), {"Content-Type": "application/x-amz-json-1.1"})


NO_BUCKET = s3("NoSuchBucket", "The specified bucket does not exist", 404)
BUCKET_BUSY = s3("OperationAborted", BUSY_BUCKET, 409)
FUNCTION_PENDING = lambda_(
    "ResourceConflictException",
    "The operation cannot be performed at this time. The function is currently in the following state: Pending",
    409,
)
FUNCTION_IN_PROGRESS = lambda_(
    "ResourceConflictException",
    "The operation cannot be performed at this time. An update is in progress for resource: "
    "arn:aws:lambda:eu-west-1:000000000000:function:f",
    409,
)
FUNCTION_CONCURRENT = lambda_(
    "ResourceConflictException",
    "The function could not be updated due to a concurrent update operation. Please try again later.",
    409,
)
NO_FUNCTION = lambda_(
    "ResourceNotFoundException", "Function not found: arn:aws:lambda:eu-west-1:000000000000:function:f", 404
)
CONCURRENT_RULE = json_1_1(
    "ConcurrentModificationException", "Rule r on EventBus default was modified concurrently. Please try again."
)
CONCURRENT_CATALOG = json_1_1("ConcurrentModificationException", "Table being modified concurrently.")
NOT_READY = json_1_1("ResourceNotReadyException", "A resource was not ready for a transaction.")
