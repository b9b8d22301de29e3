"""PublishLayerVersion and what can be asked and done about layers afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakectl.local.functions import code, configuration, layers
from lakectl.local.functions.errors import Refused, constrained, not_found
from lakectl.local.functions.lifecycle import Functions
from lakectl.local.functions.pages import page
from lakectl.local.functions.permissions import LayerPermissions
from lakectl.local.functions.store import LAYER, Item


class Layers:
    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._kept = functions.kept
        self._account = functions.context.account_id
        self._permissions = LayerPermissions(functions)

    def publish(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        name = layers.name_of(str(request.get("LayerName") or ""))
        _check(request)
        context = self._functions.context
        data = code.read(request.get("Content") or {}, context.client("s3", region))
        with self._kept.lock, context.database.transaction():
            layer = self._kept.all(region, LAYER).get(name) or {"LayerName": name, "Next": 1, "Versions": {}}
            arn = f"arn:aws:lambda:{region}:{self._account}:layer:{name}"
            number = layer["Next"]
            version: dict[str, Any] = {
                "Content": {"CodeSha256": code.sha256_base64(data), "CodeSize": len(data)},
                "LayerArn": arn,
                "LayerVersionArn": f"{arn}:{number}",
                "Description": request.get("Description") or "",
                "CreatedDate": configuration.modified(),
                "Version": number,
                "_code": self._kept.keep_zip(data),
                "_unzipped": code.unzipped_bytes(data),
            }
            for field in ("CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"):
                if request.get(field) is not None:
                    version[field] = request[field]
            layer["Versions"][str(number)] = version
            layer["Next"] = number + 1
            self._kept.put(region, LAYER, name, layer)
            return _shown(version)

    def get(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        return _shown(self._version(region, request)[1])

    def get_by_arn(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        arn = str(request.get("Arn"))
        if not layers.VERSION_ARN.fullmatch(arn):
            raise constrained(arn, "arn", f"satisfy regular expression pattern: {layers.VERSION_ARN.pattern}")
        parts = arn.split(":")
        if parts[3] != region or parts[4] != self._account:
            raise not_found("The resource you requested does not exist.")
        return _shown(layers.version_of(self._kept, region, self._account, parts[6], parts[7])[1])

    def list_versions(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        layer = self._kept.all(region, LAYER).get(layers.name_of(str(request["LayerName"])))
        return page(_listed(layer, request) if layer is not None else [], "LayerVersions", request)

    def list(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        found = []
        for layer in self._kept.all(region, LAYER).values():
            versions = _listed(layer, request)
            if versions:
                arn = versions[0]["LayerVersionArn"].rpartition(":")[0]
                found.append({"LayerName": layer["LayerName"], "LayerArn": arn, "LatestMatchingVersion": versions[0]})
        return page(found, "Layers", request)

    def delete(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        """Functions that have it keep it. One that does not exist is deleted already, as on AWS."""
        try:
            layer, version = self._version(region, request)
        except Refused as refused:
            if refused.kind != "ResourceNotFoundException":
                raise
            return {}
        version["_deleted"] = True
        self._kept.put(region, LAYER, layer["LayerName"], layer)
        return {}

    def add_permission(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        return self._permissions.add(region, *self._named(region, request), request)

    def remove_permission(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        return self._permissions.remove(region, *self._named(region, request), request)

    def get_policy(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        return self._permissions.get(self._named(region, request)[1])

    def _version(self, region: str, request: Mapping[str, Any]) -> tuple[Item, dict[str, Any]]:
        name = layers.name_of(str(request["LayerName"]))
        return layers.version_of(self._kept, region, self._account, name, str(request["VersionNumber"]))

    def _named(self, region: str, request: Mapping[str, Any]) -> tuple[Item, dict[str, Any]]:
        try:
            return self._version(region, request)
        except Refused as refused:
            if refused.kind != "ResourceNotFoundException":
                raise
            arn = f"arn:aws:lambda:{region}:{self._account}:layer:{layers.name_of(str(request['LayerName']))}"
            raise not_found(f"Layer version {arn}:{request['VersionNumber']} does not exist.") from None


def _check(request: Mapping[str, Any]) -> None:
    for field, allowed in (
        ("CompatibleRuntimes", configuration.runtimes()),
        ("CompatibleArchitectures", configuration.ARCHITECTURES),
    ):
        given = request.get(field) or []
        if not set(given) <= set(allowed):
            place = f"{field[0].lower()}{field[1:]}"
            raise constrained(f"[{', '.join(given)}]", place, f"satisfy enum value set: [{', '.join(allowed)}]")


def _listed(layer: Item, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Versions that are not deleted and fit the request, the newest first."""
    runtime, architecture = request.get("CompatibleRuntime"), request.get("CompatibleArchitecture")
    return [
        {name: value for name, value in _shown(version).items() if name not in ("Content", "LayerArn")}
        for version in reversed(layer["Versions"].values())
        if not version.get("_deleted")
        and (not runtime or runtime in version.get("CompatibleRuntimes", ()))
        and (not architecture or architecture in version.get("CompatibleArchitectures", ()))
    ]


def _shown(version: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in version.items() if not name.startswith("_")}
