"""Aliases: names that point to a version, or share their invocations between two.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html,
https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from typing import Any

from lakectl.local.functions.errors import changed, conflict, constrained, invalid, not_found
from lakectl.local.functions.lifecycle import Functions
from lakectl.local.functions.names import ALIAS, LATEST, Reference
from lakectl.local.functions.pages import page
from lakectl.local.functions.store import Item


class Aliases:
    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def create(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        function = self._functions.unqualified(region, request)
        item, name = self._functions.item(function), str(request.get("Name") or "")
        if not ALIAS.fullmatch(name):
            raise constrained(name, "name", f"satisfy regular expression pattern: {ALIAS.pattern}")
        if name in item["Aliases"]:
            raise conflict(f"Alias already exists: {_arn(function, name)}")
        alias = {"Name": name, "Description": "", "FunctionVersion": request.get("FunctionVersion")}
        return self._put(function, item, alias, request)

    def update(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        function = self._functions.unqualified(region, request)
        item = self._functions.item(function)
        alias = self._alias(function, item, request)
        if request.get("RevisionId") and request["RevisionId"] != alias["RevisionId"]:
            raise changed("GetFunction/GetAlias")
        return self._put(function, item, dict(alias), request)

    def _put(self, function: Reference, item: Item, alias: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
        for field in ("FunctionVersion", "Description"):
            if request.get(field) is not None:
                alias[field] = request[field]
        if request.get("RoutingConfig") is not None:
            alias.pop("RoutingConfig", None)
            if request["RoutingConfig"].get("AdditionalVersionWeights"):
                alias["RoutingConfig"] = {
                    "AdditionalVersionWeights": dict(request["RoutingConfig"]["AdditionalVersionWeights"])
                }
        _check(function, item, alias)
        alias["RevisionId"] = str(uuid.uuid4())
        item["Aliases"][alias["Name"]] = alias
        self._functions.put(function.region, item)
        return _shown(function, alias)

    def get(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        function = self._functions.unqualified(region, request)
        return _shown(function, self._alias(function, self._functions.item(function), request))

    def list(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        function = self._functions.unqualified(region, request)
        version = request.get("FunctionVersion")
        found = [
            _shown(function, alias)
            for alias in self._functions.item(function)["Aliases"].values()
            if version in (None, alias["FunctionVersion"])
        ]
        return page(sorted(found, key=lambda alias: str(alias["Name"])), "Aliases", request)

    def delete(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        """An alias that does not exist is deleted already, as on AWS."""
        function = self._functions.unqualified(region, request)
        item = self._functions.item(function)
        for each in ("Aliases", "Policies", "InvokeConfigs"):
            item[each].pop(request["Name"], None)
        self._functions.put(region, item)
        return {}

    def _alias(self, function: Reference, item: Item, request: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] | None = item["Aliases"].get(request["Name"])
        if found is None:
            raise not_found(f"Cannot find alias arn: {_arn(function, request['Name'])}")
        return found


def route(item: Item, qualifier: str | None) -> str:
    """The version that one invocation of an alias goes to; that of any other qualifier."""
    alias = item["Aliases"].get(qualifier)
    if alias is None:
        return qualifier or LATEST
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    drawn = random.random()  # noqa: S311 - not a secret
    for version, weight in weights.items():
        if drawn < weight:
            return str(version)
        drawn -= weight
    return str(alias["FunctionVersion"])


def _check(function: Reference, item: Item, alias: Mapping[str, Any]) -> None:
    version = alias["FunctionVersion"]
    if not version:
        raise constrained(None, "functionVersion", "not be null")
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    shown = f"{{{', '.join(f'{each}={weight}' for each, weight in weights.items())}}}"
    place = "routingConfig.additionalVersionWeights"
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for other, weight in weights.items():
        if not other.isdigit():
            rules = (
                "Member must have length less than or equal to 1024, Member must have length greater than or equal to "
                "1, Member must satisfy regular expression pattern: [0-9]+"
            )
            raise _map(shown, place, f"Map keys must satisfy constraint: [{rules}]")
        if not 0 <= float(weight) <= 1:
            rules = (
                "Member must have value less than or equal to 1.0, Member must have value greater than or equal to "
                "0.0, Member must not be null"
            )
            raise _map(shown, place, f"Map value must satisfy constraint: [{rules}]")
        if other == version:
            raise invalid(
                f"Invalid function version {version}. Function version {version} is already included in routing "
                "configuration."
            )
        if version == LATEST:
            raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    for each in (version, *weights):
        if each not in item["Versions"]:
            raise not_found(f"Function not found: {function.function_arn}:{each}")


def _map(shown: str, place: str, rule: str) -> Exception:
    refused = constrained(shown, place, "")
    refused.message = refused.message.removesuffix("Member must ") + rule
    return refused


def _arn(function: Reference, name: str) -> str:
    return f"{function.function_arn}:{name}"


def _shown(function: Reference, alias: Mapping[str, Any]) -> dict[str, Any]:
    return {"AliasArn": _arn(function, alias["Name"]), **alias}
