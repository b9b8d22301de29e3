"""Workgroups and their tags: https://docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroup.html"""

from __future__ import annotations

import re
import time
from typing import Any

from lakectl.local.athena import store
from lakectl.local.athena.errors import RequestError
from lakectl.local.athena.pages import page
from lakectl.local.athena.store import Item, Store

VERSION = "Athena engine version 3"
ENGINE_VERSION = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": VERSION}
PRIMARY = "primary"
_NAME = re.compile(r"[a-zA-Z0-9._-]{1,128}")
_LEAST_CUTOFF = 10_000_000
_DEFAULTS: dict[str, Any] = {
    "ResultConfiguration": {},
    "EnforceWorkGroupConfiguration": True,
    "PublishCloudWatchMetricsEnabled": False,
    "RequesterPaysEnabled": False,
    "EnableMinimumEncryptionConfiguration": False,
}
# What a workgroup of Athena SQL may have, and UpdateWorkGroup change
_SETTINGS = (
    "EnforceWorkGroupConfiguration",
    "PublishCloudWatchMetricsEnabled",
    "BytesScannedCutoffPerQuery",
    "RequesterPaysEnabled",
    "EngineVersion",
    "EnableMinimumEncryptionConfiguration",
    "QueryResultsS3AccessGrantsConfiguration",
)
# What would do something that is not done here
_REFUSED = (
    "AdditionalConfiguration",
    "ExecutionRole",
    "CustomerContentEncryptionConfiguration",
    "IdentityCenterConfiguration",
    "ManagedQueryResultsConfiguration",
    "ManagedQueryResultsConfigurationUpdates",
    "MonitoringConfiguration",
    "EngineConfiguration",
)
MOST_TAGS = 50


