"""A monthly budget of what bears the lake's tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Block, Module, Template, tag_list
from lakectl.engine.model import Change, State
from lakectl.naming import TAG_LAKE, Place
from lakectl.resources.optional import OptionalResource

THRESHOLDS = (80.0, 100.0)  # percent of the limit


class Budget(OptionalResource):
    """``usd`` a month. ``notify`` (an address, or the ARN of an SNS topic) is told at 80 and 100 percent.

    It counts what is tagged, once the tag is active for cost allocation in the account (AWS Billing user guide,
    "Activating user-defined cost allocation tags").
    """

    kind = "budget"
    feature = "AWS Budgets"
    why = "A budget: somebody is told before the lake costs more than it may."
    arn_format = "arn:{partition}:budgets::{account}:budget/{name}"
    tagging: ClassVar = {"CreateBudget": "budgets:TagResource"}

    def __init__(self, name: str, *, step: str, tags: Mapping[str, str], place: Place, usd: float, notify: str) -> None:
        super().__init__(name, step=step, tags=tags, place=place)
        self.account = place.account
        self.usd = usd
        self.subscriber = {"SubscriptionType": "SNS" if notify.startswith("arn:") else "EMAIL", "Address": notify}

    def desired(self) -> Mapping[str, Any]:
        return {
            "limit": f"{self.usd:.2f} USD",
            "period": "MONTHLY",
            "filter": {"TagKeyValue": [f"user:{TAG_LAKE}${self.tags[TAG_LAKE]}"]},
            "told": {f"{percent:g}": [self.subscriber] for percent in THRESHOLDS},
        }

    def live(self, aws: Aws) -> State | None:
        budgets, owner = aws.client("budgets"), {"AccountId": self.account, "BudgetName": self.name}
        try:
            found = budgets.describe_budget(**owner)["Budget"]
            told = {
                f"{each['Threshold']:g}": budgets.describe_subscribers_for_notification(
                    Notification=_kind(each), **owner
                )["Subscribers"]
                for each in budgets.describe_notifications_for_budget(**owner).get("Notifications", [])
            }
            tags = budgets.list_tags_for_resource(ResourceARN=self.arn).get("ResourceTags", [])
        except ClientError as error:
            if code_of(error) == "NotFoundException":
                return None
            raise
        limit = found.get("BudgetLimit", {})
        fields = {
            "limit": f"{float(limit.get('Amount', 0)):.2f} {limit.get('Unit')}",
            "period": found.get("TimeUnit"),
            "filter": found.get("CostFilters"),
            "told": told,
        }
        return State(fields, {tag["Key"]: tag["Value"] for tag in tags})

    def _budget(self) -> dict[str, Any]:
        return {
            "BudgetName": self.name,
            "BudgetLimit": {"Amount": f"{self.usd:.2f}", "Unit": "USD"},
            "CostFilters": self.desired()["filter"],
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        }

    def _notifications(self) -> list[dict[str, Any]]:
        return [{"Notification": _notification(percent), "Subscribers": [self.subscriber]} for percent in THRESHOLDS]

    def create(self, aws: Aws) -> None:
        aws.client("budgets").create_budget(
            AccountId=self.account,
            Budget=self._budget(),
            NotificationsWithSubscribers=self._notifications(),
            ResourceTags=[{"Key": key, "Value": value} for key, value in self.tags.items()],
        )

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        budgets = aws.client("budgets")
        fields = {change.field: change for change in changes}
        if fields.keys() & {"limit", "period", "filter"}:
            budgets.update_budget(AccountId=self.account, NewBudget=self._budget())
        if "told" in fields:
            self._tell(budgets, fields["told"].old or {})
        if "tags" in fields:
            tags = [{"Key": key, "Value": value} for key, value in fields["tags"].new.items()]
            budgets.tag_resource(ResourceARN=self.arn, ResourceTags=tags)

    def _tell(self, budgets: Any, old: Mapping[str, Any]) -> None:
        """Each notification that differs is made anew: whom it tells can only be changed one by one."""
        owner = {"AccountId": self.account, "BudgetName": self.name}
        wanted = self.desired()["told"]
        for percent in [each for each in old if old[each] != wanted.get(each)]:
            budgets.delete_notification(Notification=_notification(float(percent)), **owner)
        for percent in [each for each in wanted if old.get(each) != wanted[each]]:
            budgets.create_notification(
                Notification=_notification(float(percent)), Subscribers=[self.subscriber], **owner
            )

    def destroy(self, aws: Aws) -> None:
        if aws.lacks(self.feature):
            return
        try:
            aws.client("budgets").delete_budget(AccountId=self.account, BudgetName=self.name)
        except ClientError as error:
            if code_of(error) != "NotFoundException":
                raise

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        properties = {
            "Budget": {**self._budget(), "BudgetLimit": {"Amount": self.usd, "Unit": "USD"}},
            "NotificationsWithSubscribers": self._notifications(),
            "ResourceTags": tag_list(self.tags),
        }
        template.add(self.id, "AWS::Budgets::Budget", properties, needs=needs)

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        whom = "sns_topic_arns" if self.subscriber["SubscriptionType"] == "SNS" else "email_addresses"
        body = {
            "name": self.name,
            "budget_type": "COST",
            "limit_amount": f"{self.usd:.2f}",
            "limit_unit": "USD",
            "time_unit": "MONTHLY",
            "tags": self.tags,
            "cost_filter": [Block(name=name, values=values) for name, values in self.desired()["filter"].items()],
            "notification": [
                Block(
                    {
                        "comparison_operator": "GREATER_THAN",
                        "threshold": percent,
                        "threshold_type": "PERCENTAGE",
                        "notification_type": "ACTUAL",
                        f"subscriber_{whom}": [self.subscriber["Address"]],
                    }
                )
                for percent in THRESHOLDS
            ],
        }
        import_id = f"{self.account}:{self.name}"
        module.add(self.id, "aws_budgets_budget", self.name, body, import_id=import_id, needs=needs)


def _notification(percent: float) -> dict[str, Any]:
    return {
        "NotificationType": "ACTUAL",
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": percent,
        "ThresholdType": "PERCENTAGE",
    }


def _kind(notification: Mapping[str, Any]) -> dict[str, Any]:
    """What names a notification, without its state."""
    return {key: value for key, value in notification.items() if key in _notification(0.0)}
