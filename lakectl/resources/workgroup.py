"""The Athena workgroup and its named queries."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Block, Module, Template, at, tag_list
from lakectl.engine.model import Change, Resource, State
from lakectl.naming import Place

# Athena has no code of its own for what is not there. It says "WorkGroup x is not found."; emulators say it otherwise.
NOT_FOUND = ("not found", "does not exist")


class Workgroup(Resource):
    """``output`` is where results go (``s3://…/``), "": Athena keeps them itself, for a day; ``bytes_cutoff`` stops a
    query that scans more."""

    kind = "athena-workgroup"
    why = "The workgroup: results in one place, and a limit on what one query may scan."
    arn_format = "arn:{partition}:athena:{region}:{account}:workgroup/{name}"
    tagging: ClassVar = {"CreateWorkGroup": "athena:TagResource"}

    def __init__(
        self,
        name: str,
        *,
        step: str,
        tags: Mapping[str, str],
        place: Place,
        output: str,
        engine_version: str,
        bytes_cutoff: int,
        description: str,
        needs: tuple[str, ...],
    ) -> None:
        super().__init__(name, step=step, tags=tags, needs=needs, place=place)
        self.output = output
        self.engine_version = engine_version
        self.bytes_cutoff = bytes_cutoff
        self.description = description

    def desired(self) -> Mapping[str, Any]:
        return {
            "description": self.description,
            "state": "ENABLED",
            "output": self.output or None,
            "managed_results": not self.output,
            "engine_version": self.engine_version,
            "bytes_scanned_cutoff": self.bytes_cutoff,
            "enforce_configuration": True,
            "publish_metrics": True,
            "encryption": "SSE_S3" if self.output else None,
        }

    def unavailable(self, aws: Aws) -> str:
        return "" if self.output else aws.lacks("Athena managed query results")

    def _get(self, aws: Aws) -> dict[str, Any] | None:
        try:
            return dict(aws.client("athena").get_work_group(WorkGroup=self.name)["WorkGroup"])
        except ClientError as error:
            if code_of(error) == "InvalidRequestException" and any(words in str(error) for words in NOT_FOUND):
                return None
            raise

    def read(self, aws: Aws) -> State | None:
        live = self._get(aws)
        if live is None:
            return None
        configuration = live.get("Configuration", {})
        results = configuration.get("ResultConfiguration", {})
        try:
            tags = aws.client("athena").list_tags_for_resource(ResourceARN=self.arn)["Tags"]
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":  # another `down` has deleted it meanwhile
                return None
            raise
        fields = {
            "description": live.get("Description", ""),
            "state": live.get("State"),
            "output": results.get("OutputLocation"),
            "managed_results": configuration.get("ManagedQueryResultsConfiguration", {}).get("Enabled", False),
            "engine_version": configuration.get("EngineVersion", {}).get("SelectedEngineVersion"),
            "bytes_scanned_cutoff": configuration.get("BytesScannedCutoffPerQuery"),
            "enforce_configuration": configuration.get("EnforceWorkGroupConfiguration"),
            "publish_metrics": configuration.get("PublishCloudWatchMetricsEnabled"),
            "encryption": results.get("EncryptionConfiguration", {}).get("EncryptionOption"),
        }
        return State(fields, {tag["Key"]: tag["Value"] for tag in tags})

    def _results(self) -> dict[str, Any]:
        """A workgroup has a place for results, or lets Athena keep them, and never both (WorkGroupConfiguration, API
        reference)."""
        if not self.output:
            return {"ManagedQueryResultsConfiguration": {"Enabled": True}}
        return {"ResultConfiguration": self._place()}

    def _new_results(self, managed: bool) -> dict[str, Any]:
        """As ``_results``, for UpdateWorkGroup; ``managed``: whether Athena keeps them now."""
        if not self.output:
            nowhere = {"RemoveOutputLocation": True, "RemoveEncryptionConfiguration": True}
            managing = {"ManagedQueryResultsConfigurationUpdates": {"Enabled": True}}
            return {"ResultConfigurationUpdates": nowhere, **managing}
        # Emulators, and older ones, don't know the other field: it is named where it must be turned off.
        off = {"ManagedQueryResultsConfigurationUpdates": {"Enabled": False}} if managed else {}
        return {"ResultConfigurationUpdates": self._place(), **off}

    def _place(self) -> dict[str, Any]:
        return {"OutputLocation": self.output, "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}

    def _configuration(self) -> dict[str, Any]:
        return {
            "EnforceWorkGroupConfiguration": True,
            "PublishCloudWatchMetricsEnabled": True,
            "BytesScannedCutoffPerQuery": self.bytes_cutoff,
            "EngineVersion": {"SelectedEngineVersion": self.engine_version},
        }

    def create(self, aws: Aws) -> None:
        try:
            aws.client("athena").create_work_group(
                Name=self.name,
                Description=self.description,
                Configuration={**self._configuration(), **self._results()},
                Tags=[{"Key": k, "Value": v} for k, v in self.tags.items()],
            )
        except ClientError as error:
            # "WorkGroup is already created" has no code of its own either; what is there decides.
            live = self.read(aws) if "already" in str(error) else None
            if live is None or not self.owned(live):
                raise
            self.update(aws, self.diff(live))

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        athena = aws.client("athena")
        fields = {change.field: change for change in changes}
        if fields.keys() - {"tags"}:
            athena.update_work_group(
                WorkGroup=self.name,
                Description=self.description,
                State="ENABLED",
                ConfigurationUpdates={**self._configuration(), **self._new_results("managed_results" in fields)},
            )
        if "tags" in fields:
            athena.tag_resource(
                ResourceARN=self.arn, Tags=[{"Key": k, "Value": v} for k, v in fields["tags"].new.items()]
            )

    def destroy(self, aws: Aws) -> None:
        try:
            aws.client("athena").delete_work_group(WorkGroup=self.name, RecursiveDeleteOption=True)
        except ClientError:
            if self._get(aws) is not None:  # "not found" has no code of its own
                raise

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        template.add(
            self.id,
            "AWS::Athena::WorkGroup",
            {
                "Name": self.name,
                "Description": self.description,
                "State": "ENABLED",
                "RecursiveDeleteOption": True,
                "WorkGroupConfiguration": {**self._configuration(), **self._results()},
                "Tags": tag_list(self.tags),
            },
            needs=needs,
        )

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        if self.output:
            place = Block(output_location=self.output, encryption_configuration=Block(encryption_option="SSE_S3"))
            results = {"result_configuration": place}
        else:
            module.since(6, 37)  # hashicorp/terraform-provider-aws#44273 came with an earlier 6.x
            results = {"managed_query_results_configuration": Block(enabled=True)}
        module.add(
            self.id,
            "aws_athena_workgroup",
            self.name,
            {
                "name": self.name,
                "description": self.description,
                "state": "ENABLED",
                "tags": self.tags,
                "configuration": Block(
                    enforce_workgroup_configuration=True,
                    publish_cloudwatch_metrics_enabled=True,
                    bytes_scanned_cutoff_per_query=self.bytes_cutoff,
                    engine_version=Block(selected_engine_version=self.engine_version),
                    **results,
                ),
            },
            import_id=self.name,
            needs=needs,
        )


class NamedQuery(Resource):
    """A saved query. Names are not unique on AWS: of several copies one is kept."""

    kind = "athena-named-query"
    why = "Saved queries. Names are not unique; the token keeps a repeat from making a second one."

    def __init__(
        self, query_name: str, *, step: str, workgroup: str, database: str, sql: str, description: str
    ) -> None:
        super().__init__(f"{workgroup}/{query_name}", step=step, parent=Workgroup.id_of(workgroup))
        self.batch = self.parent
        self.query_name = query_name
        self.workgroup = workgroup
        self.database = database
        self.sql = sql
        self.description = description

    def desired(self) -> Mapping[str, Any]:
        return {"database": self.database, "sql": self.sql, "description": self.description, "copies": 1}

    @staticmethod
    def _all(aws: Aws, workgroup: str) -> list[dict[str, Any]]:
        athena = aws.client("athena")
        try:
            pages = athena.get_paginator("list_named_queries").paginate(WorkGroup=workgroup)
            ids = [query for page in pages for query in page["NamedQueryIds"]]
        except ClientError as error:
            if code_of(error) == "InvalidRequestException":  # the workgroup is not there
                return []
            raise
        found = []
        for start in range(0, len(ids), 50):  # BatchGetNamedQuery takes 50 ids (API reference)
            found += athena.batch_get_named_query(NamedQueryIds=ids[start : start + 50])["NamedQueries"]
        return found

    def _copies(self, aws: Aws) -> list[dict[str, Any]]:
        found = [query for query in self._all(aws, self.workgroup) if query["Name"] == self.query_name]
        return sorted(found, key=lambda query: str(query["NamedQueryId"]))

    @classmethod
    def ids(cls, aws: Aws, workgroup: str) -> dict[str, str]:
        """The ids that Athena gave to the queries of a workgroup, by name; of several copies, the first by id."""
        found = sorted(cls._all(aws, workgroup), key=lambda query: str(query["NamedQueryId"]), reverse=True)
        return {query["Name"]: str(query["NamedQueryId"]) for query in found}

    def read(self, aws: Aws) -> State | None:
        return self._state(self._copies(aws))

    @classmethod
    def read_batch(cls, aws: Aws, resources: Sequence[NamedQuery]) -> list[State | None]:
        """One listing of the workgroup for all of them."""
        found = cls._all(aws, resources[0].workgroup)
        return [cls._state([q for q in found if q["Name"] == resource.query_name]) for resource in resources]

    @staticmethod
    def _state(copies: list[dict[str, Any]]) -> State | None:
        if not copies:
            return None
        first = copies[0]
        return State(
            {
                "database": first["Database"],
                "sql": first["QueryString"],
                "description": first.get("Description", ""),
                "copies": len(copies),
            }
        )

    def create(self, aws: Aws) -> None:
        aws.client("athena").create_named_query(
            Name=self.query_name,
            Description=self.description,
            Database=self.database,
            QueryString=self.sql,
            WorkGroup=self.workgroup,
            # A new one for each create. AWS remembers tokens: it refuses one that came with other parameters, and
            # makes no query for one whose query was deleted (CreateNamedQuery, API reference). botocore sends the same
            # one again when an answer is lost.
            ClientRequestToken=uuid.uuid4().hex,
        )
        # Another `up` may have made one at the same time. Both keep the first by id.
        self._delete(aws, [query for query in self._copies(aws) if self._good(query)][1:])

    def _good(self, query: Mapping[str, Any]) -> bool:
        live = (query["Database"], query["QueryString"], query.get("Description", ""))
        return live == (self.database, self.sql, self.description)

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        if not changes:
            return
        copies = self._copies(aws)
        good = [query for query in copies if self._good(query)][:1]
        if not good:
            self.create(aws)
        self._delete(aws, [query for query in copies if query not in good])

    def destroy(self, aws: Aws) -> None:
        self._delete(aws, self._copies(aws))

    def _delete(self, aws: Aws, copies: list[dict[str, Any]]) -> None:
        for query in copies:
            try:
                aws.client("athena").delete_named_query(NamedQueryId=query["NamedQueryId"])
            except ClientError:
                # "not found" has no code of its own: a lost answer, or another `down`.
                if query["NamedQueryId"] in {copy["NamedQueryId"] for copy in self._copies(aws)}:
                    raise

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        properties = {
            "Name": self.query_name,
            "Description": self.description,
            "Database": self.database,
            "WorkGroup": self.workgroup,
            "QueryString": self.sql,
        }
        template.add(self.id, "AWS::Athena::NamedQuery", properties, needs=needs)

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        """It is imported by an id that only Athena knows."""
        body = {
            "name": self.query_name,
            "description": self.description,
            "database": self.database,
            "workgroup": at(module.main(Workgroup.id_of(self.workgroup)), "name"),
            "query": self.sql,
        }
        name = f"query_{self.query_name}"
        module.add(self.id, "aws_athena_named_query", name, body, import_id=None, lookup=self.query_name, needs=needs)
