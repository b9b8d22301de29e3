"""IAM at the endpoint: who may assume a role, what limits a session, and which condition keys a request bears."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from local_helpers import ACCOUNT, REGION, TRUST, new_role, put_policy, zipped

from lakectl.local.control import Endpoint

ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
Make = Callable[..., Callable[[str], Any]]


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(**more: Any) -> str:
    return document({"Effect": "Allow", "Principal": ROOT, "Action": ["sts:AssumeRole", "sts:TagSession"], **more})


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


@pytest.fixture
def role(client: Any, unique: str) -> Callable[..., str]:
    """``role(statement, trust=…)``: a role that this account may assume, with that policy. Returns its ARN."""
    made: list[str] = []

    def make(*statements: dict[str, Any], assumed_by: str = trust(), **settings: Any) -> str:
        iam, name = client("iam"), f"caller-{unique}-{len(made)}"
        made.append(name)
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=assumed_by, **settings)["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*statements))
        return str(arn)

    return make


@pytest.fixture
def acting(client: Any, endpoint: Endpoint) -> Make:
    """``acting(role_arn, Policy=…)("s3")``: a client with a session of the role."""

    def assume(arn: str, sts: Any = None, **settings: Any) -> Callable[..., Any]:
        sts = sts or client("sts")
        keys = sts.assume_role(RoleArn=arn, RoleSessionName="me", **settings)["Credentials"]
        return lambda service, region=REGION: boto3.client(
            service,
            endpoint_url=endpoint.url,
            region_name=region,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    return assume


@pytest.fixture
def managed(client: Any, unique: str) -> Iterator[Callable[[dict[str, Any]], str]]:
    """``managed(statement)``: a managed policy, gone after the test. Returns its ARN."""
    made: list[str] = []

    def make(statement: dict[str, Any]) -> str:
        name = f"managed-{unique}-{len(made)}"
        arn = client("iam").create_policy(PolicyName=name, PolicyDocument=document(statement))["Policy"]["Arn"]
        made.append(arn)
        return str(arn)

    yield make
    for arn in made:
        client("iam").delete_policy(PolicyArn=arn)


@pytest.fixture
def bucket(client: Any, unique: str) -> str:
    name = f"callers-{unique}"
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    client("s3").put_object(Bucket=name, Key="k", Body=b"x")
    return name


def test_nobody_gets_keys_of_a_role_that_does_not_trust_them(client: Any, unique: str, acting: Make, role: Any) -> None:
    """Item 23: neither with the keys of the endpoint nor with those of a role, and none of a role that isn't there."""
    of_lambda = new_role(client("iam"), f"of-lambda-{unique}")
    absent = f"arn:aws:iam::{ACCOUNT}:role/absent-{unique}"
    mine = acting(role(allow("sts:*")))("sts")
    for sts in (client("sts"), mine):
        for arn in (of_lambda, absent):
            said = refusal(sts.assume_role, RoleArn=arn, RoleSessionName="me")
            assert said.startswith("AccessDenied: User")
            assert f"is not authorized to perform: sts:AssumeRole on resource: {arn}" in said


def test_the_external_id_has_to_be_the_one_of_the_trust_policy(client: Any, acting: Make, role: Any) -> None:
    """Item 23. [IAM user guide, "Access to AWS accounts owned by third parties"]"""
    arn = role(assumed_by=trust(Condition={"StringEquals": {"sts:ExternalId": "12345"}}))
    for sts in (client("sts"), acting(role(allow("sts:AssumeRole")))("sts")):
        assert refusal(sts.assume_role, RoleArn=arn, RoleSessionName="me").startswith("AccessDenied")
        assert refusal(sts.assume_role, RoleArn=arn, RoleSessionName="me", ExternalId="67890").startswith(
            "AccessDenied"
        )
        assert sts.assume_role(RoleArn=arn, RoleSessionName="me", ExternalId="12345")["Credentials"]


def test_a_role_that_trusts_the_account_asks_for_a_permission_and_one_that_names_the_role_does_not(
    acting: Make, role: Any
) -> None:
    """Item 23. [IAM user guide, "Principal"]"""
    caller = role()
    sts = acting(caller)("sts")
    assert "sts:AssumeRole" in refusal(sts.assume_role, RoleArn=role(), RoleSessionName="me")
    named = {"Effect": "Allow", "Principal": {"AWS": caller}, "Action": "sts:AssumeRole"}
    assert sts.assume_role(RoleArn=role(assumed_by=document(named)), RoleSessionName="me")["Credentials"]


