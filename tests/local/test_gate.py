"""Nothing pretends: what the local AWS does not do is refused by name, in the protocol's own form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import JSONFileLoader
from minimal_requests import code, made, parameters
from raw_requests import own

from lakectl.local import control
from lakectl.local.control import Endpoint
from lakectl.local.gate import s3_operations, table

# Operations that answered success and did nothing, or would have, by service.
PROBES = {
    "stepfunctions": "CreateStateMachine StartExecution SendTaskSuccess CreateActivity",
    "glue": "CreateCrawler StartCrawler CreateTrigger StartTrigger CreateWorkflow StartWorkflowRun CreateConnection "
    "CreateDevEndpoint CreateMLTransform CreateRegistry CreateSession PutResourcePolicy "
    "PutDataCatalogEncryptionSettings CreateSecurityConfiguration",
    "scheduler": "CreateSchedule CreateScheduleGroup",
    "pipes": "CreatePipe StartPipe",
    "firehose": "CreateDeliveryStream PutRecord PutRecordBatch",
    "kinesisanalyticsv2": "CreateApplication StartApplication",
    "kinesis": "RegisterStreamConsumer EnableEnhancedMonitoring",
    "batch": "SubmitJob CreateComputeEnvironment CreateJobQueue",
    "ecs": "CreateCluster RunTask CreateService",
    "emr": "RunJobFlow AddJobFlowSteps",
    "emr-serverless": "CreateApplication StartJobRun",
    "redshift": "CreateCluster",
    "redshift-data": "ExecuteStatement",
    "sagemaker": "CreateTrainingJob CreateEndpoint CreateModel",
    "medialive": "CreateChannel",
    "mediaconnect": "CreateFlow",
    "transcribe": "StartTranscriptionJob",
    "rds": "CreateDBInstance CreateDBCluster",
    "rds-data": "ExecuteStatement",
    "ec2": "RunInstances CreateVpc",
    "route53": "CreateHostedZone",
    "cloudfront": "CreateDistribution",
    "ses": "SendEmail VerifyEmailIdentity",
    "sesv2": "SendEmail",
    "cloudwatch": "PutMetricAlarm SetAlarmState PutInsightRule",
    "events": "CreateConnection CreateApiDestination",
    "logs": "PutMetricFilter StartQuery CreateDelivery PutDestination",
    "s3": "PutBucketWebsite PutBucketReplication PutBucketInventoryConfiguration PutBucketLogging PutBucketCors "
    "PutBucketAccelerateConfiguration PutBucketRequestPayment PutBucketAnalyticsConfiguration SelectObjectContent",
    "lambda": "CreateFunctionUrlConfig PutProvisionedConcurrencyConfig PutRuntimeManagementConfig",
    "sns": "CreatePlatformApplication SetSMSAttributes",
    "secretsmanager": "RotateSecret ReplicateSecretToRegions",
    "ssm": "SendCommand StartAutomationExecution CreateMaintenanceWindow",
    "budgets": "CreateBudget",
    "ce": "GetCostAndUsage",
    "opensearch": "CreateDomain",
    "athena": "CreateDataCatalog CreateCapacityReservation",
    "iam": "CreateLoginProfile CreateOpenIDConnectProvider UpdateAccountPasswordPolicy",
}


@pytest.mark.parametrize("service", PROBES)
def test_what_is_not_done_is_refused_by_name(endpoint: Endpoint, service: str) -> None:
    client = made(endpoint, service)
    full = client.meta.service_model.metadata["serviceFullName"]
    for operation in PROBES[service].split():
        message = f"the local AWS does not do {operation} of {full}; it works on AWS"
        assert code(client, operation) == ("NotImplemented", 501, message)


# One operation of each protocol, and a setting of an operation that runs.
SETTINGS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    (
        "dynamodb",
        "update_time_to_live",
        {"TableName": "t", "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "a"}},
        "TimeToLiveSpecification.Enabled of UpdateTimeToLive",
    ),
    (
        "lambda",
        "update_function_configuration",
        {"FunctionName": "f", "FileSystemConfigs": [{"Arn": "arn:x", "LocalMountPath": "/mnt/x"}]},
        "FileSystemConfigs of UpdateFunctionConfiguration",
    ),
    ("sns", "subscribe", {"TopicArn": "arn:x", "Protocol": "email", "Endpoint": "a@b.c"}, "Protocol of Subscribe"),
    ("s3", "put_object", {"Bucket": "b", "Key": "k", "ACL": "public-read"}, "x-amz-acl of PutObject"),
    (
        "events",
        "put_targets",
        {"Rule": "r", "Targets": [{"Id": "1", "Arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:x"}]},
        "Targets.Arn of PutTargets",
    ),
)


@pytest.mark.parametrize(("service", "method", "asked", "what"), SETTINGS, ids=lambda each: str(each)[:30])
def test_a_setting_without_effect_is_refused_by_name(
    endpoint: Endpoint, service: str, method: str, asked: dict[str, Any], what: str
) -> None:
    with pytest.raises(ClientError, match=f"the local AWS does not do {what} of .*; it works on AWS") as refused:
        getattr(made(endpoint, service), method)(**asked)
    assert refused.value.response["Error"]["Code"] == "NotImplemented"


def test_a_setting_that_says_what_is_so_anyway_is_taken(endpoint: Endpoint) -> None:
    with pytest.raises(ClientError) as refused:
        made(endpoint, "s3").put_object(Bucket="absent-of-gate", Key="k", ACL="bucket-owner-full-control")
    assert refused.value.response["Error"]["Code"] == "NoSuchBucket"


def test_every_row_of_the_table_is_an_operation_of_the_service() -> None:
    session = botocore.session.get_session()
    for name in sorted(table.names()):
        known, model = table.service(name), session.get_service_model(name)
        assert known is not None
        assert (known.runs | known.stored) - {"PostObject"} <= set(model.operation_names), name
        assert not known.runs & known.stored, name


# Two names of one request.
SAME = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
}


def test_the_name_of_every_s3_operation_is_known() -> None:
    """Each request that botocore makes is told from all others; two pairs of names are the same request."""
    from lakectl.local.iam.calls import Call
    from lakectl.local.iam.s3_address import Address

    session = botocore.session.get_session()
    # A client takes the bucket out of a model's paths when it makes a request: this one is to be as it was written.
    session.get_component("data_loader").file_loader = JSONFileLoader()
    client = session.create_client("s3", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    for operation in client.meta.service_model.operation_names:
        model = client.meta.service_model.operation_model(operation)
        asked = parameters(model.input_shape)
        sent = client._serializer.serialize_to_request(asked, model)
        path, _, text = sent["url_path"].partition("?")
        bucket, _, key = path.lstrip("/").partition("/")
        query = dict(each.partition("=")[::2] for each in text.split("&") if each) | sent["query_string"]
        address = Address(sent["method"], bucket, key, query)
        headers = {name.lower(): value for name, value in dict(sent["headers"]).items()}
        call = Call("s3", sent["method"], "", "s3", {"query": query, "headers": headers}, address=address)
        if operation == "ListDirectoryBuckets":
            continue  # the same request to another host
        assert s3_operations.name_of(call) == SAME.get(operation, operation)


@pytest.fixture(scope="module")
def pretending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("pretending")))
        patch.setenv("LAKECTL_LOCAL_PRETEND", "stepfunctions, elasticmapreduce,no-such-service")
        yield control.ensure_running()
        control.stop()


def test_a_service_is_let_through_where_the_environment_says_so(pretending: Endpoint) -> None:
    """By botocore's name, or by the signing name; the log says which, once."""
    assert code(made(pretending, "stepfunctions"), "ListStateMachines") == ("", 200, "")
    assert code(made(pretending, "emr"), "ListClusters") == ("", 200, "")
    assert code(made(pretending, "batch"), "DescribeJobQueues")[0] == "NotImplemented"
    log = (Path(pretending.state_dir) / "server.log").read_text()
    assert log.count("LAKECTL_LOCAL_PRETEND: answered without their effect: emr, stepfunctions") == 1
    assert log.count("LAKECTL_LOCAL_PRETEND: there is no service no-such-service") == 1


