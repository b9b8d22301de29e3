"""An IAM role with one inline policy and no managed ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Json, Module, Template, at, tag_list
from lakectl.engine.model import Change, Resource, State
from lakectl.engine.retry import CONCURRENT_CHANGE, Reason, until_ready
from lakectl.naming import Place
from lakectl.resources.policy_document import comparable, comparable_documents, parsed

# A role is not assumable for some seconds after CreateRole, whatever a waiter says
# (aws/aws-sdk-js#4408). Lambda, Glue and EventBridge each word it in their own way. Glue has two wordings
# (hashicorp/terraform-provider-aws: crawler.go, dev_endpoint.go).
ROLE_NOT_READY = (
    Reason(
        "the new role to be assumable",
        ("cannot be assumed", "unable to assume", "is not authorized to perform: sts:AssumeRole")
        + ("should be given assume role permissions",),
        at_first=True,
    ),
)
# IAM answers from one of several copies of its data: the next call may not know the role yet.
ROLE_NEW = (Reason("the new role to be known everywhere in IAM", ("NoSuchEntity",)),)
# Nor that its policies are gone. A role in an instance profile is another DeleteConflict, and stays one.
POLICIES_THERE = (Reason("the role's deleted policies to be gone", ("policies first",)),)

DESCRIPTION = "Made by lakectl"


class Role(Resource):
    """``service`` (``lambda.amazonaws.com``) may assume it; ``policy`` is the list of its statements."""

    kind = "iam-role"
    why = "Roles: who may assume them, and the least they need, by name. No managed policies."
    arn_format = "arn:{partition}:iam::{account}:role/{name}"
    exists_codes = frozenset(("EntityAlreadyExists", "EntityAlreadyExistsException"))
    tagging: ClassVar = {"CreateRole": "iam:TagRole"}
    comparable: ClassVar = {"trust": comparable, "policy": comparable_documents}

    def __init__(
        self,
        name: str,
        *,
        step: str,
        tags: Mapping[str, str],
        place: Place,
        service: str,
        policy_name: str,
        policy: list[dict[str, Any]],
    ) -> None:
        super().__init__(name, step=step, tags=tags, place=place)
        self.trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
        }
        self.policy_name = policy_name
        self.policy: dict[str, Any] = {"Version": "2012-10-17", "Statement": policy}

    def desired(self) -> Mapping[str, Any]:
        return {"trust": self.trust, "policy": {self.policy_name: self.policy}, "attached_policies": []}

    def read(self, aws: Aws) -> State | None:
        iam = aws.client("iam")
        try:
            role = iam.get_role(RoleName=self.name)["Role"]
            inline = {name: self._document(iam, name) for name in self._inline(iam)}
            attached = self._attached(iam)
            tags = iam.list_role_tags(RoleName=self.name)["Tags"]
        except ClientError as error:
            if code_of(error) == "NoSuchEntity":
                return None
            raise
        fields = {
            "trust": parsed(role["AssumeRolePolicyDocument"]),
            "policy": inline,
            "attached_policies": sorted(attached),
        }
        return State(fields, {tag["Key"]: tag["Value"] for tag in tags})

    def _document(self, iam: Any, policy: str) -> Any:
        return parsed(iam.get_role_policy(RoleName=self.name, PolicyName=policy)["PolicyDocument"])

    # A page may be cut short of its 100 items, and say so (IAM API reference, "IsTruncated").
    def _inline(self, iam: Any) -> list[str]:
        pages = iam.get_paginator("list_role_policies").paginate(RoleName=self.name)
        return [name for page in pages for name in page["PolicyNames"]]

    def _attached(self, iam: Any) -> list[str]:
        pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=self.name)
        return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]

    def visible(self, aws: Aws) -> bool:
        try:
            return bool(comparable(self._document(aws.client("iam"), self.policy_name)) == comparable(self.policy))
        except ClientError as error:
            if code_of(error) == "NoSuchEntity":
                return False
            raise

    def create(self, aws: Aws) -> None:
        until_ready(
            lambda: aws.client("iam").create_role(
                RoleName=self.name,
                AssumeRolePolicyDocument=json.dumps(self.trust),
                Description=DESCRIPTION,
                Tags=[{"Key": k, "Value": v} for k, v in self.tags.items()],
            ),
            CONCURRENT_CHANGE,
        )
        until_ready(lambda: self._put_policy(aws), ROLE_NEW + CONCURRENT_CHANGE)

    def _put_policy(self, aws: Aws) -> None:
        aws.client("iam").put_role_policy(
            RoleName=self.name, PolicyName=self.policy_name, PolicyDocument=json.dumps(self.policy)
        )

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        for change in changes:
            until_ready(lambda change=change: self._put(aws, change), CONCURRENT_CHANGE)  # type: ignore[misc]

    def _put(self, aws: Aws, change: Change) -> None:
        iam = aws.client("iam")
        if change.field == "trust":
            iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=json.dumps(self.trust))
        elif change.field == "policy":
            self._put_policy(aws)
            for name in set(change.old or ()) - {self.policy_name}:
                _unless_gone(iam.delete_role_policy, RoleName=self.name, PolicyName=name)
        elif change.field == "attached_policies":
            for arn in change.old:
                _unless_gone(iam.detach_role_policy, RoleName=self.name, PolicyArn=arn)
        elif change.field == "tags":
            iam.tag_role(RoleName=self.name, Tags=[{"Key": k, "Value": v} for k, v in change.new.items()])

    def destroy(self, aws: Aws) -> None:
        until_ready(lambda: self._delete(aws.client("iam")), POLICIES_THERE + CONCURRENT_CHANGE)

    def _delete(self, iam: Any) -> None:
        try:
            attached, inline = self._attached(iam), self._inline(iam)
        except ClientError as error:
            if code_of(error) == "NoSuchEntity":
                return
            raise
        for arn in attached:
            _unless_gone(iam.detach_role_policy, RoleName=self.name, PolicyArn=arn)
        for name in inline:
            _unless_gone(iam.delete_role_policy, RoleName=self.name, PolicyName=name)
        _unless_gone(iam.delete_role, RoleName=self.name)

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        template.add(
            self.id,
            "AWS::IAM::Role",
            {
                "RoleName": self.name,
                "Description": DESCRIPTION,
                "AssumeRolePolicyDocument": self.trust,
                "Policies": [{"PolicyName": self.policy_name, "PolicyDocument": self.policy}],
                "Tags": tag_list(self.tags),
            },
            needs=needs,
        )

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        role = module.add(
            self.id,
            "aws_iam_role",
            self.name,
            {
                "name": self.name,
                "description": DESCRIPTION,
                "assume_role_policy": Json(self.trust),
                "tags": self.tags,
            },
            import_id=self.name,
            needs=needs,
        )
        module.add(
            self.id,
            "aws_iam_role_policy",
            self.name,
            {"name": self.policy_name, "role": at(role, "name"), "policy": Json(self.policy)},
            import_id=f"{self.name}:{self.policy_name}",
        )


def _unless_gone(call: Callable[..., Any], **arguments: str) -> None:
    # Each call by itself: a policy that is gone (a lost answer, another `down`) says nothing of the role.
    try:
        call(**arguments)
    except ClientError as error:
        if code_of(error) != "NoSuchEntity":
            raise
