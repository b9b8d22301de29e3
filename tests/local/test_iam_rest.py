"""Calls of a REST service (Lambda) are known by method and path: who makes them is judged like everybody else."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from local_helpers import ACCOUNT, REGION, new_role

from lakectl.local.control import Endpoint


def lambda_client(endpoint: Endpoint, **keys: str) -> Any:
    return boto3.client("lambda", endpoint_url=endpoint.url, region_name=REGION, **keys)


def test_a_stranger_is_refused(endpoint: Endpoint) -> None:
    stranger = lambda_client(endpoint, aws_access_key_id="AKIA" + "A" * 16, aws_secret_access_key="x")
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        stranger.get_function(FunctionName="any")


def acting(client: Any, endpoint: Endpoint, name: str, *allowed: tuple[str, str]) -> Any:
    """A client of Lambda with the keys of a new role that may do this."""
    role = new_role(client("iam"), name, *allowed)
    who = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [who]})
    client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    return lambda_client(
        endpoint,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def test_a_role_may_do_what_its_policy_says_and_no_more(
    client: Any, endpoint: Endpoint, deploy: Any, unique: str
) -> None:
    name = deploy("def handler(event, context):\n    return 1\n")
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    mine = acting(client, endpoint, f"rest-{unique}", ("lambda:GetFunction", arn))
    for each in (name, arn, f"{ACCOUNT}:function:{name}", f"function:{name}"):
        assert mine.get_function(FunctionName=each)["Configuration"]["FunctionArn"] == arn
    with pytest.raises(ClientError, match="lambda:GetPolicy"):
        mine.get_policy(FunctionName=name)


def test_a_mapping_may_be_made_for_the_functions_of_a_condition(
    client: Any, endpoint: Endpoint, deploy: Any, unique: str
) -> None:
    """[Service Authorization Reference, Lambda: lambda:FunctionArn]"""
    name, role = deploy("def handler(event, context):\n    return 1\n"), f"mapping-{unique}"
    mine = acting(client, endpoint, role)
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    statement = {
        "Effect": "Allow",
        "Action": "lambda:CreateEventSourceMapping",
        "Resource": "*",
        "Condition": {"ArnEquals": {"lambda:FunctionArn": arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client("iam").put_role_policy(RoleName=role, PolicyName="one", PolicyDocument=policy)
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:absent"
    with pytest.raises(ClientError, match="execution role does not have permissions to call ReceiveMessage"):
        mine.create_event_source_mapping(FunctionName=name, EventSourceArn=queue)
    with pytest.raises(ClientError, match=r"AccessDenied.*lambda:CreateEventSourceMapping"):
        mine.create_event_source_mapping(FunctionName="another", EventSourceArn=queue)


def test_a_role_that_may_invoke_an_alias_may_not_invoke_the_function(
    client: Any, endpoint: Endpoint, deploy: Any, unique: str
) -> None:
    """[Lambda developer guide, "Resources and conditions for Lambda actions": a qualified ARN is another resource]"""
    name = deploy("def handler(event, context):\n    return 1\n")
    client("lambda").publish_version(FunctionName=name)
    client("lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    mine = acting(client, endpoint, f"alias-{unique}", ("lambda:InvokeFunction", f"{arn}:live"))
    for call in ({"FunctionName": name, "Qualifier": "live"}, {"FunctionName": f"{arn}:live"}):
        assert mine.invoke(**call)["Payload"].read() == b"1"
    for call in ({"FunctionName": name}, {"FunctionName": name, "Qualifier": "1"}):
        with pytest.raises(ClientError, match=r"AccessDenied.*lambda:InvokeFunction"):
            mine.invoke(**call)