def test_s3_control_is_told_from_s3(endpoint: Endpoint) -> None:
    """botocore would put the account before the host."""
    refused = own(endpoint).send("s3", "POST", "/v20180820/jobs", b"", x_amz_account_id="123456789012")
    assert (refused.status, "<Code>NotImplemented</Code>" in refused.body) == (501, True)
    assert "does not do CreateJob of AWS S3 Control" in refused.body
    block = "/v20180820/configuration/publicAccessBlock"
    answer = own(endpoint).send("s3", "GET", block, b"", x_amz_account_id="123456789012")
    assert (answer.status, "<Code>NoSuchPublicAccessBlockConfiguration</Code>" in answer.body) == (404, True)


def stack(endpoint: Endpoint, kind: str, **properties: Any) -> Any:
    template = {"Resources": {"It": {"Type": kind, "Properties": properties}}}
    return made(endpoint, "cloudformation").create_stack(StackName="gate", TemplateBody=json.dumps(template))


@pytest.mark.parametrize(
    ("kind", "properties", "what"),
    [
        ("AWS::StepFunctions::StateMachine", {"RoleArn": "arn:x"}, "AWS::StepFunctions::StateMachine"),
        ("AWS::Glue::Job", {"Name": "j"}, "AWS::Glue::Job"),
        (
            "AWS::S3::Bucket",
            {"BucketName": "gate-stack", "VersioningConfiguration": {"Status": "Enabled"}},
            "VersioningConfiguration of AWS::S3::Bucket",
        ),
    ],
)
def test_a_stack_has_no_resource_that_would_be_left_out(
    endpoint: Endpoint, kind: str, properties: dict[str, Any], what: str
) -> None:
    with pytest.raises(ClientError) as refused:
        stack(endpoint, kind, **properties)
    about = refused.value.response
    assert (about["Error"]["Code"], about["ResponseMetadata"]["HTTPStatusCode"]) == ("NotImplemented", 501)
    assert about["Error"]["Message"] == f"the local AWS does not do {what} of AWS CloudFormation; it works on AWS"
    assert made(endpoint, "cloudformation").list_stacks()["StackSummaries"] == []


