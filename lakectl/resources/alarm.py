"""A CloudWatch alarm on one metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl import prices
from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Module, Template, tag_list
from lakectl.engine.model import Change, State
from lakectl.naming import Place
from lakectl.resources.optional import OptionalResource

PERIOD_S = 300


class Alarm(OptionalResource):
    """Goes off when the metric is above 0 in a period, and back when there is nothing to count. ``topic``: ARN of the
    SNS topic that is told both, or ""."""

    kind = "cloudwatch-alarm"
    feature = "CloudWatch alarms"
    why = "Alarms: events that nobody could handle, and functions that fail."
    idle_cost = f"{prices.ALARM_MONTH:.2f} USD a month each, ten of an account are free"
    idle_usd = prices.ALARM_MONTH
    arn_format = "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}"
    tagging: ClassVar = {"PutMetricAlarm": "cloudwatch:TagResource"}

    def __init__(
        self,
        name: str,
        *,
        step: str,
        tags: Mapping[str, str],
        place: Place,
        description: str,
        namespace: str,
        metric: str,
        statistic: str,
        dimensions: Mapping[str, str],
        topic: str,
        needs: tuple[str, ...],
    ) -> None:
        super().__init__(name, step=step, tags=tags, needs=needs, place=place)
        told = [topic] if topic else []
        # In the shape of PutMetricAlarm, which DescribeAlarms gives back.
        self.definition: dict[str, Any] = {
            "AlarmDescription": description,
            "ActionsEnabled": True,
            "AlarmActions": told,
            "OKActions": told,
            "Namespace": namespace,
            "MetricName": metric,
            "Statistic": statistic,
            "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(dimensions.items())],
            "Period": PERIOD_S,
            "EvaluationPeriods": 1,
            "Threshold": 0.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        }

    def desired(self) -> Mapping[str, Any]:
        return self.definition

    def live(self, aws: Aws) -> State | None:
        cloudwatch = aws.client("cloudwatch")
        found = cloudwatch.describe_alarms(AlarmNames=[self.name], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
        if not found:
            return None
        try:
            tags = cloudwatch.list_tags_for_resource(ResourceARN=self.arn)["Tags"]
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":  # another `down` has deleted it meanwhile
                return None
            raise
        return State({field: found[0].get(field) for field in self.definition}, {t["Key"]: t["Value"] for t in tags})

    def create(self, aws: Aws) -> None:
        tags = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        aws.client("cloudwatch").put_metric_alarm(AlarmName=self.name, Tags=tags, **self.definition)

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        cloudwatch = aws.client("cloudwatch")
        fields = {change.field: change for change in changes}
        if fields.keys() - {"tags"}:
            # Tags of an alarm that is there already are ignored (PutMetricAlarm, API reference).
            cloudwatch.put_metric_alarm(AlarmName=self.name, **self.definition)
        if "tags" in fields:
            tags = [{"Key": key, "Value": value} for key, value in fields["tags"].new.items()]
            cloudwatch.tag_resource(ResourceARN=self.arn, Tags=tags)

    def destroy(self, aws: Aws) -> None:
        """DeleteAlarms says nothing of one that is not there."""
        if not aws.lacks(self.feature):
            aws.client("cloudwatch").delete_alarms(AlarmNames=[self.name])

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        properties = {"AlarmName": self.name, **self.definition, "Tags": tag_list(self.tags)}
        template.add(self.id, "AWS::CloudWatch::Alarm", properties, needs=needs)

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        want = self.definition
        body = {
            "alarm_name": self.name,
            "alarm_description": want["AlarmDescription"],
            "actions_enabled": want["ActionsEnabled"],
            "alarm_actions": want["AlarmActions"],
            "ok_actions": want["OKActions"],
            "namespace": want["Namespace"],
            "metric_name": want["MetricName"],
            "statistic": want["Statistic"],
            "dimensions": {each["Name"]: each["Value"] for each in want["Dimensions"]},
            "period": want["Period"],
            "evaluation_periods": want["EvaluationPeriods"],
            "threshold": want["Threshold"],
            "comparison_operator": want["ComparisonOperator"],
            "treat_missing_data": want["TreatMissingData"],
            "tags": self.tags,
        }
        module.add(self.id, "aws_cloudwatch_metric_alarm", self.name, body, import_id=self.name, needs=needs)
