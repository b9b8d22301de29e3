"""Versions, aliases and permissions of functions, each through the ARN that it has on AWS."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_helpers import ACCOUNT, REGION, Queue, settled, zipped

CODE = "def handler(event, context):\n    return [{}, context.function_version, context.invoked_function_arn]\n"
FAST = {"Delay": 0.05, "MaxAttempts": 200}


def arn_of(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def update(client: Callable[..., Any], name: str, code: str) -> None:
    client("lambda").update_function_code(FunctionName=name, ZipFile=zipped(code))
    settled(client("lambda"), name)


def run(client: Callable[..., Any], name: str, **settings: Any) -> Any:
    answer = client("lambda").invoke(FunctionName=name, **settings)
    assert "FunctionError" not in answer
    result = json.loads(answer["Payload"].read())
    assert answer["ExecutedVersion"] == result[1]
    return result


def refused(kind: str, message: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"\({kind}\).*{message}")


def test_a_version_keeps_its_code_and_configuration_and_is_what_its_qualifier_runs(client: Any, deploy: Any) -> None:
    """[Lambda developer guide, "Manage Lambda function versions"]"""
    functions, name = client("lambda"), deploy(CODE.format(1), Environment={"Variables": {"A": "1"}})
    first = functions.publish_version(FunctionName=name, Description="one")
    assert (first["Version"], first["FunctionArn"]) == ("1", f"{arn_of(name)}:1")
    assert functions.publish_version(FunctionName=name)["Version"] == "1"  # nothing has changed
    update(client, name, CODE.format(2))
    assert run(client, name) == [2, "$LATEST", arn_of(name)]
    assert run(client, name, Qualifier="1") == [1, "1", f"{arn_of(name)}:1"]
    assert run(client, f"{arn_of(name)}:1") == run(client, f"{ACCOUNT}:function:{name}:1") == run(client, f"{name}:1")
    assert run(client, f"function:{name}", Qualifier="$LATEST")[:2] == [2, "$LATEST"]
    assert functions.publish_version(FunctionName=name)["Version"] == "2"
    found = functions.list_versions_by_function(FunctionName=name)["Versions"]
    assert [each["Version"] for each in found] == ["$LATEST", "1", "2"]
    one = functions.get_function_configuration(FunctionName=name, Qualifier="1")
    assert (one["CodeSha256"], one["Description"]) == (first["CodeSha256"], "one")
    with refused("InvalidParameterValueException"):
        functions.update_function_configuration(FunctionName=f"{arn_of(name)}:1", Timeout=5)
    with refused("InvalidParameterValueException", "does not match the specified qualifier"):
        functions.get_function(FunctionName=f"{arn_of(name)}:1", Qualifier="2")


def test_a_qualifier_that_does_not_exist_runs_nothing(client: Any, deploy: Any) -> None:
    functions, name = client("lambda"), deploy(CODE.format(1))
    for call in (functions.invoke, functions.get_function, functions.get_function_configuration):
        for qualifier in ("7", "absent"):
            with refused("ResourceNotFoundException", f"Function not found: {arn_of(name)}:{qualifier}"):
                call(FunctionName=name, Qualifier=qualifier)


def test_a_version_is_published_only_of_what_the_caller_has_seen(client: Any, deploy: Any) -> None:
    functions, name = client("lambda"), deploy(CODE.format(1))
    latest = functions.get_function_configuration(FunctionName=name)
    with refused("InvalidParameterValueException", "is different from current CodeSHA256 in"):
        functions.publish_version(FunctionName=name, CodeSha256="x")
    with refused("PreconditionFailedException", "does not match the latest Revision Id"):
        functions.publish_version(FunctionName=name, RevisionId="x")
    seen = {"CodeSha256": latest["CodeSha256"], "RevisionId": latest["RevisionId"]}
    assert functions.publish_version(FunctionName=name, **seen)["Version"] == "1"
    with refused("PreconditionFailedException"):
        functions.update_function_code(FunctionName=name, ZipFile=zipped("x"), RevisionId=latest["RevisionId"])


def test_an_alias_routes_to_its_versions(client: Any, deploy: Any) -> None:
    """[Lambda developer guide, "Implement Lambda canary deployments using a weighted alias"]"""
    functions, name = client("lambda"), deploy(CODE.format(1))
    functions.publish_version(FunctionName=name)
    update(client, name, CODE.format(2))
    functions.publish_version(FunctionName=name)
    made = functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert made["AliasArn"] == f"{arn_of(name)}:live"
    assert run(client, name, Qualifier="live") == [1, "1", f"{arn_of(name)}:live"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert run(client, f"{arn_of(name)}:live")[:2] == [2, "2"]
    functions.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})
    seen = Counter(run(client, name, Qualifier="live")[1] for _ in range(40))
    assert set(seen) == {"1", "2"}
    with refused("ResourceConflictException", "already exists"):
        functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    with refused("ResourceNotFoundException", "Function not found"):
        functions.create_alias(FunctionName=name, Name="other", FunctionVersion="9")
    for version in ("1", "2"):
        with refused("ResourceConflictException"):
            functions.delete_function(FunctionName=name, Qualifier=version)
    with refused("InvalidParameterValueException", r"\$LATEST version cannot be deleted"):
        functions.delete_function(FunctionName=name, Qualifier="$LATEST")
    functions.delete_alias(FunctionName=name, Name="live")
    functions.delete_function(FunctionName=name, Qualifier="1")
    assert run(client, name, Qualifier="2")[:2] == [2, "2"]
    with refused("ResourceNotFoundException"):
        functions.invoke(FunctionName=name, Qualifier="1")


def test_a_permission_holds_for_the_arn_that_it_was_given_to(client: Any, deploy: Any, unique: str) -> None:
    """[Lambda developer guide, "Viewing resource-based IAM policies"]"""
    functions, s3, name = client("lambda"), client("s3"), deploy(CODE.format(1))
    functions.publish_version(FunctionName=name)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    bucket = f"qualified-{unique}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    grant = {"FunctionName": name, "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    functions.add_permission(StatementId="all", **grant)

    def notify(arn: str) -> None:
        rule = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [rule]}
        )

    notify(arn_of(name))
    with refused("InvalidArgument"):
        notify(f"{arn_of(name)}:live")
    said = functions.add_permission(StatementId="live", Qualifier="live", **grant)["Statement"]
    assert json.loads(said)["Resource"] == f"{arn_of(name)}:live"
    notify(f"{arn_of(name)}:live")
    policy = json.loads(functions.get_policy(FunctionName=name, Qualifier="live")["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["live"]
    functions.remove_permission(FunctionName=name, StatementId="live", Qualifier="live")
    with refused("ResourceNotFoundException"):
        functions.get_policy(FunctionName=name, Qualifier="live")


def test_an_event_goes_to_the_alias_of_its_target_and_back_to_the_destination_of_that_alias(
    client: Any, deploy: Any, unique: str, make_queue: Callable[[str], Queue]
) -> None:
    functions, events, name, done = client("lambda"), client("events"), deploy(CODE.format(1)), make_queue("done")
    functions.publish_version(FunctionName=name)
    update(client, name, CODE.format(2))
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    functions.put_function_event_invoke_config(
        FunctionName=name, Qualifier="live", DestinationConfig={"OnSuccess": {"Destination": done.arn}}
    )
    rule = events.put_rule(Name=f"alias-{unique}", EventPattern=json.dumps({"source": [f"test.{unique}"]}))["RuleArn"]
    functions.add_permission(
        FunctionName=name,
        Qualifier="live",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    events.put_targets(Rule=f"alias-{unique}", Targets=[{"Id": "1", "Arn": f"{arn_of(name)}:live"}])
    events.put_events(Entries=[{"Source": f"test.{unique}", "DetailType": "t", "Detail": "{}"}])
    (record,) = done.messages(1)
    assert record["responsePayload"] == [1, "1", f"{arn_of(name)}:live"]
    assert record["requestContext"]["functionArn"] == f"{arn_of(name)}:live"
    assert record["responseContext"]["executedVersion"] == "1"
    events.remove_targets(Rule=f"alias-{unique}", Ids=["1"])
    events.delete_rule(Name=f"alias-{unique}")


def test_a_function_is_pending_first_and_serves_its_old_code_until_a_change_is_done(
    client: Any, role: str, unique: str
) -> None:
    """[Lambda developer guide, "Lambda function states"]"""
    functions, name = client("lambda"), f"states-{unique}"
    made = functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="handler.handler",
        Role=role,
        Code={"ZipFile": zipped(CODE.format(1))},
    )
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=FAST)
    changed = functions.update_function_code(FunctionName=name, ZipFile=zipped(CODE.format(2)))
    assert (changed["State"], changed["LastUpdateStatus"]) == ("Active", "InProgress")
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=FAST)
    assert run(client, name)[0] == 2
    functions.delete_function(FunctionName=name)
    with refused("ResourceNotFoundException"):
        functions.get_function(FunctionName=name)
