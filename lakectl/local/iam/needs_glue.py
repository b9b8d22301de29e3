"""What a call of Glue needs: the catalog, the database and the table, each (Glue developer guide, "Resource ARNs")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakectl.local.iam.calls import Call
from lakectl.local.iam.evaluator import Check

DATABASES = {"GetDatabase", "CreateDatabase", "UpdateDatabase", "DeleteDatabase"}
TABLES = {"GetTable", "GetTables", "CreateTable", "UpdateTable", "DeleteTable", "BatchDeleteTable"} | {
    "GetTableVersion",
    "GetTableVersions",
    "DeleteTableVersion",
    "BatchDeleteTableVersion",
    "GetPartition",
    "GetPartitions",
    "CreatePartition",
    "BatchCreatePartition",
    "BatchGetPartition",
    "UpdatePartition",
    "DeletePartition",
    "BatchDeletePartition",
    "GetPartitionIndexes",
    "CreatePartitionIndex",
    "DeletePartitionIndex",
    "GetColumnStatisticsForTable",
    "UpdateColumnStatisticsForTable",
}
JOBS = {"StartJobRun", "GetJobRun", "GetJobRuns", "BatchStopJobRun", "GetJob", "CreateJob", "UpdateJob", "DeleteJob"}
ANY_JOB = {"GetJobs", "ListJobs"}


def checks(call: Call, prefix: str) -> list[Check] | None:
    """All of them must pass, as an action on a table is one on its database and the catalog too."""
    operation, parameters = call.operation, call.parameters
    if operation in TABLES:
        return [Check(f"glue:{operation}", arn) for arn in _table(parameters, prefix)]
    if operation in DATABASES:
        name = parameters.get("Name") or parameters.get("DatabaseInput", {}).get("Name")
        return [Check(f"glue:{operation}", arn) for arn in (f"{prefix}:catalog", f"{prefix}:database/{name}")]
    if operation == "GetDatabases":
        return [Check("glue:GetDatabases", f"{prefix}:catalog")]
    if operation == "SearchTables":  # it finds tables of all databases
        everything = (f"{prefix}:catalog", f"{prefix}:database/*", f"{prefix}:table/*/*")
        return [Check("glue:SearchTables", arn) for arn in everything]
    if operation in JOBS:
        name = parameters.get("JobName") or parameters.get("Name")
        return [Check(f"glue:{operation}", f"{prefix}:job/{name}")]
    if operation in ANY_JOB:
        return [Check(f"glue:{operation}", f"{prefix}:job/*")]
    if operation in ("GetTags", "TagResource", "UntagResource"):
        return [Check(f"glue:{operation}", str(parameters.get("ResourceArn")))]
    return None


def _table(parameters: Mapping[str, Any], prefix: str) -> list[str]:
    database = parameters.get("DatabaseName")
    names = parameters.get("TablesToDelete") or [
        parameters.get("TableName") or parameters.get("Name") or parameters.get("TableInput", {}).get("Name") or "*"
    ]
    tables = [f"{prefix}:table/{database}/{name}" for name in names]
    return [f"{prefix}:catalog", f"{prefix}:database/{database}", *tables]
