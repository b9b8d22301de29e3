"""What the policies are asked about is what runs: a request that can be read in two ways is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.credentials import Credentials
from local_helpers import ACCOUNT, REGION
from raw_requests import FORM, Sender, own

from lakectl.local.control import Endpoint

FORBIDDEN = "made-by-a-trick"


@pytest.fixture(scope="module")
def user(client: Any, endpoint: Endpoint) -> Iterator[Sender]:
    """A user that may list users, and read one bucket and one function."""
    iam, s3 = client("iam"), client("s3")
    iam.create_user(UserName="narrow")
    allowed = [
        ("iam:ListUsers", "*"),
        ("s3:ListAllMyBuckets", "*"),
        ("iam:GetUser", f"arn:aws:iam::{ACCOUNT}:role/open"),
        ("s3:GetObject", "arn:aws:s3:::judged-open/*"),
        ("s3:GetBucketLocation", "arn:aws:s3:::judged-secret"),
        ("s3:GetAccelerateConfiguration", "arn:aws:s3:::judged-secret"),
        ("s3:PutObject", "arn:aws:s3:::judged-open/*"),
        ("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:judged-open"),
        ("s3:GetObject", "arn:aws:s3:::iam_us-east-1/*"),
    ]
    statements = [{"Effect": "Allow", "Action": action, "Resource": arn} for action, arn in allowed]
    iam.put_user_policy(
        UserName="narrow",
        PolicyName="narrow",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    for bucket in ("judged-open", "judged-secret"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="judged-secret", Key="judged-open/k", Body=b"hidden")
    s3.put_object(Bucket="judged-open", Key="k", Body=b"open")
    for queue in ("judged-open", "judged-secret"):
        client("sqs").create_queue(QueueName=queue)
    keys = iam.create_access_key(UserName="narrow")["AccessKey"]
    yield Sender(endpoint, Credentials(keys["AccessKeyId"], keys["SecretAccessKey"]))
    iam.delete_access_key(UserName="narrow", AccessKeyId=keys["AccessKeyId"])
    iam.delete_user_policy(UserName="narrow", PolicyName="narrow")
    iam.delete_user(UserName="narrow")


CREATE = f"Action=CreateUser&UserName={FORBIDDEN}".encode()


def two_scopes(headers: dict[str, str]) -> None:
    scope = headers["Authorization"].split("Credential=")[1].split(",")[0]
    rest = headers["Authorization"].partition(" ")[2]
    headers["Authorization"] = f"AWS4-HMAC-SHA256 {scope}, {rest.replace('/iam/', '/s3/')}"


TRICKS: dict[str, dict[str, Any]] = {
    "two credential scopes": {"method": "GET", "target": f"/?{CREATE.decode()}", "change": two_scopes},
    "Action twice": {"body": CREATE + b"&Action=ListUsers", "Content_Type": FORM},
    "Action in the query and in the body": {"target": "/?Action=ListUsers", "body": CREATE, "Content_Type": FORM},
    "content type in capitals": {"target": "/?Action=ListUsers", "body": CREATE, "Content_Type": FORM.upper()},
    "multipart": {
        "target": "/?Action=ListUsers",
        "body": b"".join(
            b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % each
            for each in ((b"Action", b"CreateUser"), (b"UserName", FORBIDDEN.encode()))
        )
        + b"--x--\r\n",
        "Content_Type": "multipart/form-data; boundary=x",
    },
    "a target and another Action": {
        "target": f"/?Action=CreateUser&UserName={FORBIDDEN}",
        "body": b"{}",
        "Content_Type": "application/x-amz-json-1.1",
        "X_Amz_Target": "Iam.ListUsers",
    },
}


@pytest.mark.parametrize("trick", TRICKS)
def test_no_user_is_made_with_the_permission_to_list_users(client: Any, user: Sender, trick: str) -> None:
    """Item 21: two readings of one request."""
    answer = user.send("iam", **TRICKS[trick])
    names = {each["UserName"] for each in client("iam").list_users()["Users"]}
    if FORBIDDEN in names:
        client("iam").delete_user(UserName=FORBIDDEN)
    assert FORBIDDEN not in names
    assert 400 <= answer.status < 500, answer


def test_an_unknown_parameter_is_not_what_is_judged(user: Sender) -> None:
    """Item 21: RoleName is no parameter of GetUser, so that it can't say which resource is asked for."""
    answer = user.send("iam", body=b"Action=GetUser&UserName=narrow&RoleName=open", Content_Type=FORM)
    assert (answer.status, "AccessDenied" in answer.body) == (403, True)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("judged-secret.s3.eu-west-1.amazonaws.com", "/judged-open/k"),
        ("judged-secret.localhost", "/judged-open/k"),
        ("judged-secret.s3.localhost", "/judged-open/k"),
        ("", "//judged-secret/judged-open/k"),
        ("", "/judged-secret%2Fjudged-open/k"),
        ("", "/judged-open%2F..%2Fjudged-secret/judged-open/k"),
        ("", "http://judged-secret.localhost/judged-open/k"),
    ],
)
def test_a_bucket_is_named_once(user: Sender, endpoint: Endpoint, host: str, path: str) -> None:
    """Item 21: the virtual host of one bucket with the path of another, and paths that two parsers read differently."""
    port = f":{endpoint.port}"
    answer = user.send("s3", "GET", path, **({"host": host + port} if host else {}))
    assert 400 <= answer.status < 500, answer
    assert "hidden" not in answer.body


