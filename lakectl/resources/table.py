"""The DynamoDB table of the run log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Block, Module, Template, tag_list
from lakectl.engine.model import Change, Data, Resource, State
from lakectl.engine.retry import Reason, until_ready
from lakectl.errors import LakectlError
from lakectl.naming import Place

# DynamoDB switches backups on for a new table by itself, and refuses PITR until it has.
BACKUPS_NOT_READY = (
    Reason("backups of the new table to be available", ("ContinuousBackupsUnavailableException",), at_first=True),
)
# While a table is made, changed or deleted, DynamoDB refuses further changes (hashicorp/terraform-provider-aws,
# dynamodb/table.go: deleteDynamoDbTable).
TABLE_BUSY = (Reason("the table's creation or last change to end", ("ResourceInUseException",)),)

WAITER = {"Delay": 1, "MaxAttempts": 120}  # seconds; a table takes 5 to 20 s on AWS
KEYS = {"pk": "HASH", "sk": "RANGE"}


class Table(Resource):
    """String keys ``pk`` and ``sk``, on-demand billing."""

    kind = "dynamodb-table"
    why = "The run log: what has landed, and whether it is loaded. Pay per request: idle costs nothing."
    data = Data.HELD
    idle_cost = "what it holds, and its backups, by the gigabyte and month"
    arn_format = "arn:{partition}:dynamodb:{region}:{account}:table/{name}"
    reads = ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query")
    # TransactWriteItems has no permission of its own: it is authorised as the writes that it holds.
    writes = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem")
    exists_codes = frozenset(("ResourceInUseException",))
    tagging: ClassVar = {"CreateTable": "dynamodb:TagResource"}

    def __init__(
        self, name: str, *, step: str, tags: Mapping[str, str], place: Place, point_in_time_recovery: bool
    ) -> None:
        super().__init__(name, step=step, tags=tags, place=place)
        self.point_in_time_recovery = point_in_time_recovery

    def desired(self) -> Mapping[str, Any]:
        return {
            "keys": KEYS,
            "billing_mode": "PAY_PER_REQUEST",
            "point_in_time_recovery": "ENABLED" if self.point_in_time_recovery else "DISABLED",
        }

    def read(self, aws: Aws) -> State | None:
        dynamodb = aws.client("dynamodb")
        try:
            table = dynamodb.describe_table(TableName=self.name)["Table"]
            if table["TableStatus"] == "DELETING":
                return None
            backups = dynamodb.describe_continuous_backups(TableName=self.name)["ContinuousBackupsDescription"]
            tags = dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
        except ClientError as error:
            if code_of(error) in ("ResourceNotFoundException", "TableNotFoundException"):
                return None
            raise
        fields = {
            "keys": {key["AttributeName"]: key["KeyType"] for key in table["KeySchema"]},
            "billing_mode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "point_in_time_recovery": backups.get("PointInTimeRecoveryDescription", {}).get(
                "PointInTimeRecoveryStatus", "DISABLED"
            ),
        }
        return State(fields, {tag["Key"]: tag["Value"] for tag in tags})

    def create(self, aws: Aws) -> None:
        dynamodb = aws.client("dynamodb")
        if self._status(dynamodb) == "DELETING":
            dynamodb.get_waiter("table_not_exists").wait(TableName=self.name, WaiterConfig=WAITER)
        dynamodb.create_table(
            TableName=self.name,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in KEYS],
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in KEYS.items()],
            BillingMode="PAY_PER_REQUEST",
            Tags=[{"Key": k, "Value": v} for k, v in self.tags.items()],
        )
        dynamodb.get_waiter("table_exists").wait(TableName=self.name, WaiterConfig=WAITER)
        if self.point_in_time_recovery:
            until_ready(lambda: self._put_point_in_time_recovery(dynamodb), BACKUPS_NOT_READY)

    def _status(self, dynamodb: Any) -> str:
        """``ACTIVE``, ``DELETING`` …; empty when there is no such table."""
        try:
            return str(dynamodb.describe_table(TableName=self.name)["Table"]["TableStatus"])
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return ""
            raise

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        dynamodb = aws.client("dynamodb")
        dynamodb.get_waiter("table_exists").wait(TableName=self.name, WaiterConfig=WAITER)
        for change in changes:
            if change.field == "keys":
                raise LakectlError(
                    f"table {self.name} has the keys {change.old}, not {KEYS}, and keys can't be changed",
                    "choose another run_log.table in the config",
                )
            if change.field == "billing_mode":
                until_ready(
                    lambda: dynamodb.update_table(TableName=self.name, BillingMode="PAY_PER_REQUEST"), TABLE_BUSY
                )
                dynamodb.get_waiter("table_exists").wait(TableName=self.name, WaiterConfig=WAITER)
            elif change.field == "point_in_time_recovery":
                until_ready(lambda: self._put_point_in_time_recovery(dynamodb), BACKUPS_NOT_READY)
            elif change.field == "tags":
                tags = [{"Key": k, "Value": v} for k, v in change.new.items()]
                until_ready(
                    lambda tags=tags: dynamodb.tag_resource(ResourceArn=self.arn, Tags=tags),  # type: ignore[misc]
                    TABLE_BUSY,
                )

    def _put_point_in_time_recovery(self, dynamodb: Any) -> None:
        dynamodb.update_continuous_backups(
            TableName=self.name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": self.point_in_time_recovery},
        )

    def destroy(self, aws: Aws) -> None:
        dynamodb = aws.client("dynamodb")
        until_ready(lambda: self._delete(dynamodb), TABLE_BUSY)
        dynamodb.get_waiter("table_not_exists").wait(TableName=self.name, WaiterConfig=WAITER)

    def _delete(self, dynamodb: Any) -> None:
        try:
            dynamodb.delete_table(TableName=self.name)
        except ClientError as error:
            being_deleted = code_of(error) == "ResourceInUseException" and self._status(dynamodb) == "DELETING"
            if not being_deleted and code_of(error) != "ResourceNotFoundException":
                raise

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        template.add(
            self.id,
            "AWS::DynamoDB::Table",
            {
                "TableName": self.name,
                "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in KEYS],
                "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in KEYS.items()],
                "BillingMode": "PAY_PER_REQUEST",
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": self.point_in_time_recovery},
                "Tags": tag_list(self.tags),
            },
            needs=needs,
            keep=True,
        )

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        partition, sort = KEYS
        module.add(
            self.id,
            "aws_dynamodb_table",
            self.name,
            {
                "name": self.name,
                "billing_mode": "PAY_PER_REQUEST",
                "hash_key": partition,
                "range_key": sort,
                "tags": self.tags,
                "attribute": [Block(name=key, type="S") for key in KEYS],
                "point_in_time_recovery": Block(enabled=self.point_in_time_recovery),
            },
            import_id=self.name,
            needs=needs,
        )
