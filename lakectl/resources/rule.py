"""An EventBridge rule on the default bus, with one Lambda target."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Block, Json, Module, Template, at, tag_list
from lakectl.engine.model import Change, Resource, State
from lakectl.engine.retry import CONCURRENT_CHANGE, Reason, until_ready
from lakectl.naming import Place

# hashicorp/terraform-provider-aws, rule.go: a new rule is not found for a while, and removed targets are still there.
RULE_NEW = (Reason("the new rule to be known everywhere in EventBridge", ("ResourceNotFoundException",)),)
TARGETS_THERE = (Reason("the rule's removed targets to be gone", ("since it has targets",)),)

TARGET_ID = "lakectl-target"


class Rule(Resource):
    """Either ``pattern`` (an event pattern) or ``schedule`` (``cron(…)``/``rate(…)``) is given."""

    kind = "events-rule"
    why = "Rules and their targets; what can't be delivered goes to the queue."
    arn_format = "arn:{partition}:events:{region}:{account}:rule/{name}"
    starts_writes = True
    exists_codes = frozenset(("ResourceAlreadyExistsException",))
    tagging: ClassVar = {"PutRule": "events:TagResource"}

    def __init__(
        self,
        name: str,
        *,
        step: str,
        tags: Mapping[str, str],
        place: Place,
        target_arn: str,
        dead_letter_arn: str,
        description: str,
        pattern: Mapping[str, Any] | None = None,
        schedule: str | None = None,
        enabled: bool = True,
        needs: tuple[str, ...] = (),
    ) -> None:
        super().__init__(name, step=step, tags=tags, needs=needs, place=place)
        self.target_arn = target_arn
        self.dead_letter_arn = dead_letter_arn
        self.description = description
        self.pattern = dict(pattern) if pattern else None
        self.schedule = schedule
        self.enabled = enabled

    def desired(self) -> Mapping[str, Any]:
        return {
            "description": self.description,
            "pattern": self.pattern,
            "schedule": self.schedule,
            "state": "ENABLED" if self.enabled else "DISABLED",
            "targets": {TARGET_ID: {"arn": self.target_arn, "dead_letter": self.dead_letter_arn}},
        }

    def read(self, aws: Aws) -> State | None:
        events = aws.client("events")
        try:
            rule = events.describe_rule(Name=self.name)
            targets = events.list_targets_by_rule(Rule=self.name)["Targets"]
            tags = events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return None
            raise
        fields = {
            "description": rule.get("Description", ""),
            "pattern": json.loads(rule["EventPattern"]) if rule.get("EventPattern") else None,
            "schedule": rule.get("ScheduleExpression") or None,
            "state": rule["State"],
            "targets": _readable(targets),
        }
        return State(fields, {tag["Key"]: tag["Value"] for tag in tags})

    def _put_rule(self, aws: Aws, with_tags: bool) -> None:
        definition: dict[str, Any] = {
            "Name": self.name,
            "Description": self.description,
            "State": "ENABLED" if self.enabled else "DISABLED",
        }
        if self.pattern:
            definition["EventPattern"] = json.dumps(self.pattern)
        if self.schedule:
            definition["ScheduleExpression"] = self.schedule
        if with_tags:  # PutRule ignores tags when the rule exists (API reference)
            definition["Tags"] = [{"Key": k, "Value": v} for k, v in self.tags.items()]
        until_ready(lambda: aws.client("events").put_rule(**definition), CONCURRENT_CHANGE)

    def _put_target(self, aws: Aws, reasons: tuple[Reason, ...] = CONCURRENT_CHANGE) -> None:
        target = {"Id": TARGET_ID, "Arn": self.target_arn, "DeadLetterConfig": {"Arn": self.dead_letter_arn}}
        events = aws.client("events")
        until_ready(lambda: _all(events.put_targets(Rule=self.name, Targets=[target]), "PutTargets"), reasons)

    def _remove_targets(self, aws: Aws, targets: list[str]) -> None:
        if targets:
            events = aws.client("events")
            until_ready(
                lambda: _all(events.remove_targets(Rule=self.name, Ids=targets), "RemoveTargets"), CONCURRENT_CHANGE
            )

    def create(self, aws: Aws) -> None:
        self._put_rule(aws, with_tags=True)
        self._put_target(aws, CONCURRENT_CHANGE + RULE_NEW)

    def visible(self, aws: Aws) -> bool:
        try:
            targets = aws.client("events").list_targets_by_rule(Rule=self.name)["Targets"]
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return False
            raise
        return bool(_readable(targets) == self.desired()["targets"])

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        events = aws.client("events")
        fields = {change.field: change for change in changes}
        if fields.keys() & {"description", "pattern", "schedule", "state"}:
            self._put_rule(aws, with_tags=False)
        if "targets" in fields:
            self._put_target(aws)
            self._remove_targets(aws, [target for target in fields["targets"].old or {} if target != TARGET_ID])
        if "tags" in fields:
            tags = [{"Key": k, "Value": v} for k, v in fields["tags"].new.items()]
            until_ready(lambda: events.tag_resource(ResourceARN=self.arn, Tags=tags), CONCURRENT_CHANGE)

    def destroy(self, aws: Aws) -> None:
        events = aws.client("events")
        try:
            targets = events.list_targets_by_rule(Rule=self.name)["Targets"]
            self._remove_targets(aws, [target["Id"] for target in targets])
            until_ready(lambda: events.delete_rule(Name=self.name), CONCURRENT_CHANGE + TARGETS_THERE)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        event = {"EventPattern": self.pattern} if self.pattern else {"ScheduleExpression": self.schedule}
        template.add(
            self.id,
            "AWS::Events::Rule",
            {
                "Name": self.name,
                "Description": self.description,
                "State": self.desired()["state"],
                **event,
                "Targets": [
                    {"Id": TARGET_ID, "Arn": self.target_arn, "DeadLetterConfig": {"Arn": self.dead_letter_arn}}
                ],
                "Tags": tag_list(self.tags),
            },
            needs=needs,
        )

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        event = {"event_pattern": Json(self.pattern)} if self.pattern else {"schedule_expression": self.schedule}
        rule = module.add(
            self.id,
            "aws_cloudwatch_event_rule",
            self.name,
            {
                "name": self.name,
                "description": self.description,
                "state": self.desired()["state"],
                **event,
                "tags": self.tags,
            },
            import_id=self.name,
            needs=needs,
        )
        module.add(
            self.id,
            "aws_cloudwatch_event_target",
            self.name,
            {
                "rule": at(rule, "name"),
                "target_id": TARGET_ID,
                "arn": self.target_arn,
                "dead_letter_config": Block(arn=self.dead_letter_arn),
            },
            import_id=f"{self.name}/{TARGET_ID}",
        )


def _readable(targets: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        target["Id"]: {"arn": target["Arn"], "dead_letter": target.get("DeadLetterConfig", {}).get("Arn")}
        for target in targets
    }


def _all(answer: Mapping[str, Any], operation: str) -> None:
    """Raise what PutTargets and RemoveTargets say of single targets: they answer 200 even if they did nothing
    (API reference, "FailedEntries")."""
    for failed in answer.get("FailedEntries", []):
        raise ClientError({"Error": {"Code": failed["ErrorCode"], "Message": failed["ErrorMessage"]}}, operation)