def test_two_subresources_are_refused(user: Sender) -> None:
    """Item 21: which of two subresources is meant is not for each reader to choose."""
    answer = user.send("s3", "GET", "/judged-secret?accelerate&versioning")
    assert (answer.status, "<Code>InvalidArgument</Code>" in answer.body) == (400, True), answer


def test_a_copy_source_names_one_version(client: Any, user: Sender) -> None:
    """Item 21: an encoded ``?versionId=`` belongs to the key."""
    client("s3").put_object(Bucket="judged-open", Key="a?versionId=b", Body=b"x")
    source = "/judged-open/a%3FversionId=b"
    answer = user.send("s3", "PUT", "/judged-open/copied", x_amz_copy_source=source)
    assert answer.status == 200, answer


def test_a_service_in_the_path_of_a_presigned_url_is_a_bucket(user: Sender) -> None:
    """Item 21: without an Authorization header moto takes the service from the path."""
    import boto3
    from botocore.config import Config

    s3 = boto3.client(
        "s3",
        endpoint_url=user.endpoint.url,
        region_name=REGION,
        aws_access_key_id=user.keys.access_key,
        aws_secret_access_key=user.keys.secret_key,
        config=Config(signature_version="s3v4"),
    )
    url = s3.generate_presigned_url("get_object", {"Bucket": "iam_us-east-1", "Key": "k"})
    import raw_requests

    host = {"host": f"127.0.0.1:{user.endpoint.port}"}
    answer = raw_requests.send(user.endpoint, "GET", url.removeprefix(user.endpoint.url), b"", host)
    assert (answer.status, "NoSuchBucket" in answer.body) == (404, True) or answer.status == 403, answer


@pytest.mark.usefixtures("user")
def test_the_region_and_the_account_are_those_of_the_signature(endpoint: Endpoint) -> None:
    """Item 21: neither a User-Agent nor a header of moto's moves a request into another region or account."""
    sender = own(endpoint)
    json_1_0 = "application/x-amz-json-1.0"
    for name, value in (("User-Agent", "x region/us-east-1"), ("x-moto-account-id", "999999999999")):
        answer = sender.send(
            "sqs",
            body=b'{"QueueName": "judged-open"}',
            Content_Type=json_1_0,
            X_Amz_Target="AmazonSQS.GetQueueUrl",
            **{name.replace("-", "_"): value},
        )
        assert (answer.status, f"/{ACCOUNT}/judged-open" in answer.body) == (200, True), answer


def test_a_queue_is_named_once(user: Sender) -> None:
    """Item 21: SendMessage has no QueueName, so the queue of QueueUrl is the one that is judged."""
    url = f"{user.endpoint.url}/{ACCOUNT}/judged-secret"
    body = json.dumps({"QueueName": "judged-open", "QueueUrl": url, "MessageBody": "x"}).encode()
    answer = user.send(
        "sqs", body=body, Content_Type="application/x-amz-json-1.0", X_Amz_Target="AmazonSQS.SendMessage"
    )
    assert "AccessDenied" in answer.body
