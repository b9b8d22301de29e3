"""What can't be read gets AWS's 400 in its protocol's form: never a 500, which clients repeat, and never HTML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from minimal_requests import made
from raw_requests import FORM, Answer, own

from lakectl.local.control import Endpoint
from lakectl.local.iam.cbor import encode_map

JSON = "application/x-amz-json-1.0"
DYNAMODB = {"Content_Type": JSON, "X_Amz_Target": "DynamoDB_20120810."}


def target(name: str, kind: str = JSON) -> dict[str, str]:
    return {"Content_Type": kind, "X_Amz_Target": name}


def code_of(answer: Answer) -> str:
    """The error's code, from whichever form it is in."""
    if answer.headers["content-type"].startswith("application/cbor"):
        return answer.headers["x-amzn-errortype"]
    if answer.body.startswith("{"):
        return str(json.loads(answer.body)["__type"]).rpartition("#")[2]
    assert "<Code>" in answer.body, answer
    return answer.body.partition("<Code>")[2].partition("</Code>")[0]


FUNCTION = "/2015-03-31/functions"
LOGS = "Logs_20140328."
GLUE = "AWSGlue."
CASES: dict[str, tuple[tuple[str, str, str, bytes, dict[str, str]], str]] = {
    "json: an unknown operation": (
        ("dynamodb", "POST", "/", b"{}", target("DynamoDB_20120810.Nope")),
        "UnknownOperationException",
    ),
    "query: an unknown operation": (
        ("iam", "POST", "/", b"Action=Nope&Version=2010-05-08", {"Content_Type": FORM}),
        "InvalidAction",
    ),
    "query: no operation": (("iam", "POST", "/", b"", {"Content_Type": FORM}), "InvalidAction"),
    "rest: an unknown path": (("lambda", "GET", "/2015-03-31/nothing", b"", {}), "UnknownOperationException"),
    "rest: an unknown method": (("lambda", "PATCH", FUNCTION, b"", {}), "UnknownOperationException"),
    "json: no JSON": (
        ("dynamodb", "POST", "/", b"{", target("DynamoDB_20120810.ListTables")),
        "SerializationException",
    ),
    "json: a list": (
        ("dynamodb", "POST", "/", b"[]", target("DynamoDB_20120810.ListTables")),
        "SerializationException",
    ),
    "json: no UTF-8": (
        ("dynamodb", "POST", "/", b'{"TableName": "\xff"}', target("DynamoDB_20120810.DescribeTable")),
        "SerializationException",
    ),
    "json: half a surrogate pair": (
        ("logs", "POST", "/", b'{"logGroupName": "\\ud800"}', target(f"{LOGS}CreateLogGroup")),
        "SerializationException",
    ),
    "json: deep": (
        ("glue", "POST", "/", b'{"Name":' + b"[" * 100_000, target(f"{GLUE}GetDatabase")),
        "SerializationException",
    ),
    "json: a list for a map": (
        ("dynamodb", "POST", "/", b'{"TableName": "t", "Item": []}', target("DynamoDB_20120810.PutItem")),
        "SerializationException",
    ),
    "json: a number for a text": (
        ("dynamodb", "POST", "/", b'{"TableName": "t", "Item": {"a": {"N": 1}}}', target("DynamoDB_20120810.PutItem")),
        "SerializationException",
    ),
    "json: bytes that are no Base64": (
        (
            "dynamodb",
            "POST",
            "/",
            b'{"TableName": "t", "Item": {"a": {"B": "?"}}}',
            target("DynamoDB_20120810.PutItem"),
        ),
        "SerializationException",
    ),
    "json: a required parameter is missing": (
        ("dynamodb", "POST", "/", b'{"TableName": "t"}', target("DynamoDB_20120810.PutItem")),
        "ValidationException",
    ),
    "json: null for a required parameter": (
        ("events", "POST", "/", b'{"Name": null}', target("AWSEvents.DescribeRule")),
        "ValidationException",
    ),
    "json: no value of the enum": (
        ("dynamodb", "POST", "/", b'{"TableName": "t", "Select": "x"}', target("DynamoDB_20120810.Scan")),
        "ValidationException",
    ),
    "json: below the bound": (
        ("dynamodb", "POST", "/", b'{"TableName": "t", "Limit": 0}', target("DynamoDB_20120810.Scan")),
        "ValidationException",
    ),
    "json: logs says it otherwise": (
        ("logs", "POST", "/", b'{"limit": 100000}', target(f"{LOGS}DescribeLogGroups")),
        "InvalidParameterException",
    ),
    "json: glue": (
        ("glue", "POST", "/", b'{"DatabaseInput": {}}', target(f"{GLUE}CreateDatabase")),
        "ValidationException",
    ),
    "json: sqs": (
        ("sqs", "POST", "/", b'{"QueueUrl": "http://x"}', target("AmazonSQS.SendMessage")),
        "MissingParameter",
    ),
    "json: sqs, a list for a map": (
        ("sqs", "POST", "/", b'{"QueueName": "q", "Attributes": []}', target("AmazonSQS.CreateQueue")),
        "SerializationException",
    ),
    "query: a required parameter is missing": (
        ("iam", "POST", "/", b"Action=CreateRole&Version=2010-05-08", {"Content_Type": FORM}),
        "ValidationError",
    ),
    "query: no number": (
        ("iam", "POST", "/", b"Action=ListRoles&MaxItems=abc&Version=2010-05-08", {"Content_Type": FORM}),
        "MalformedInput",
    ),
    "query: sns": (("sns", "POST", "/", b"Action=Subscribe", {"Content_Type": FORM}), "InvalidParameter"),
    "query: no UTF-8": (
        ("sns", "POST", "/", b"Action=ListTopics&NextToken=\xff", {"Content_Type": FORM}),
        "MalformedQueryString",
    ),
    "rest: no JSON": (
        ("lambda", "POST", FUNCTION, b"{", {"Content_Type": "application/json"}),
        "SerializationException",
    ),
    "rest: a text for a number": (
        ("lambda", "POST", FUNCTION, b'{"FunctionName": "f", "Role": "r", "Code": {}, "MemorySize": "x"}', {}),
        "SerializationException",
    ),
    "rest: a required parameter is missing": (("lambda", "POST", FUNCTION, b"{}", {}), "ValidationException"),
    "rest: no number in the query": (("lambda", "GET", f"{FUNCTION}?MaxItems=abc", b"", {}), "SerializationException"),
    "cbor: no CBOR": (
        ("monitoring", "POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics", b"\xff", {}),
        "SerializationException",
    ),
    "cbor: a text for a list": (
        (
            "monitoring",
            "POST",
            "/service/GraniteServiceVersion20100801/operation/PutMetricData",
            encode_map({"Namespace": "n", "MetricData": "x"}),
            {},
        ),
        "SerializationException",
    ),
    "s3: no number": (("s3", "GET", "/malformed?max-keys=abc", b"", {}), "InvalidArgument"),
    "s3: no part's number": (("s3", "PUT", "/malformed/k?partNumber=0&uploadId=x", b"", {}), "InvalidArgument"),
    "s3: no method": (("s3", "PATCH", "/malformed/k", b"", {}), "MethodNotAllowed"),
    "s3: no XML": (("s3", "PUT", "/malformed?tagging", b"<", {}), "MalformedXML"),
    "s3: another XML": (("s3", "PUT", "/malformed?tagging", b"<Other/>", {}), "MalformedXML"),
    "s3: an element is missing": (("s3", "PUT", "/malformed?tagging", b"<Tagging/>", {}), "MalformedXML"),
    "s3: no UTF-8": (("s3", "PUT", "/malformed?versioning", b"<VersioningConfiguration>\xff", {}), "MalformedXML"),
    "s3: an empty body": (("s3", "PUT", "/malformed?tagging", b"", {}), "MissingRequestBodyError"),
    "s3: no parts": (
        ("s3", "POST", "/malformed/k?uploadId=x", b"<CompleteMultipartUpload/>", {}),
        "MalformedXML",
    ),
}


