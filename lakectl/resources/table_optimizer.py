"""One of Glue's optimizers of an Iceberg table: compaction, retention of snapshots, deletion of orphan files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Module, Template
from lakectl.engine.model import Change, State
from lakectl.engine.retry import CONCURRENT_CHANGE, until_ready
from lakectl.resources.database import Database
from lakectl.resources.optional import OptionalResource
from lakectl.resources.role import ROLE_NOT_READY

Kind = Literal["compaction", "retention", "orphan_file_deletion"]
LEFT_OUT = (
    "Glue's optimizers of the silver tables are not in it: a run of the job makes the tables first. Then add them with "
    "`aws glue create-table-optimizer`."
)
# The part of TableOptimizerConfiguration that each kind has (API reference).
PARTS = {
    "compaction": "compactionConfiguration",
    "retention": "retentionConfiguration",
    "orphan_file_deletion": "orphanFileDeletionConfiguration",
}


class TableOptimizer(OptionalResource):
    """Of ``database.table``, which a run makes. ``settings``: the fields of ``icebergConfiguration`` that we set."""

    kind = "glue-table-optimizer"
    feature = "Glue table optimizers"
    why = "Glue's own care of silver tables, instead of `lakectl maintain`."
    starts_writes = True
    idle_cost = "nothing; 0.44 USD for each DPU-hour that it works"

    def __init__(
        self,
        database: str,
        table: str,
        kind: Kind,
        *,
        step: str,
        role_arn: str,
        settings: Mapping[str, Any],
        needs: tuple[str, ...],
    ) -> None:
        super().__init__(f"{database}.{table}/{kind}", step=step, needs=needs, parent=Database.id_of(database))
        self._owner = {"DatabaseName": database, "TableName": table}
        self._type = kind
        self.role_arn = role_arn
        self.settings = dict(settings)

    def desired(self) -> Mapping[str, Any]:
        return {"role": self.role_arn, "enabled": True, "settings": self.settings}

    def awaits(self, aws: Aws) -> str:
        lacking = super().awaits(aws)
        if lacking:
            return lacking
        try:
            aws.client("glue").get_table(DatabaseName=self._owner["DatabaseName"], Name=self._owner["TableName"])
        except ClientError as error:
            if code_of(error) == "EntityNotFoundException":
                return f"{'.'.join(self._owner.values())}, which a run makes"
            raise
        return ""

    def _call(self, aws: Aws) -> dict[str, str]:
        return {"CatalogId": aws.account, **self._owner, "Type": self._type}

    def live(self, aws: Aws) -> State | None:
        try:
            found = aws.client("glue").get_table_optimizer(**self._call(aws))["TableOptimizer"]
        except ClientError as error:
            if code_of(error) == "EntityNotFoundException":
                return None
            raise
        have = found.get("configuration", {})
        settings = have.get(PARTS[self._type], {}).get("icebergConfiguration", {})
        return State(
            {
                "role": have.get("roleArn"),
                "enabled": have.get("enabled"),
                # Glue adds defaults of its own.
                "settings": {key: settings.get(key) for key in self.settings},
            }
        )

    def _configuration(self) -> dict[str, Any]:
        part = {PARTS[self._type]: {"icebergConfiguration": self.settings}}
        return {"roleArn": self.role_arn, "enabled": True, **part}

    def create(self, aws: Aws) -> None:
        glue, call = aws.client("glue"), self._call(aws)
        until_ready(
            lambda: glue.create_table_optimizer(TableOptimizerConfiguration=self._configuration(), **call),
            ROLE_NOT_READY,
        )

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        if not changes:
            return
        glue, call = aws.client("glue"), self._call(aws)
        until_ready(
            lambda: glue.update_table_optimizer(TableOptimizerConfiguration=self._configuration(), **call),
            ROLE_NOT_READY + CONCURRENT_CHANGE,
        )

    def destroy(self, aws: Aws) -> None:
        if aws.lacks(self.feature):
            return
        try:
            aws.client("glue").delete_table_optimizer(**self._call(aws))
        except ClientError as error:
            if code_of(error) != "EntityNotFoundException":
                raise

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:  # noqa: ARG002
        """It can't be made before its table, which no template holds."""
        template.left_out.append(LEFT_OUT)

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:  # noqa: ARG002
        """As in CloudFormation."""
        module.left_out.append(LEFT_OUT)
