"""What a bucket tells whom: Lambda rules of ours and the EventBridge switch.

PutBucketNotificationConfiguration replaces everything, so foreign rules are read and written back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Block, Module, Template, at
from lakectl.engine.model import Change, Resource, State
from lakectl.engine.retry import Reason, until_ready
from lakectl.resources.bucket import BUCKET_BUSY, BUCKET_NEW, Bucket

# S3 validates that it may invoke the function before the new permission has spread.
PERMISSION_NOT_READY = (
    Reason(
        "the function's new permission to spread",
        ("Unable to validate the following destination configurations",),
        at_first=True,
    ),
)

OURS = "lakectl-"


class Notification(Resource):
    """``rules`` maps a rule id (``lakectl-…``) to the key prefix whose new objects go to ``function_arn``.

    EventBridge delivery is switched on and left on when others may use it: ``destroy`` turns it off
    only when no foreign rule is left, as nothing tells who switched it on.
    """

    kind = "s3-notification"
    why = "New objects go to the log function, and to EventBridge. Replaces all of the bucket's rules."
    starts_writes = True

    def __init__(
        self,
        bucket: str,
        *,
        step: str,
        function_arn: str,
        rules: Mapping[str, str],
        needs: tuple[str, ...],
    ) -> None:
        super().__init__(bucket, step=step, parent=Bucket.id_of(bucket), needs=needs)
        self.function_arn = function_arn
        self.rules = dict(rules)

    def desired(self) -> Mapping[str, Any]:
        return {
            "rules": {
                rule: {"function": self.function_arn, "events": ["s3:ObjectCreated:*"], "prefix": prefix}
                for rule, prefix in self.rules.items()
            },
            "eventbridge": True,
        }

    def _configuration(self, aws: Aws) -> dict[str, Any] | None:
        try:
            answer = aws.client("s3").get_bucket_notification_configuration(Bucket=self.name)
        except ClientError as error:
            if code_of(error) == "NoSuchBucket":
                return None
            raise
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    def read(self, aws: Aws) -> State | None:
        live = self._configuration(aws)
        if live is None:
            return None
        rules = {r["Id"]: _readable(r) for r in live.get("LambdaFunctionConfigurations", []) if _is_ours(r)}
        if not rules and ("EventBridgeConfiguration" not in live or _has_foreign(live)):
            return None  # as ``destroy`` leaves it
        return State({"rules": rules, "eventbridge": "EventBridgeConfiguration" in live})

    def create(self, aws: Aws) -> None:
        until_ready(
            lambda: self._put(aws, self.rules, eventbridge=True), BUCKET_BUSY + PERMISSION_NOT_READY + BUCKET_NEW
        )

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        if changes:
            until_ready(lambda: self._put(aws, self.rules, eventbridge=True), BUCKET_BUSY + PERMISSION_NOT_READY)

    def destroy(self, aws: Aws) -> None:
        live = self._configuration(aws)
        if live is None:
            return
        eventbridge = "EventBridgeConfiguration" in live and _has_foreign(live)
        try:
            # S3 would validate the foreign rules again, and refuse to remove ours when one of theirs leads nowhere.
            until_ready(lambda: self._put(aws, {}, eventbridge, validate=False), BUCKET_BUSY)
        except ClientError as error:
            if code_of(error) != "NoSuchBucket":  # another `down` has deleted it meanwhile
                raise

    def _put(self, aws: Aws, rules: Mapping[str, str], eventbridge: bool, validate: bool = True) -> None:
        merged = self._configuration(aws) or {}
        foreign = [rule for rule in merged.get("LambdaFunctionConfigurations", []) if not _is_ours(rule)]
        merged["LambdaFunctionConfigurations"] = foreign + [
            {
                "Id": rule,
                "LambdaFunctionArn": self.function_arn,
                "Events": ["s3:ObjectCreated:*"],
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}},
            }
            for rule, prefix in rules.items()
        ]
        merged.pop("EventBridgeConfiguration", None)
        if eventbridge:
            merged["EventBridgeConfiguration"] = {}
        options: dict[str, Any] = {} if validate else {"SkipDestinationValidation": True}
        aws.client("s3").put_bucket_notification_configuration(
            Bucket=self.name, NotificationConfiguration=merged, **options
        )

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        """A setting of the bucket, which so waits for the function and for the permission to invoke it."""
        bucket = template.parts[Bucket.id_of(self.name)]
        found = template.resources[bucket[0]]
        found["DependsOn"] = sorted({*found.get("DependsOn", []), *needs} - {*bucket})
        found["Properties"]["NotificationConfiguration"] = {
            "EventBridgeConfiguration": {"EventBridgeEnabled": True},
            "LambdaConfigurations": [
                {
                    "Event": "s3:ObjectCreated:*",
                    "Function": self.function_arn,
                    "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": prefix}]}},
                }
                for prefix in self.rules.values()
            ],
        }

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        rules = [
            Block(id=rule, lambda_function_arn=self.function_arn, events=["s3:ObjectCreated:*"], filter_prefix=prefix)
            for rule, prefix in self.rules.items()
        ]
        module.add(
            self.id,
            "aws_s3_bucket_notification",
            self.name,
            {
                "bucket": at(module.main(Bucket.id_of(self.name)), "bucket"),
                "eventbridge": True,
                "lambda_function": rules,
            },
            import_id=self.name,
            needs=needs,
        )


def _is_ours(rule: Mapping[str, Any]) -> bool:
    return str(rule.get("Id", "")).startswith(OURS)


def _has_foreign(configuration: Mapping[str, Any]) -> bool:
    kinds = ("LambdaFunctionConfigurations", "QueueConfigurations", "TopicConfigurations")
    return any(not _is_ours(rule) for kind in kinds for rule in configuration.get(kind, []))


def _readable(rule: Mapping[str, Any]) -> dict[str, Any]:
    filters = rule.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    named = {item["Name"].lower(): item["Value"] for item in filters}
    return {"function": rule["LambdaFunctionArn"], "events": sorted(rule["Events"]), **named}