def test_a_session_policy_limits_the_session(acting: Make, role: Any, managed: Any, bucket: str) -> None:
    """Item 23. [STS API, AssumeRole: Policy, PolicyArns]"""
    arn = role(allow("s3:*"))
    given = {"PolicyArns": [{"arn": managed(allow("s3:GetObject"))}]}, {"Policy": document(allow("s3:GetObject"))}
    for limits in given:
        s3 = acting(arn, **limits)("s3")
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
        said = refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"y")
        assert "because no session policy allows the s3:PutObject action" in said
    acting(arn)("s3").put_object(Bucket=bucket, Key="k", Body=b"y")


def test_a_session_lasts_no_longer_than_its_role_allows(client: Any, role: Any) -> None:
    """[STS API, AssumeRole: DurationSeconds]"""
    sts, arn = client("sts"), role()
    asked = {"RoleArn": arn, "RoleSessionName": "me"}
    assert "MaxSessionDuration set for this role" in refusal(sts.assume_role, **asked, DurationSeconds=7200)
    assert sts.assume_role(**asked, DurationSeconds=3600)["Credentials"]


def test_a_permissions_boundary_limits_the_role(acting: Make, role: Any, managed: Any, bucket: str) -> None:
    """Item 23."""
    s3 = acting(role(allow("s3:*"), PermissionsBoundary=managed(allow("s3:GetObject"))))("s3")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    said = refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"y")
    assert "because no permissions boundary allows the s3:PutObject action" in said


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("aws:RequestedRegion", REGION, "us-east-1"),
        ("aws:ResourceAccount", ACCOUNT, "111122223333"),
        ("aws:PrincipalTag/Team", "data", "sales"),
        ("aws:PrincipalAccount", ACCOUNT, "111122223333"),
    ],
)
def test_a_request_bears_the_global_condition_keys(
    acting: Make, role: Any, bucket: str, key: str, good: str, bad: str
) -> None:
    """Item 23: allowed with the value that the request has, and not with another one."""
    for value, may in ((good, True), (bad, False)):
        condition = {"StringEquals": {key: value}}
        s3 = acting(role(allow("s3:GetObject", Condition=condition), Tags=[{"Key": "Team", "Value": "data"}]))("s3")
        if may:
            assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
        else:
            assert refusal(s3.get_object, Bucket=bucket, Key="k").startswith("AccessDenied")


