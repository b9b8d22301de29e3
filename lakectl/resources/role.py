"""An IAM role with one inline policy and no managed ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Json, Module, Template, at, tag_list
from lakectl.engine.model import Change, Resource, State
from lakectl.engine.retry import Reason
from lakectl.naming import Place
from lakectl.resources.policy_document import comparable, comparable_documents, parsed

# A role is not assumable for some seconds after CreateRole, whatever a waiter says
# (aws/aws-sdk-js#4408). Lambda, Glue and EventBridge each word it in their own way.
ROLE_NOT_READY = (
    Reason(
        "the new role to be assumable",
        ("cannot be assumed", "unable to assume", "is not authorized to perform: sts:AssumeRole"),
        at_first=True,
    ),
)

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
            inline = {
                name: parsed(iam.get_role_policy(RoleName=self.name, PolicyName=name)["PolicyDocument"])
                for name in iam.list_role_policies(RoleName=self.name)["PolicyNames"]
            }
            attached = iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"]
            tags = iam.list_role_tags(RoleName=self.name)["Tags"]
        except ClientError as error:
            if code_of(error) == "NoSuchEntity":
                return None
            raise
        fields = {
            "trust": parsed(role["AssumeRolePolicyDocument"]),
            "policy": inline,
            "attached_policies": sorted(policy["PolicyArn"] for policy in attached),
        }
        return State(fields, {tag["Key"]: tag["Value"] for tag in tags})

    def create(self, aws: Aws) -> None:
        aws.client("iam").create_role(
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps(self.trust),
            Description=DESCRIPTION,
            Tags=[{"Key": k, "Value": v} for k, v in self.tags.items()],
        )
        self._put_policy(aws)

    def _put_policy(self, aws: Aws) -> None:
        aws.client("iam").put_role_policy(
            RoleName=self.name, PolicyName=self.policy_name, PolicyDocument=json.dumps(self.policy)
        )

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        iam = aws.client("iam")
        for change in changes:
            if change.field == "trust":
                iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=json.dumps(self.trust))
            elif change.field == "policy":
                self._put_policy(aws)
                for name in set(change.old or ()) - {self.policy_name}:
                    iam.delete_role_policy(RoleName=self.name, PolicyName=name)
            elif change.field == "attached_policies":
                for arn in change.old:
                    iam.detach_role_policy(RoleName=self.name, PolicyArn=arn)
            elif change.field == "tags":
                iam.tag_role(RoleName=self.name, Tags=[{"Key": k, "Value": v} for k, v in change.new.items()])

    def destroy(self, aws: Aws) -> None:
        iam = aws.client("iam")
        try:
            attached = iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"]
            inline = iam.list_role_policies(RoleName=self.name)["PolicyNames"]
        except ClientError as error:
            if code_of(error) == "NoSuchEntity":
                return
            raise
        for policy in attached:
            _unless_gone(iam.detach_role_policy, RoleName=self.name, PolicyArn=policy["PolicyArn"])
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
