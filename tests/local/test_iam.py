"""IAM, enforced: a role's code may call what its policies allow, and reads AWS's refusal in its log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from local_helpers import ACCOUNT, OWN_LOGS, REGION, TRUST, new_role, put_policy, queue_arn

from lakectl.local.control import Endpoint
from lakectl.local.seams.iam import roles_now

SEND = """
import boto3
def handler(event, context):
    sqs = boto3.client("sqs")
    return sqs.send_message(QueueUrl=event, MessageBody="x")["MessageId"]
"""
GLUE_LOGS = tuple((action, f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws-glue/jobs/*") for action, _ in OWN_LOGS)


def log_of(client: Any, group: str) -> str:
    events = client("logs").filter_log_events(logGroupName=group)["events"]
    return "\n".join(event["message"] for event in events)


def test_managed_policies_exist_and_no_others_are_listed_as_ours(client: Any) -> None:
    arn = "arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole"
    assert client("iam").get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn
    assert client("iam").list_policies(Scope="Local")["Policies"] == []


def test_of_requests_for_one_role_at_once_one_makes_it(client: Any, unique: str) -> None:
    def create(_: int) -> str:
        try:
            client("iam").create_role(RoleName=f"once-{unique}", AssumeRolePolicyDocument=TRUST)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "made"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(create, range(8))) == ["EntityAlreadyExists"] * 7 + ["made"]


def test_a_role_can_be_made_while_another_request_looks_through_the_roles() -> None:
    backend = SimpleNamespace(roles={"AROA1": "one"})
    looking = iter(roles_now(backend))
    backend.roles["AROA2"] = "two"
    assert list(looking) == ["one"]


def test_a_function_without_the_permission_is_refused_and_its_log_says_so(
    client: Any, deploy: Any, make_queue: Any, unique: str
) -> None:
    """[IAM user guide, "Troubleshoot access denied error messages"]"""
    queue, role = make_queue("iam"), f"narrow-{unique}"
    name = deploy(SEND, Role=new_role(client("iam"), role, *OWN_LOGS))

    def invoke() -> str:
        return client("lambda").invoke(FunctionName=name, Payload=json.dumps(queue.url))["Payload"].read().decode()

    said = (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name} is not authorized to perform: sqs:sendmessage on "
        f"resource: {queue.arn} "
    )
    lacking = said + "because no identity-based policy allows the sqs:sendmessage action"
    answer = json.loads(invoke())
    assert answer["errorType"] == "ClientError"
    assert "(AccessDenied)" in answer["errorMessage"]
    assert lacking in answer["errorMessage"]
    assert lacking in log_of(client, f"/aws/lambda/{name}")

    put_policy(client("iam"), role, *OWN_LOGS, ("sqs:SendMessage", queue.arn))
    assert "errorType" not in invoke()
    put_policy(client("iam"), role, ("sqs:*", "*"), effect="Deny")
    assert said + "with an explicit deny in an identity-based policy" in json.loads(invoke())["errorMessage"]


def test_a_glue_run_without_the_permission_fails_and_says_so(client: Any, unique: str) -> None:
    s3, glue, iam = client("s3"), client("glue"), client("iam")
    bucket, role = f"iam-{unique}", f"glue-{unique}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    script = f"import boto3\nboto3.client('s3').put_object(Bucket='{bucket}', Key='out/x', Body=b'x')\n"
    s3.put_object(Bucket=bucket, Key="script.py", Body=script.encode())
    new_role(iam, role, *GLUE_LOGS, service="glue")
    command = {"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/script.py"}
    glue.create_job(Name=role, Role=role, Command=command)

    def run() -> dict[str, Any]:
        run_id = glue.start_job_run(JobName=role)["JobRunId"]
        deadline = time.monotonic() + 30
        while (found := glue.get_job_run(JobName=role, RunId=run_id)["JobRun"])["JobRunState"] in (
            "STARTING",
            "RUNNING",
        ):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return dict(found)

    def refused(action: str, key: str) -> str:
        return (
            f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role}/GlueJobRunnerSession is not authorized to perform: "
            f'{action} on resource: "arn:aws:s3:::{bucket}/{key}" because no identity-based policy allows the '
            f"{action} action"
        )

    without_script = run()
    assert without_script["JobRunState"] == "FAILED"
    assert "AccessDenied: " + refused("s3:GetObject", "script.py") in without_script["ErrorMessage"]

    read = ("s3:GetObject", f"arn:aws:s3:::{bucket}/script.py")
    put_policy(iam, role, *GLUE_LOGS, read)
    without_write = run()
    assert without_write["JobRunState"] == "FAILED"
    assert "An error occurred (AccessDenied)" in without_write["ErrorMessage"]
    assert refused("s3:PutObject", "out/x") in without_write["ErrorMessage"]
    assert refused("s3:PutObject", "out/x") in log_of(client, "/aws-glue/jobs/error")

    put_policy(iam, role, *GLUE_LOGS, read, ("s3:PutObject", f"arn:aws:s3:::{bucket}/out/*"))
    assert run()["JobRunState"] == "SUCCEEDED"


@pytest.fixture
def assumed(client: Any, endpoint: Endpoint, unique: str) -> Callable[..., Callable[[str], Any]]:
    """``assumed(("s3:GetObject", arn))``: clients with temporary credentials of a role that may do that."""

    def assume(*allowed: tuple[str, str]) -> Callable[[str], Any]:
        own = json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        )
        iam, name = client("iam"), f"assumed-{unique}"
        arn = new_role(iam, name, *allowed)
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=own)
        keys = client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]

        def make(service: str, token: str = keys["SessionToken"]) -> Any:
            return boto3.client(
                service,
                endpoint_url=endpoint.url,
                region_name=REGION,
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=token,
            )

        return make

    return assume


def code_of(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_whoever_may_not_list_is_not_told_what_is_missing(client: Any, assumed: Any, unique: str) -> None:
    """[Amazon S3 API, GetObject: without ListBucket 403 for an object that does not exist]"""
    bucket = f"hidden-{unique}"
    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3 = assumed(("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))("s3")
    assert code_of(s3.get_object, Bucket=bucket, Key="absent") == "AccessDenied"
    assert code_of(s3.list_objects_v2, Bucket=bucket) == "AccessDenied"
    put_policy(client("iam"), f"assumed-{unique}", ("s3:*", "*"))
    assert code_of(s3.get_object, Bucket=bucket, Key="absent") == "NoSuchKey"


def test_a_bucket_policy_counts_as_much_as_the_roles(client: Any, assumed: Any, unique: str) -> None:
    """[IAM user guide, "Policy evaluation logic": an allow in either, a deny in either]"""
    bucket, role = f"policy-{unique}", f"arn:aws:iam::{ACCOUNT}:role/assumed-{unique}"
    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    client("s3").put_object(Bucket=bucket, Key="k", Body=b"x")
    s3, resource = assumed()("s3"), f"arn:aws:s3:::{bucket}/*"

    def set_policy(effect: str, who: str, condition: dict[str, Any] | None = None) -> None:
        statement = {"Effect": effect, "Principal": {"AWS": who}, "Action": "s3:GetObject", "Resource": resource}
        if condition:
            statement["Condition"] = condition
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        client("s3").put_bucket_policy(Bucket=bucket, Policy=document)

    def get() -> str:
        try:
            return str(s3.get_object(Bucket=bucket, Key="k")["Body"].read().decode())
        except ClientError as error:
            return str(error.response["Error"]["Message"])

    assert "because no identity-based policy allows the s3:GetObject action" in get()
    set_policy("Allow", f"arn:aws:iam::{ACCOUNT}:root")
    assert "because no identity-based policy allows the s3:GetObject action" in get()
    set_policy("Allow", role)
    assert get() == "x"
    put_policy(client("iam"), f"assumed-{unique}", ("s3:GetObject", resource))
    set_policy("Deny", role)
    assert "with an explicit deny in a resource-based policy" in get()
    set_policy("Deny", "*", {"Bool": {"aws:SecureTransport": "false"}})
    assert get() == "x"


def test_a_query_belongs_to_its_workgroup(client: Any, assumed: Any, unique: str) -> None:
    """[Service Authorization Reference, Amazon Athena: GetQueryExecution is asked for the workgroup]"""
    bucket, group = f"athena-{unique}", f"mine-{unique}"
    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    results = {"ResultConfiguration": {"OutputLocation": f"s3://{bucket}/"}}
    for name in (group, f"other-{unique}"):
        client("athena").create_work_group(Name=name, Configuration=results)
    mine = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{group}"
    allowed = (("athena:StartQueryExecution", mine), ("athena:GetQueryExecution", mine))
    athena = assumed(*allowed, ("s3:GetBucketLocation", f"arn:aws:s3:::{bucket}"))("athena")
    started = athena.start_query_execution(QueryString="SELECT 1", WorkGroup=group)["QueryExecutionId"]
    assert athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["WorkGroup"] == group
    assert code_of(athena.get_query_results, QueryExecutionId=started) == "AccessDeniedException"
    asked = client("athena").start_query_execution(QueryString="SELECT 1", WorkGroup=f"other-{unique}")
    assert code_of(athena.get_query_execution, QueryExecutionId=asked["QueryExecutionId"]) == "AccessDeniedException"


def test_who_is_not_known_is_refused(endpoint: Endpoint, assumed: Any) -> None:
    stranger = boto3.client(
        "sts",
        endpoint_url=endpoint.url,
        region_name=REGION,
        aws_access_key_id="AKIA" + "A" * 16,
        aws_secret_access_key="x",
    )
    assert code_of(stranger.get_caller_identity) == "InvalidClientTokenId"
    assert code_of(assumed()("sts", token="of another session").get_caller_identity) == "InvalidClientTokenId"


def test_a_call_whose_permissions_are_not_known_is_refused_to_every_role(assumed: Any) -> None:
    """A role that may do all: what is not judged is not let through, and the message says why."""
    kinesis = assumed(("*", "*"))("kinesis")
    with pytest.raises(ClientError, match="does not know which permissions this call needs"):
        kinesis.list_streams()


def test_a_role_is_told_which_of_its_actions_it_used(client: Any, deploy: Any, make_queue: Any, unique: str) -> None:
    """[IAM API, GenerateServiceLastAccessedDetails, GetServiceLastAccessedDetails]"""
    iam, name, queue = client("iam"), f"used-{unique}", make_queue("used")
    role = new_role(iam, name, *OWN_LOGS, ("sqs:SendMessage", queue.arn), ("sqs:PurgeQueue", queue_arn("other")))

    def used() -> dict[str, set[str]]:
        job = iam.generate_service_last_accessed_details(Arn=role, Granularity="ACTION_LEVEL")["JobId"]
        report = iam.get_service_last_accessed_details(JobId=job)
        assert (report["JobStatus"], report["IsTruncated"]) == ("COMPLETED", False)
        return {
            each["ServiceNamespace"]: {action["ActionName"] for action in each["TrackedActionsLastAccessed"]}
            for each in report["ServicesLastAccessed"]
        }

    assert used() == {"logs": set(), "sqs": set()}
    function = deploy(SEND, Role=role)
    client("lambda").invoke(FunctionName=function, Payload=json.dumps(queue.url))
    assert used() == {"logs": {"CreateLogGroup", "CreateLogStream", "PutLogEvents"}, "sqs": {"sendmessage"}}
    iam.delete_role_policy(RoleName=name, PolicyName="Allow")
    iam.delete_role(RoleName=name)
    assert code_of(iam.generate_service_last_accessed_details, Arn=role) == "NoSuchEntity"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    assert used() == {}
