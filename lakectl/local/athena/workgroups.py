"""Workgroups and named queries, where moto differs from Athena. Both are kept in moto's own backend."""

from __future__ import annotations

import re
import time
from typing import Any

from lakectl.local.athena.errors import RequestError
from lakectl.local.athena.executions import ENGINE_VERSION

_NAME = re.compile(r"[a-zA-Z0-9._-]{1,128}")
_LEAST_CUTOFF = 10_000_000
_NAMED_QUERY_FIELDS = (
    ("Name", "name"),
    ("Description", "description"),
    ("Database", "database"),
    ("QueryString", "query_string"),
)


def find(backend: Any, name: str | None) -> Any:
    """moto's workgroup object. Raises RequestError if there is none of this name."""
    group = backend.work_groups.get(name or "primary")
    if group is None:
        raise RequestError(f"WorkGroup {name} is not found.")
    return group


def create(backend: Any, request: dict[str, Any]) -> dict[str, Any]:
    name = request["Name"]
    if not _NAME.fullmatch(name):
        raise RequestError(f"WorkGroup name is invalid: {name}. It has to match {_NAME.pattern}")
    if name in backend.work_groups:
        raise RequestError("WorkGroup is already created")
    configuration = _complete(dict(request.get("Configuration") or {}))
    group = backend.create_work_group(name, configuration, request.get("Description") or "", request.get("Tags") or [])
    group.creation_time = time.time()
    return {}


def describe(backend: Any, name: str | None) -> dict[str, Any]:
    group = find(backend, name)
    return {
        "WorkGroup": {
            "Name": group.name,
            "State": group.state,
            "Configuration": _complete(group.configuration),
            "Description": group.description or "",
            "CreationTime": _created(group),
        }
    }


def list_all(backend: Any) -> dict[str, Any]:
    groups = [
        {
            "Name": group.name,
            "State": group.state,
            "Description": group.description or "",
            "CreationTime": _created(group),
            "EngineVersion": _complete(group.configuration)["EngineVersion"],
        }
        for group in backend.work_groups.values()
    ]
    return {"WorkGroups": groups}


def _created(group: Any) -> float:
    if not hasattr(group, "creation_time"):
        group.creation_time = time.time()
    return float(group.creation_time)


def _complete(configuration: dict[str, Any]) -> dict[str, Any]:
    """A configuration with Athena's defaults; AUTO is told with the version that it stands for."""
    engine = dict(configuration.get("EngineVersion") or {})
    selected = engine.get("SelectedEngineVersion") or "AUTO"
    if selected not in ("AUTO", ENGINE_VERSION["EffectiveEngineVersion"]):
        raise RequestError(f"Invalid engine version: {selected}")
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is not None and int(cutoff) < _LEAST_CUTOFF:
        raise RequestError(f"BytesScannedCutoffPerQuery is {cutoff}: it has to be at least {_LEAST_CUTOFF} bytes")
    defaults = {
        "ResultConfiguration": {},
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": True,
        "RequesterPaysEnabled": False,
    }
    return {
        **defaults,
        **configuration,
        "EngineVersion": {**ENGINE_VERSION, "SelectedEngineVersion": selected},
    }


# UpdateWorkGroup's spelling → what is stored under which key
_UPDATES = (
    "EnforceWorkGroupConfiguration",
    "PublishCloudWatchMetricsEnabled",
    "BytesScannedCutoffPerQuery",
    "RequesterPaysEnabled",
    "EngineVersion",
    "AdditionalConfiguration",
    "ExecutionRole",
    "CustomerContentEncryptionConfiguration",
    "EnableMinimumEncryptionConfiguration",
)


def update(backend: Any, request: dict[str, Any]) -> dict[str, Any]:
    group = find(backend, request.get("WorkGroup"))
    changes = request.get("ConfigurationUpdates") or {}
    configuration = dict(group.configuration)
    configuration |= {key: changes[key] for key in _UPDATES if key in changes}
    if changes.get("RemoveBytesScannedCutoffPerQuery"):
        configuration.pop("BytesScannedCutoffPerQuery", None)
    if changes.get("RemoveCustomerContentEncryptionConfiguration"):
        configuration.pop("CustomerContentEncryptionConfiguration", None)
    results = dict(configuration.get("ResultConfiguration") or {})
    for key, value in (changes.get("ResultConfigurationUpdates") or {}).items():
        if not key.startswith("Remove"):
            results[key] = value
        elif value:
            results.pop(key.removeprefix("Remove"), None)
    configuration["ResultConfiguration"] = results
    group.configuration = _complete(configuration)
    if request.get("Description") is not None:
        group.description = request["Description"]
    if request.get("State") is not None:
        group.state = request["State"]
    return {}


def delete(backend: Any, request: dict[str, Any], has_executions: bool) -> dict[str, Any]:
    name = request["WorkGroup"]
    if name == "primary":
        raise RequestError("The primary workgroup cannot be deleted.")
    group = find(backend, name)
    mine = [query.id for query in backend.named_queries.values() if query.workgroup is group]
    statements = [key for key, item in backend.prepared_statements.items() if item.workgroup in (name, group)]
    if (mine or statements or has_executions) and not request.get("RecursiveDeleteOption"):
        raise RequestError(f"WorkGroup {name} is not empty")
    for query_id in mine:
        del backend.named_queries[query_id]
    for key in statements:
        del backend.prepared_statements[key]
    backend.tagger.delete_all_tags_for_resource(group.arn)
    del backend.work_groups[name]
    return {}


def _named_query(query: Any) -> dict[str, Any]:
    described = {key: getattr(query, attribute) for key, attribute in _NAMED_QUERY_FIELDS}
    described |= {"NamedQueryId": query.id, "WorkGroup": query.workgroup.name}
    return {key: value for key, value in described.items() if value is not None}


def create_named_query(backend: Any, request: dict[str, Any]) -> str:
    group = find(backend, request.get("WorkGroup"))
    return str(
        backend.create_named_query(
            request["Name"], request.get("Description"), request["Database"], request["QueryString"], group.name
        )
    )


def get_named_query(backend: Any, query_id: str) -> dict[str, Any]:
    if query_id not in backend.named_queries:
        raise RequestError(f"NamedQuery {query_id} was not found")
    return {"NamedQuery": _named_query(backend.named_queries[query_id])}


def get_named_queries(backend: Any, query_ids: list[str]) -> dict[str, Any]:
    found = [_named_query(backend.named_queries[key]) for key in query_ids if key in backend.named_queries]
    missing = [
        {"NamedQueryId": key, "ErrorCode": "INTERNAL_FAILURE", "ErrorMessage": f"NamedQuery {key} was not found"}
        for key in query_ids
        if key not in backend.named_queries
    ]
    return {"NamedQueries": found, "UnprocessedNamedQueryIds": missing}


def update_named_query(backend: Any, request: dict[str, Any]) -> dict[str, Any]:
    get_named_query(backend, request["NamedQueryId"])
    query = backend.named_queries[request["NamedQueryId"]]
    query.name, query.query_string = request["Name"], request["QueryString"]
    query.description = request.get("Description", query.description)
    return {}


def delete_named_query(backend: Any, query_id: str) -> dict[str, Any]:
    get_named_query(backend, query_id)
    del backend.named_queries[query_id]
    return {}


def named_query_ids(backend: Any, workgroup: str | None) -> list[str]:
    group = find(backend, workgroup)
    return [query.id for query in backend.named_queries.values() if query.workgroup is group]
