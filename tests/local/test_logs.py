"""CloudWatch Logs: who makes a log group, and what goes with it."""

from __future__ import annotations

import json
from typing import Any

from local_helpers import ACCOUNT, REGION, TRUST


def groups(client: Any, name: str) -> list[str]:
    found = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return [group["logGroupName"] for group in found]


def test_an_invocation_makes_no_log_group_that_the_role_may_not_make(client: Any, deploy: Any, unique: str) -> None:
    iam, role = client("iam"), f"no-logs-{unique}"
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    name = deploy("def handler(event, context): return 1", Role=arn)
    group = f"/aws/lambda/{name}"

    def invoke() -> list[str]:
        assert client("lambda").invoke(FunctionName=name)["Payload"].read() == b"1"
        return groups(client, group)

    assert invoke() == []
    resource = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"

    def put_policy(effect: str) -> None:
        statement = {"Effect": effect, "Action": "logs:Create*", "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=role, PolicyName=effect, PolicyDocument=document)

    put_policy("Allow")
    assert invoke() == [group]
    client("logs").delete_log_group(logGroupName=group)
    put_policy("Deny")
    assert invoke() == []


def test_a_log_group_made_again_does_not_bear_the_tags_of_the_deleted_one(client: Any, unique: str) -> None:
    logs, name = client("logs"), f"tagged-{unique}"
    logs.create_log_group(logGroupName=name, tags={"owner": "old"})
    logs.delete_log_group(logGroupName=name)
    logs.create_log_group(logGroupName=name)
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {}