def test_neither_has_an_update_or_a_change_set(endpoint: Endpoint) -> None:
    client = made(endpoint, "cloudformation")
    stack(endpoint, "AWS::SQS::Queue", QueueName="gate-stack")
    body = json.dumps({"Resources": {"It": {"Type": "AWS::EC2::VPC"}}})
    try:
        with pytest.raises(ClientError, match="does not do AWS::EC2::VPC of AWS CloudFormation"):
            client.update_stack(StackName="gate", TemplateBody=body)
        with pytest.raises(ClientError, match="does not do AWS::EC2::VPC of AWS CloudFormation"):
            client.create_change_set(StackName="gate", ChangeSetName="c", TemplateBody=body)
    finally:
        client.delete_stack(StackName="gate")


def _refused_services() -> list[str]:
    return sorted(set(botocore.session.get_session().get_available_services()))


@pytest.mark.long
@pytest.mark.parametrize("service", _refused_services())
def test_every_refused_operation_raises_not_implemented(endpoint: Endpoint, service: str) -> None:
    """All operations of all services that botocore knows, each with its smallest request."""
    client = made(endpoint, service)
    known = table.service(service)
    allowed = (known.runs | known.stored if known is not None else set()) | LEFT_OUT.get(service, set())
    wrong, unsent = {}, 0
    for operation in client.meta.service_model.operation_names:
        model = client.meta.service_model.operation_model(operation)
        if SAME.get(operation, operation) not in allowed and is_signed(client, model):
            try:
                answer = code(client, operation)
            except (BotoCoreError, AttributeError):  # a host of its own, or nested beyond what is made up here
                unsent += 1
                continue
            if answer[0] not in ("NotImplemented", "501"):  # the answer to HEAD has no words
                wrong[operation] = answer
    assert wrong == {}
    assert unsent <= MOST_UNSENT.get(service, 1)


def is_signed(client: Any, model: Any) -> bool:
    """Others are refused before it is known what they ask for: access denied."""
    kinds = [model.auth_type] if model.auth_type else model.auth or [client.meta.config.signature_version]
    unsigned_body = "v4-unsigned-body" in kinds or model.unsigned_payload
    return not unsigned_body and not model.has_event_stream_input and str(kinds[0]).rpartition("#")[2] in SIGV4


# Operations whose requests can't be made here.
MOST_UNSENT = {"signin": 1000, "s3control": 1000, "cloudfront-keyvaluestore": 6, "connect": 2}
# Requests that only their host tells from an operation that runs, and one that is signed without its body.
LEFT_OUT = {
    "codeartifact": {"PublishPackageVersion"},
    "lambda-microvms": {"ListTags", "TagResource", "UntagResource"},
    "s3": {"ListDirectoryBuckets"},
    "s3control": {"CreateBucket"},
}
SIGV4 = ("v4", "s3v4", "sigv4", "s3")
