"""Roles for functions and jobs that a test makes."""

from __future__ import annotations

import json
from typing import Any

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)


def new_role(iam: Any, name: str, *allowed: tuple[str, str], service: str = "lambda") -> str:
    """A role that ``service`` assumes; ``allowed`` are actions and resource ARNs. Returns its ARN."""
    trust = TRUST.replace("lambda.amazonaws.com", f"{service}.amazonaws.com")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    if allowed:
        put_policy(iam, name, *allowed)
    return str(role)


def put_policy(iam: Any, role: str, *allowed: tuple[str, str], effect: str = "Allow") -> None:
    statements = [{"Effect": effect, "Action": action, "Resource": resource} for action, resource in allowed]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=role, PolicyName=effect, PolicyDocument=document)
