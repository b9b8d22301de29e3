"""A Glue database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Module, Template
from lakectl.engine.model import Change, Data, Resource, State
from lakectl.engine.retry import CONCURRENT_CHANGE, Reason, until_ready
from lakectl.naming import Place

# Errors of the catalog's own transactions, which pass (Glue API reference, "Exceptions"). What was done all the same is
# found by the second try.
CATALOG_BUSY = CONCURRENT_CHANGE + (
    Reason("the catalog to be ready", ("ResourceNotReadyException", "OperationTimeoutException")),
)
DATABASE_NEW = (Reason("the new database to be known everywhere in Glue", ("EntityNotFoundException",)),)


class Database(Resource):
    """Its tables belong to it: they are deleted with it, and their data goes with the lake's buckets."""

    kind = "glue-database"
    why = "Glue databases: the catalog that Spark and Athena share."
    data = Data.CATALOG
    idle_cost = "nothing, up to a million objects in the account's catalog"
    arn_format = "arn:{partition}:glue:{region}:{account}:database/{name}"
    writes = ("glue:CreateTable", "glue:UpdateTable")
    exists_codes = frozenset(("AlreadyExistsException",))
    tagging: ClassVar = {"CreateDatabase": "glue:TagResource"}

    def __init__(
        self, name: str, *, step: str, tags: Mapping[str, str], place: Place, description: str, needs: tuple[str, ...]
    ) -> None:
        super().__init__(name, step=step, tags=tags, needs=needs, place=place)
        self.account = place.account
        self.description = description

    def desired(self) -> Mapping[str, Any]:
        return {"description": self.description}

    def read(self, aws: Aws) -> State | None:
        glue = aws.client("glue")
        try:
            database = glue.get_database(Name=self.name)["Database"]
            tags = glue.get_tags(ResourceArn=self.arn)["Tags"]
        except ClientError as error:
            if code_of(error) == "EntityNotFoundException":
                return None
            raise
        return State({"description": database.get("Description", "")}, tags)

    def create(self, aws: Aws) -> None:
        until_ready(
            lambda: aws.client("glue").create_database(
                DatabaseInput={"Name": self.name, "Description": self.description}, Tags=self.tags
            ),
            CATALOG_BUSY,
        )

    def visible(self, aws: Aws) -> bool:
        try:
            aws.client("glue").get_database(Name=self.name)
        except ClientError as error:
            if code_of(error) == "EntityNotFoundException":
                return False
            raise
        return True

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        glue = aws.client("glue")
        for change in changes:
            if change.field == "description":
                live = glue.get_database(Name=self.name)["Database"]
                keep = {k: live[k] for k in ("LocationUri", "Parameters") if k in live}
                until_ready(
                    lambda keep=keep: glue.update_database(  # type: ignore[misc]
                        Name=self.name, DatabaseInput={"Name": self.name, "Description": self.description, **keep}
                    ),
                    CATALOG_BUSY,
                )
            elif change.field == "tags":
                glue.tag_resource(ResourceArn=self.arn, TagsToAdd=change.new)

    def destroy(self, aws: Aws) -> None:
        """Delete the tables first: DeleteDatabase leaves them to be removed "at Glue's discretion" (API reference)."""
        glue = aws.client("glue")
        try:
            for page in glue.get_paginator("get_tables").paginate(DatabaseName=self.name):
                for table in page["TableList"]:
                    delete_table(glue, self.name, table["Name"])
            until_ready(lambda: glue.delete_database(Name=self.name), CATALOG_BUSY)
        except ClientError as error:
            if code_of(error) != "EntityNotFoundException":
                raise

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        """CloudFormation can't tag a database."""
        properties = {
            "CatalogId": self.account,
            "DatabaseInput": {"Name": self.name, "Description": self.description},
        }
        template.add(self.id, "AWS::Glue::Database", properties, needs=needs)

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        body = {"name": self.name, "description": self.description, "tags": self.tags}
        import_id = f"{self.account}:{self.name}"
        module.add(self.id, "aws_glue_catalog_database", self.name, body, import_id=import_id, needs=needs)


def delete_table(glue: Any, database: str, table: str) -> None:
    """Delete an entry of the catalog, unless it is gone."""
    try:
        until_ready(lambda: glue.delete_table(DatabaseName=database, Name=table), CATALOG_BUSY)
    except ClientError as error:
        if code_of(error) != "EntityNotFoundException":
            raise