@pytest.fixture(scope="module", autouse=True)
def bucket(endpoint: Endpoint) -> None:
    made(endpoint, "s3").create_bucket(
        Bucket="malformed", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_in_the_form_of_its_protocol(endpoint: Endpoint, case: str) -> None:
    (service, method, path, body, headers), code = CASES[case]
    answer = own(endpoint).send(service, method, path, body, **headers)
    assert (answer.status, code_of(answer)) == (405 if code == "MethodNotAllowed" else 400, code), answer


WORDS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "null": (
        "dynamodb",
        "PutItem",
        {"TableName": "t"},
        "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null",
    ),
    "enum": (
        "dynamodb",
        "CreateTable",
        {
            "TableName": "t",
            "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "X"}],
        },
        "1 validation error detected: Value 'X' at 'attributeDefinitions.1.member.attributeType' failed to satisfy "
        "constraint: Member must satisfy enum value set: [S, N, B]",
    ),
    "two": (
        "events",
        "PutTargets",
        {"Targets": [{"Arn": "arn:aws:sqs:eu-west-1:123456789012:q"}]},
        "2 validation errors detected: Value null at 'rule' failed to satisfy constraint: Member must not be null; "
        "Value null at 'targets.1.member.id' failed to satisfy constraint: Member must not be null",
    ),
    "sqs": ("sqs", "SendMessage", {"QueueUrl": "http://x"}, "The request must contain the parameter MessageBody."),
    "sns": (
        "sns",
        "Subscribe",
        {"Protocol": "sqs"},
        "Invalid parameter: TopicArn Reason: no value for required parameter",
    ),
}


@pytest.mark.parametrize("case", WORDS)
def test_the_words_are_aws(endpoint: Endpoint, case: str) -> None:
    """As issues show them: AllocZero/EfficientDynamoDb#164, scalar-labs/scalardb#189, sul-dlss/dlme#432."""
    service, operation, asked, words = WORDS[case]
    client = made(endpoint, service)
    client.meta.config.parameter_validation = False
    with pytest.raises(ClientError) as refused:
        unchecked(client, operation, asked)
    assert refused.value.response["Error"]["Message"] == words


def unchecked(client: Any, operation: str, asked: Mapping[str, Any]) -> Any:
    """The call without botocore's own validation."""
    from botocore import serialize

    model = client.meta.service_model
    client._serializer = serialize.create_serializer(model.resolved_protocol, include_validation=False)
    return client._make_api_call(operation, dict(asked))


def test_a_parameter_that_is_refused_spoils_no_other(endpoint: Endpoint) -> None:
    """Each PutParameter that failed left an entry without versions, on which DescribeParameters failed for ever."""
    ssm = made(endpoint, "ssm")
    with pytest.raises(ClientError):
        ssm.put_parameter(Name="aws-x", Value="v", Type="String")
    with pytest.raises(ClientError):
        ssm.put_parameter(Name="/malformed", Value="", Type="String", DataType="aws:nothing")
    ssm.put_parameter(Name="/sound", Value="v", Type="String")
    assert "/sound" in [each["Name"] for each in ssm.describe_parameters()["Parameters"]]
