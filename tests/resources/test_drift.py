"""Every field that we manage: changed behind our back, named by the plan, restored by `up`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from lakes import bring_up

from lakectl.naming import Names
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.resources.role import Role

Get = Callable[[str], Any]
Tamper = Callable[[Get, Names], Any]

OPEN_BLOCK = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False)
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def job_update(get: Get, n: Names, **changed: Any) -> None:
    job = get("glue").get_job(JobName=n.glue_job)["Job"]
    keep = ("Role", "Command", "DefaultArguments", "GlueVersion", "WorkerType", "NumberOfWorkers", "Timeout")
    keep += ("MaxRetries", "ExecutionProperty", "JobRunQueuingEnabled", "Description")
    get("glue").update_job(JobName=n.glue_job, JobUpdate={**{k: job[k] for k in keep}, **changed})


def another_role(get: Get, n: Names) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = get("iam").create_role(RoleName=f"theirs-{n.config.name}", AssumeRolePolicyDocument=document)
    return str(role["Role"]["Arn"])


def workgroup_update(get: Get, n: Names, **changed: Any) -> None:
    get("athena").update_work_group(WorkGroup=n.workgroup, ConfigurationUpdates=changed)


def named_query(get: Get, n: Names) -> dict[str, Any]:
    ids = get("athena").list_named_queries(WorkGroup=n.workgroup)["NamedQueryIds"]
    return get("athena").batch_get_named_query(NamedQueryIds=ids[:1])["NamedQueries"][0]


def replace_query(get: Get, n: Names, **changed: str) -> None:
    old = named_query(get, n)
    get("athena").delete_named_query(NamedQueryId=old["NamedQueryId"])
    keep = {k: old[k] for k in ("Name", "Database", "QueryString", "WorkGroup", "Description")}
    get("athena").create_named_query(**{**keep, **changed})


def copy_query(get: Get, n: Names) -> None:
    old = named_query(get, n)
    get("athena").create_named_query(**{k: old[k] for k in ("Name", "Database", "QueryString", "WorkGroup")})


def queue_attributes(get: Get, n: Names, **changed: str) -> None:
    url = get("sqs").get_queue_url(QueueName=n.dead_letter_queue)["QueueUrl"]
    get("sqs").set_queue_attributes(QueueUrl=url, Attributes=changed)


def bronze_update(get: Get, n: Names, change: Callable[[dict[str, Any]], Any]) -> None:
    live = get("glue").get_table(DatabaseName=n.bronze_database, Name="orders_raw")["Table"]
    keep = ("Name", "Description", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")
    table = {key: live[key] for key in keep}
    change(table)
    get("glue").update_table(DatabaseName=n.bronze_database, TableInput=table)


def put_rule(get: Get, name: str, **changed: Any) -> None:
    rule = get("events").describe_rule(Name=name)
    keep = {k: rule[k] for k in ("Name", "EventPattern", "ScheduleExpression", "State", "Description") if rule.get(k)}
    get("events").put_rule(**{**keep, **changed})


def notifications(get: Get, n: Names, change: Callable[[dict[str, Any]], None]) -> None:
    live = get("s3").get_bucket_notification_configuration(Bucket=n.raw_bucket)
    live.pop("ResponseMetadata")
    change(live)
    get("s3").put_bucket_notification_configuration(Bucket=n.raw_bucket, NotificationConfiguration=live)


def narrow_prefix(live: dict[str, Any]) -> None:
    live["LambdaFunctionConfigurations"][0]["Filter"]["Key"]["FilterRules"][0]["Value"] = "elsewhere/"


CASES: list[tuple[str, str, Tamper]] = [
    ("s3-bucket", "public_access_block", lambda g, n: g("s3").put_public_access_block(
        Bucket=n.raw_bucket, PublicAccessBlockConfiguration=OPEN_BLOCK)),
    ("s3-bucket", "encryption", lambda g, n: g("s3").put_bucket_encryption(
        Bucket=n.raw_bucket, ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]})),
    ("s3-bucket", "object_ownership", lambda g, n: g("s3").put_bucket_ownership_controls(
        Bucket=n.raw_bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})),
    ("s3-bucket", "versioning", lambda g, n: g("s3").put_bucket_versioning(
        Bucket=n.raw_bucket, VersioningConfiguration={"Status": "Suspended"})),
    ("s3-bucket", "policy", lambda g, n: g("s3").delete_bucket_policy(Bucket=n.raw_bucket)),
    ("s3-bucket", "lifecycle", lambda g, n: g("s3").delete_bucket_lifecycle(Bucket=n.tmp_bucket)),
    ("s3-bucket", "prefixes", lambda g, n: g("s3").delete_object(Bucket=n.raw_bucket, Key="retail/orders/")),
    ("s3-bucket", "tags", lambda g, n: g("s3").put_bucket_tagging(
        Bucket=n.raw_bucket, Tagging={"TagSet": [{"Key": "lakectl:lake", "Value": n.config.name}]})),
    ("dynamodb-table", "point_in_time_recovery", lambda g, n: g("dynamodb").update_continuous_backups(
        TableName=n.run_log, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False})),
    ("dynamodb-table", "billing_mode", lambda g, n: g("dynamodb").update_table(
        TableName=n.run_log, BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5})),
    ("iam-role", "trust", lambda g, n: g("iam").update_assume_role_policy(
        RoleName=n.glue_role, PolicyDocument=json.dumps(TRUST))),
    ("iam-role", "policy", lambda g, n: g("iam").put_role_policy(
        RoleName=n.glue_role, PolicyName="extra", PolicyDocument=json.dumps(POLICY))),
    ("iam-role", "policy", lambda g, n: g("iam").put_role_policy(
        RoleName=n.glue_role, PolicyName=f"{n.glue_role}-policy", PolicyDocument=json.dumps(POLICY))),
    ("iam-role", "attached_policies", lambda g, n: g("iam").attach_role_policy(
        RoleName=n.glue_role, PolicyArn="arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole")),
    ("log-group", "retention_days", lambda g, n: g("logs").delete_retention_policy(
        logGroupName=n.lambda_log_group(n.log_function))),
    ("lambda-function", "code_sha256", lambda g, n: g("lambda").update_function_code(
        FunctionName=n.log_function, ZipFile=b"PK\x05\x06" + bytes(18))),
    ("lambda-function", "runtime", lambda g, n: g("lambda").update_function_configuration(
        FunctionName=n.log_function, Runtime="python3.11")),
    ("lambda-function", "timeout", lambda g, n: g("lambda").update_function_configuration(
        FunctionName=n.log_function, Timeout=3)),
    ("lambda-function", "memory", lambda g, n: g("lambda").update_function_configuration(
        FunctionName=n.log_function, MemorySize=1024)),
    ("lambda-function", "handler", lambda g, n: g("lambda").update_function_configuration(
        FunctionName=n.log_function, Handler="other.handler")),
    ("lambda-function", "environment", lambda g, n: g("lambda").update_function_configuration(
        FunctionName=n.log_function, Environment={"Variables": {"DDB_TABLE": "other"}})),
    ("lambda-function", "role", lambda g, n: g("lambda").update_function_configuration(
        FunctionName=n.log_function, Role=Role.arn_of(n.place, n.start_role))),
    ("lambda-function", "on_failure", lambda g, n: g("lambda").delete_function_event_invoke_config(
        FunctionName=n.log_function)),
    ("sqs-queue", "retention_seconds", lambda g, n: queue_attributes(g, n, MessageRetentionPeriod="60")),
    ("sqs-queue", "encryption", lambda g, n: queue_attributes(g, n, SqsManagedSseEnabled="false")),
    ("sqs-queue", "policy", lambda g, n: queue_attributes(g, n, Policy="")),
    ("lambda-permission", "statements", lambda g, n: g("lambda").remove_permission(
        FunctionName=n.start_function, StatementId=f"lakectl-{n.drain_rule}")),
    ("lambda-permission", "statements", lambda g, n: g("lambda").add_permission(
        FunctionName=n.start_function, StatementId="lakectl-old-rule", Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com")),
    ("s3-notification", "rules", lambda g, n: notifications(g, n, narrow_prefix)),
    ("s3-notification", "eventbridge", lambda g, n: notifications(g, n, lambda c: c.pop("EventBridgeConfiguration"))),
    ("events-rule", "pattern", lambda g, n: put_rule(g, n.orders_rule, EventPattern='{"source": ["aws.s3"]}')),
    ("events-rule", "schedule", lambda g, n: put_rule(g, n.daily_rule, ScheduleExpression="rate(1 day)")),
    ("events-rule", "state", lambda g, n: g("events").disable_rule(Name=n.orders_rule)),
    ("events-rule", "description", lambda g, n: put_rule(g, n.daily_rule, Description="x")),
    ("events-rule", "targets", lambda g, n: g("events").remove_targets(Rule=n.orders_rule, Ids=["lakectl-target"])),
    ("glue-database", "description", lambda g, n: g("glue").update_database(
        Name=n.silver_database, DatabaseInput={"Name": n.silver_database, "Description": "x"})),
    ("glue-table", "columns", lambda g, n: bronze_update(g, n, lambda t: t["StorageDescriptor"]["Columns"].pop())),
    ("glue-table", "description", lambda g, n: bronze_update(g, n, lambda t: t.update(Description="x"))),
    ("glue-table", "comments", lambda g, n: bronze_update(
        g, n, lambda t: t["StorageDescriptor"]["Columns"][0].update(Comment="x"))),
    ("glue-table", "partition_keys", lambda g, n: bronze_update(g, n, lambda t: t["PartitionKeys"].clear())),
    ("glue-table", "location", lambda g, n: bronze_update(
        g, n, lambda t: t["StorageDescriptor"].update(Location="s3://elsewhere/"))),
    ("glue-table", "serde", lambda g, n: bronze_update(
        g, n, lambda t: t["StorageDescriptor"]["SerdeInfo"]["Parameters"].update(separatorChar=";"))),
    ("glue-table", "formats", lambda g, n: bronze_update(
        g, n, lambda t: t["StorageDescriptor"].update(InputFormat="x"))),
    ("glue-table", "table_type", lambda g, n: bronze_update(g, n, lambda t: t.update(TableType="MANAGED_TABLE"))),
    ("glue-table", "properties", lambda g, n: bronze_update(
        g, n, lambda t: t["Parameters"].update({"projection.enabled": "false", "theirs": "stays"}))),
    ("glue-table", "tags", lambda g, n: bronze_update(g, n, lambda t: t["Parameters"].pop("lakectl:region"))),
    ("s3-object", "sha256", lambda g, n: g("s3").put_object(Bucket=n.tmp_bucket, Key=n.job_script_key, Body=b"x")),
    ("glue-job", "Timeout", lambda g, n: job_update(g, n, Timeout=5)),
    ("glue-job", "NumberOfWorkers", lambda g, n: job_update(g, n, NumberOfWorkers=9)),
    ("glue-job", "WorkerType", lambda g, n: job_update(g, n, WorkerType="G.2X")),
    ("glue-job", "GlueVersion", lambda g, n: job_update(g, n, GlueVersion="4.0")),
    ("glue-job", "JobRunQueuingEnabled", lambda g, n: job_update(g, n, JobRunQueuingEnabled=False)),
    ("glue-job", "DefaultArguments", lambda g, n: job_update(g, n, DefaultArguments={"--X": "y"})),
    ("glue-job", "Command", lambda g, n: job_update(
        g, n, Command={"Name": "glueetl", "ScriptLocation": "s3://x/y.py", "PythonVersion": "3"})),
    ("glue-job", "ExecutionProperty", lambda g, n: job_update(g, n, ExecutionProperty={"MaxConcurrentRuns": 7})),
    ("glue-job", "Description", lambda g, n: job_update(g, n, Description="x")),
    ("glue-job", "MaxRetries", lambda g, n: job_update(g, n, MaxRetries=2)),
    ("glue-job", "Role", lambda g, n: job_update(g, n, Role=another_role(g, n))),
    ("athena-workgroup", "bytes_scanned_cutoff", lambda g, n: workgroup_update(
        g, n, BytesScannedCutoffPerQuery=10_000_000)),
    ("athena-workgroup", "enforce_configuration", lambda g, n: workgroup_update(
        g, n, EnforceWorkGroupConfiguration=False)),
    ("athena-workgroup", "publish_metrics", lambda g, n: workgroup_update(
        g, n, PublishCloudWatchMetricsEnabled=False)),
    ("athena-workgroup", "engine_version", lambda g, n: workgroup_update(
        g, n, EngineVersion={"SelectedEngineVersion": "AUTO"})),
    ("athena-workgroup", "output", lambda g, n: workgroup_update(
        g, n, ResultConfigurationUpdates={"OutputLocation": f"s3://{n.tmp_bucket}/elsewhere/"})),
    ("athena-workgroup", "encryption", lambda g, n: workgroup_update(
        g, n, ResultConfigurationUpdates={"RemoveEncryptionConfiguration": True})),
    ("athena-workgroup", "state", lambda g, n: g("athena").update_work_group(WorkGroup=n.workgroup, State="DISABLED")),
    ("athena-workgroup", "description", lambda g, n: g("athena").update_work_group(
        WorkGroup=n.workgroup, Description="x")),
    ("athena-named-query", "sql", lambda g, n: replace_query(g, n, QueryString="SELECT 1")),
    ("athena-named-query", "database", lambda g, n: replace_query(g, n, Database="default")),
    ("athena-named-query", "description", lambda g, n: replace_query(g, n, Description="x")),
    ("athena-named-query", "copies", copy_query),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "field", "tamper"), CASES, ids=[f"{k}-{f}-{i}" for i, (k, f, _) in enumerate(CASES)])
def test_the_plan_names_exactly_the_field_and_up_restores_it(lake: Lake, kind: str, field: str, tamper: Tamper) -> None:
    tamper(lake.client, lake.names)
    plan = provision.plan(lake, {resource.step for resource in lake.resources if resource.kind == kind})
    pending = [step for step in plan.pending if field != "sha256" or step.resource.kind == kind]
    assert {step.resource.kind for step in pending} == {kind}
    fields = {change.field for step in pending for change in step.changes}
    assert fields - {"size"} == {field}
    bring_up(lake, plan)
    assert provision.plan(lake, {step.resource.step for step in plan.pending}).pending == ()


def test_nothing_of_it_is_left(lake: Lake) -> None:
    """After all that the tests above changed and restored."""
    assert provision.plan(lake).pending == ()


def test_every_managed_field_has_a_case(lake: Lake) -> None:
    cases = {(kind, field) for kind, field, _ in CASES}
    managed = {(r.kind, field) for r in lake.resources for field in r.desired()}
    # The key schema of a table can't be changed on AWS, and an object's size goes with its hash. The local Athena
    # manages no results: tests/resources/test_care.py has that.
    untouchable = {("dynamodb-table", "keys"), ("s3-object", "size"), ("athena-workgroup", "managed_results")}
    assert managed - cases == untouchable


def test_foreign_parts_survive_up_and_down(empty_lake: Lake) -> None:
    bring_up(empty_lake)
    s3, bucket, names = empty_lake.client("s3"), empty_lake.names.raw_bucket, empty_lake.names
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    theirs = {"Sid": "theirs", "Effect": "Allow", "Principal": {"AWS": names.account}, "Action": "s3:GetObject"}
    policy["Statement"] = [{**theirs, "Resource": f"arn:aws:s3:::{bucket}/*"}]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    rule = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 9}}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    queue = empty_lake.client("sqs").create_queue(QueueName=f"theirs-{names.config.name}")["QueueUrl"]
    arn = f"arn:aws:sqs:{names.region}:{names.account}:theirs-{names.config.name}"
    theirs_rule = {"Id": "theirs", "QueueArn": arn, "Events": ["s3:ObjectRemoved:*"]}
    notifications(empty_lake.client, names, lambda live: live.update(QueueConfigurations=[theirs_rule]))
    bring_up(empty_lake)
    assert provision.plan(empty_lake).pending == ()
    sids = {s["Sid"] for s in json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]}
    assert sids == {"theirs", "lakectl-tls-only"}
    ids = {r["ID"] for r in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert ids == {"theirs", "lakectl-abort-unfinished-uploads"}
    empty_lake.client("sqs").delete_queue(QueueUrl=queue)  # their rule leads nowhere now, and S3 refuses such
    notification = next(r for r in empty_lake.resources if r.kind == "s3-notification")
    notification.destroy(empty_lake.aws)
    assert notification.read(empty_lake.aws) is None
    live = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert [r["Id"] for r in live["QueueConfigurations"]] == ["theirs"]
    assert "LambdaFunctionConfigurations" not in live
    assert "EventBridgeConfiguration" in live  # nothing tells whose it is
