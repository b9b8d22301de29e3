"""A CloudWatch log group with a retention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Module, Template, tag_list
from lakectl.engine.model import Change, Resource, State
from lakectl.engine.retry import Reason, until_ready
from lakectl.naming import TAG_LAKE, Place

# CloudWatch Logs: "A conflicting operation is currently in progress against this resource. Please try again."
# (hashicorp/terraform-provider-aws, logs/group.go).
GROUP_BUSY = (Reason("another change of the log group to end", ("OperationAbortedException",)),)
GROUP_NEW = (Reason("the new log group to be known everywhere", ("ResourceNotFoundException",)),)


class LogGroup(Resource):
    """Adopted without asking: an invocation in flight makes the group of our function again, untagged."""

    kind = "log-group"
    why = "Log groups, made before Lambda or Glue makes them: theirs would keep the logs for ever."
    idle_cost = "what it holds, by the gigabyte and month"
    arn_format = "arn:{partition}:logs:{region}:{account}:log-group:{name}"
    writes = ("logs:CreateLogStream", "logs:PutLogEvents")
    exists_codes = frozenset(("ResourceAlreadyExistsException",))
    tagging: ClassVar = {"CreateLogGroup": "logs:TagResource"}

    def __init__(self, name: str, *, step: str, tags: Mapping[str, str], place: Place, retention_days: int) -> None:
        super().__init__(name, step=step, tags=tags, place=place)
        self.retention_days = retention_days

    def desired(self) -> Mapping[str, Any]:
        return {"retention_days": self.retention_days}

    def owned(self, live: State) -> bool:
        # Without any lake's tag it was made by an invocation in flight: the name is derived from a function
        # or job of ours, so it is nobody else's. With another lake's tag it is theirs.
        return (live.tags or {}).get(TAG_LAKE, self.tags[TAG_LAKE]) == self.tags[TAG_LAKE]

    def read(self, aws: Aws) -> State | None:
        logs = aws.client("logs")
        pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=self.name)
        group = next((g for page in pages for g in page["logGroups"] if g["logGroupName"] == self.name), None)
        if group is None:
            return None
        try:
            tags = logs.list_tags_for_resource(resourceArn=self.arn)["tags"]
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return None
            raise
        return State({"retention_days": group.get("retentionInDays")}, tags)

    def create(self, aws: Aws) -> None:
        until_ready(lambda: aws.client("logs").create_log_group(logGroupName=self.name, tags=self.tags), GROUP_BUSY)
        self._put_retention(aws, GROUP_BUSY + GROUP_NEW)

    def _put_retention(self, aws: Aws, reasons: tuple[Reason, ...] = GROUP_BUSY) -> None:
        logs = aws.client("logs")
        until_ready(
            lambda: logs.put_retention_policy(logGroupName=self.name, retentionInDays=self.retention_days), reasons
        )

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        for change in changes:
            if change.field == "retention_days":
                self._put_retention(aws)
            elif change.field == "tags":
                aws.client("logs").tag_resource(resourceArn=self.arn, tags=change.new)

    def destroy(self, aws: Aws) -> None:
        try:
            until_ready(lambda: aws.client("logs").delete_log_group(logGroupName=self.name), GROUP_BUSY)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        properties = {
            "LogGroupName": self.name,
            "RetentionInDays": self.retention_days,
            "Tags": tag_list(self.tags),
        }
        template.add(self.id, "AWS::Logs::LogGroup", properties, needs=needs)

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        body = {"name": self.name, "retention_in_days": self.retention_days, "tags": self.tags}
        module.add(self.id, "aws_cloudwatch_log_group", self.name, body, import_id=self.name, needs=needs)