class Workgroups:
    def __init__(self, kept: Store, account: str) -> None:
        self._kept = kept
        self._account = account

    def find(self, region: str, name: str | None) -> Item:
        """Raises RequestError if there is no workgroup of this name."""
        groups = self._kept.all(region, store.WORKGROUP)
        wanted = name or PRIMARY
        if wanted == PRIMARY and wanted not in groups:
            self._kept.put(region, store.WORKGROUP, PRIMARY, _new(PRIMARY, {"EnforceWorkGroupConfiguration": False}))
        if wanted not in groups:
            raise RequestError(f"WorkGroup {wanted} is not found.")
        return groups[wanted]

    def create(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        name = request["Name"]
        if not _NAME.fullmatch(name):
            raise RequestError(f"WorkGroup name is invalid: {name}. It has to match {_NAME.pattern}")
        if name == PRIMARY or name in self._kept.all(region, store.WORKGROUP):
            raise RequestError("WorkGroup is already created")
        group = _new(name, request.get("Configuration") or {})
        group["Description"] = request.get("Description") or ""
        group["Tags"] = _tags(request.get("Tags") or [])
        self._kept.put(region, store.WORKGROUP, name, group)
        return {}

    def get(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        group = self.find(region, request["WorkGroup"])
        shown = ("Name", "State", "Description", "CreationTime")
        configuration = _complete(group["Configuration"])
        return {"WorkGroup": {**{key: group[key] for key in shown}, "Configuration": configuration}}

    def list(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        self.find(region, PRIMARY)
        shown = ("Name", "State", "Description", "CreationTime")
        found = [
            {**{key: group[key] for key in shown}, "EngineVersion": _complete(group["Configuration"])["EngineVersion"]}
            for group in self._kept.all(region, store.WORKGROUP).values()
        ]
        return page(found, "WorkGroups", request, 50)

    def update(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        group = dict(self.find(region, request["WorkGroup"]))
        changes = request.get("ConfigurationUpdates") or {}
        _refuse(changes)
        configuration = {**group["Configuration"], **{key: changes[key] for key in _SETTINGS if key in changes}}
        if changes.get("RemoveBytesScannedCutoffPerQuery"):
            configuration.pop("BytesScannedCutoffPerQuery", None)
        results = dict(configuration.get("ResultConfiguration") or {})
        for key, value in (changes.get("ResultConfigurationUpdates") or {}).items():
            if not key.startswith("Remove"):
                results[key] = value
            elif value:
                results.pop(key.removeprefix("Remove"), None)
        group["Configuration"] = _complete({**configuration, "ResultConfiguration": results})
        for key in ("Description", "State"):
            if request.get(key) is not None:
                group[key] = request[key]
        self._kept.put(region, store.WORKGROUP, group["Name"], group)
        return {}

    def delete(self, region: str, name: str, has_executions: bool) -> dict[str, Any]:
        """Raises RequestError for one that is not empty, unless the caller has asked for all of it to go."""
        if name == PRIMARY:
            raise RequestError("The primary workgroup cannot be deleted.")
        self.find(region, name)
        inside = [
            (kind, key)
            for kind in (store.NAMED_QUERY, store.PREPARED)
            for key, item in self._kept.all(region, kind).items()
            if item["WorkGroup"] == name
        ]
        if has_executions or inside:
            raise RequestError(f"WorkGroup {name} is not empty")
        self._kept.delete(region, store.WORKGROUP, name)
        return {}

    def delete_all(self, region: str, name: str) -> dict[str, Any]:
        """The workgroup with its named queries and prepared statements."""
        for kind in (store.NAMED_QUERY, store.PREPARED):
            for key, item in list(self._kept.all(region, kind).items()):
                if item["WorkGroup"] == name and name != PRIMARY:
                    self._kept.delete(region, kind, key)
        return self.delete(region, name, has_executions=False)

    def tags(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        tags = self._tagged(region, request["ResourceARN"])["Tags"]
        return page([{"Key": key, "Value": value} for key, value in tags.items()], "Tags", request, 75)

    def tag(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        group = dict(self._tagged(region, request["ResourceARN"]))
        group["Tags"] = {**group["Tags"], **_tags(request["Tags"])}
        if len(group["Tags"]) > MOST_TAGS:
            raise RequestError(f"A resource can have at most {MOST_TAGS} tags")
        self._kept.put(region, store.WORKGROUP, group["Name"], group)
        return {}

    def untag(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        group = dict(self._tagged(region, request["ResourceARN"]))
        group["Tags"] = {key: value for key, value in group["Tags"].items() if key not in request["TagKeys"]}
        self._kept.put(region, store.WORKGROUP, group["Name"], group)
        return {}

    def _tagged(self, region: str, arn: str) -> Item:
        prefix = f"arn:aws:athena:{region}:{self._account}:workgroup/"
        name = arn.removeprefix(prefix)
        if not arn.startswith(prefix) or name not in {PRIMARY, *self._kept.all(region, store.WORKGROUP)}:
            raise RequestError(f"Resource {arn} was not found", kind="ResourceNotFoundException")
        return self.find(region, name)


def _new(name: str, configuration: dict[str, Any]) -> Item:
    _refuse(configuration)
    return {
        "Name": name,
        "State": "ENABLED",
        "Description": "",
        "Configuration": _complete(configuration),
        "CreationTime": time.time(),
        "Tags": {},
    }


def _tags(given: list[dict[str, Any]]) -> dict[str, str]:
    tags = {tag.get("Key", ""): tag.get("Value", "") for tag in given}
    if len(tags) != len(given):
        raise RequestError("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if "" in tags:
        raise RequestError("Tag key can't be empty")
    return tags


def _refuse(configuration: dict[str, Any]) -> None:
    for key in _REFUSED:
        if configuration.get(key) and configuration[key] != {"Enabled": False}:
            raise RequestError(f"NOT_SUPPORTED: {key} is not supported by the local Athena; it works on AWS")
    if configuration.get("RequesterPaysEnabled"):
        raise RequestError("NOT_SUPPORTED: RequesterPaysEnabled is not supported by the local Athena; it works on AWS")


def _complete(configuration: dict[str, Any]) -> dict[str, Any]:
    """A configuration with Athena's defaults; AUTO is told with the version that it stands for."""
    selected = (configuration.get("EngineVersion") or {}).get("SelectedEngineVersion") or "AUTO"
    if selected not in ("AUTO", VERSION):
        raise RequestError(f"Invalid engine version: {selected}")
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is not None and int(cutoff) < _LEAST_CUTOFF:
        raise RequestError(f"BytesScannedCutoffPerQuery is {cutoff}: it has to be at least {_LEAST_CUTOFF} bytes")
    location = (configuration.get("ResultConfiguration") or {}).get("OutputLocation")
    if location is not None and not re.match(r"s3://[^/]+", location):
        raise RequestError("outputLocation is not a valid S3 path.")
    return {**_DEFAULTS, **configuration, "EngineVersion": {**ENGINE_VERSION, "SelectedEngineVersion": selected}}