def test_the_tags_of_a_session_count_before_those_of_the_role(acting: Make, role: Any, bucket: str) -> None:
    """[IAM user guide, "Pass session tags in AWS STS"]"""
    arn = role(allow("s3:GetObject", Condition={"StringEquals": {"aws:PrincipalTag/team": "data"}}))
    assert refusal(acting(arn)("s3").get_object, Bucket=bucket, Key="k").startswith("AccessDenied")
    s3 = acting(arn, Tags=[{"Key": "team", "Value": "data"}])("s3")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_who_makes_a_function_or_a_job_has_to_be_allowed_to_pass_on_its_role(
    client: Any, acting: Make, role: Any, unique: str
) -> None:
    """Item 23. [IAM user guide, "Grant a user permissions to pass a role to an AWS service"]"""
    passed = new_role(client("iam"), f"passed-{unique}")
    client("iam").update_assume_role_policy(
        RoleName=f"passed-{unique}",
        PolicyDocument=TRUST.replace('"lambda.amazonaws.com"', '["lambda.amazonaws.com", "glue.amazonaws.com"]'),
    )
    create = allow("lambda:CreateFunction"), allow("glue:CreateJob")
    to_glue = allow("iam:PassRole", passed, Condition={"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}})

    def function(who: Any) -> Any:
        return who("lambda").create_function(
            FunctionName=f"passed-{unique}",
            Runtime="python3.12",
            Handler="handler.handler",
            Role=passed,
            Code={"ZipFile": zipped("def handler(event, context): return 1")},
        )

    def job(who: Any) -> Any:
        command = {"Name": "pythonshell", "ScriptLocation": "s3://x/y.py"}
        return who("glue").create_job(Name=f"passed-{unique}", Role=f"passed-{unique}", Command=command)

    nobody, to_jobs, to_all = (acting(role(*create, *more)) for more in ((), (to_glue,), (allow("iam:PassRole"),)))
    for who, make in ((nobody, function), (nobody, job), (to_jobs, function)):
        said = refusal(make, who=who)
        assert f"is not authorized to perform: iam:PassRole on resource: {passed} because no identity-based" in said
    assert job(to_jobs)["Name"] == f"passed-{unique}"
    assert function(to_all)["Role"] == passed
    client("lambda").delete_function(FunctionName=f"passed-{unique}")
    client("glue").delete_job(JobName=f"passed-{unique}")


def test_tags_in_a_create_call_need_a_permission_of_their_own(acting: Make, role: Any, unique: str) -> None:
    """Item 30: the message names it. [Service Authorization Reference, "Dependent actions"]"""
    creates = ("s3:CreateBucket", "dynamodb:CreateTable", "sqs:CreateQueue", "events:PutRule", "logs:CreateLogGroup")
    creates += ("glue:CreateDatabase", "athena:CreateWorkGroup", "iam:CreateRole")
    who, name, tag = acting(role(*map(allow, creates))), f"tagged-{unique}", {"Key": "a", "Value": "b"}
    bucket = {"LocationConstraint": REGION, "Tags": [tag]}
    attempts = {
        "s3:TagResource": lambda: who("s3").create_bucket(Bucket=name, CreateBucketConfiguration=bucket),
        "dynamodb:TagResource": lambda: who("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=[tag],
        ),
        "sqs:tagqueue": lambda: who("sqs").create_queue(QueueName=name, tags={"a": "b"}),
        "events:TagResource": lambda: who("events").put_rule(Name=name, ScheduleExpression="rate(1 day)", Tags=[tag]),
        "logs:TagResource": lambda: who("logs").create_log_group(logGroupName=name, tags={"a": "b"}),
        "glue:TagResource": lambda: who("glue").create_database(DatabaseInput={"Name": name}, Tags={"a": "b"}),
        "athena:TagResource": lambda: who("athena").create_work_group(Name=name, Tags=[tag]),
        "iam:TagRole": lambda: who("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=[tag]),
    }
    for action, attempt in attempts.items():
        assert f"is not authorized to perform: {action} on resource:" in refusal(attempt)


def test_what_can_not_be_judged_is_refused_by_name(acting: Make, role: Any, bucket: str) -> None:
    """Item 23: a condition key that is not known here, and a call that looks like another one."""
    s3 = acting(role(allow("s3:GetObject", Condition={"StringEquals": {"s3:ExistingObjectTag/a": "b"}})))("s3")
    said = refusal(s3.get_object, Bucket=bucket, Key="k")
    assert "a policy has a condition on s3:ExistingObjectTag/a, which the local endpoint does not know" in said
    s3 = acting(role(allow("s3:CreateBucket"), allow("s3:DeleteBucket")))("s3")
    payer = {"Payer": "Requester"}
    said = refusal(s3.put_bucket_request_payment, Bucket=bucket, RequestPaymentConfiguration=payer)
    assert "does not know which permissions this call needs" in said
    said = refusal(s3.delete_bucket_inventory_configuration, Bucket=bucket, Id="x")
    assert "does not know which permissions this call needs" in said


def test_a_policy_without_a_version_has_no_variables(client: Any, acting: Make, role: Any, bucket: str) -> None:
    """Item 23. [IAM user guide, "Version"] IAM takes no such policy any more; a bucket does."""
    arn = role()
    s3 = acting(arn)("s3")
    client("s3").put_object(Bucket=bucket, Key=ACCOUNT, Body=b"x")
    resource = f"arn:aws:s3:::{bucket}/${{aws:PrincipalAccount}}"
    statement = allow("s3:GetObject", resource, Principal={"AWS": arn})
    for version, may in (({}, False), ({"Version": "2008-10-17"}, False), ({"Version": "2012-10-17"}, True)):
        client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(version | {"Statement": [statement]}))
        if may:
            assert s3.get_object(Bucket=bucket, Key=ACCOUNT)["Body"].read() == b"x"
        else:
            assert refusal(s3.get_object, Bucket=bucket, Key=ACCOUNT).startswith("AccessDenied")


@pytest.mark.parametrize("operation", ["get_session_token", "get_federation_token"])
def test_keys_that_would_not_work_are_not_given(client: Any, operation: str) -> None:
    arguments = {"Name": "me"} if operation == "get_federation_token" else {}
    assert refusal(getattr(client("sts"), operation), **arguments).startswith("NotImplemented")


def test_put_policy_is_used(client: Any, acting: Make, role: Any, bucket: str) -> None:
    """A session sees its role's policies as they are now."""
    arn = role()
    s3 = acting(arn)("s3")
    assert refusal(s3.get_object, Bucket=bucket, Key="k").startswith("AccessDenied")
    put_policy(client("iam"), arn.rpartition("/")[2], ("s3:GetObject", "*"))
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
