"""IAM: the managed policies that a tutorial's reader may attach."""

from __future__ import annotations

from typing import Any


def test_managed_policies_exist_and_no_others_are_listed_as_ours(client: Any) -> None:
    arn = "arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole"
    assert client("iam").get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn
    assert client("iam").list_policies(Scope="Local")["Policies"] == []
